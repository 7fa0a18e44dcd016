import type {
  AnswerOf,
  BodyToSend,
  CallName,
  Maintenance,
  ServerFrame,
  Session as SessionAnswer,
  User,
} from '@verbatim/protocol';
import type { Backoff } from './backoff.js';
import { Caller, type CallOptions } from './caller.js';
import { Closing } from './closing.js';
import type { Connection, SocketClass } from './connection.js';
import { Following, type FollowOptions } from './following.js';
import { Link, type LinkListener, type LinkState } from './link.js';
import type { Patience } from './persistence.js';
import { type Posted, type PostOptions, postMessage } from './posting.js';
import type { Fetch, InputOf } from './rest.js';
import type { RoomFrame } from './room-feed.js';
import { Servers } from './servers.js';
import { type Credentials, type SavedSession, Session, type SharedSession } from './session.js';
import { VerbatimError } from './verbatim-error.js';
import { Watching, type WatchOptions } from './watching.js';

export interface ClientOptions {
  /** Addresses of the replicas, such as `http://127.0.0.1:8080`; the next one is tried when one fails. */
  readonly servers: readonly string[];
  /** Requested when a sign-in is needed: at the first call, and when a session has ended. */
  readonly credentials?: () => Credentials | Promise<Credentials>;
  /** Lets clients of the same person share their session, like tabs of a browser; each still has to `restore` it. */
  readonly sharedSession?: SharedSession;
  /** The standard WebSocket or a compatible one; if there is none, that of the package `ws` is used. */
  readonly WebSocket?: SocketClass;
  readonly fetch?: Fetch;
  /** Milliseconds between attempts to connect: at most `first`, doubling up to `most`; 250 and 10,000 if absent. */
  readonly backoff?: Backoff;
  /** Milliseconds in which silence of a connected server is noticed, 15,000 if absent. */
  readonly silenceMs?: number;
}

/** Milliseconds to wait for a renewal, short enough that the service still accepts a repetition. */
const RENEWAL = 4_000;

/** All calls except token renewal, which the client does automatically. */
export type ClientCall = Exclude<CallName, 'refresh'>;

/** `call(name)`, `call(name, input)` or `call(name, input, options)`; the input is optional if all its fields are. */
type CallArguments<K extends CallName> =
  Record<never, never> extends InputOf<K>
    ? [input?: InputOf<K>, options?: CallOptions]
    : [input: InputOf<K>, options?: CallOptions];

export interface ClientEvents {
  /** Of the socket. */
  state: LinkState;
  /** The session after each change, to save if it should outlive the client; null: signed out. */
  session: SavedSession | null;
  /** Maintenance, as reported by the socket: it started, its notice changed, or it ended (null). */
  maintenance: Maintenance | null;
}

/** A client of a Verbatim service, for one person. */
export class Client {
  private readonly session: Session;
  private readonly caller: Caller;
  private readonly link: Link;
  private readonly followings = new Map<string, Following>();
  private watching: Watching | null = null;
  private readonly listeners: { [E in keyof ClientEvents]: Set<(what: ClientEvents[E]) => void> } = {
    state: new Set(),
    session: new Set(),
    maintenance: new Set(),
  };
  private maintained: Maintenance | null = null;
  private readonly closing = new Closing();

  constructor(options: ClientOptions) {
    const { servers: addresses, credentials, fetch = (input, init) => globalThis.fetch(input, init) } = options;
    const { backoff = { first: 250, most: 10_000 }, silenceMs = 15_000 } = options;
    const servers = new Servers(addresses);
    this.session = new Session({
      refresh: async (refreshToken) =>
        (await this.caller.carefully('refresh', { body: { refreshToken } }, { left: RENEWAL })).body,
      ...(credentials && {
        signInAgain: async () => (await this.caller.once('login', { body: await credentials() })).body,
      }),
      ...(options.sharedSession && { shared: options.sharedSession }),
      changed: (session) => this.emit('session', session),
    });
    this.caller = new Caller(servers, this.session, fetch, this.closing);
    const socketClass = async () => options.WebSocket ?? globalThis.WebSocket ?? (await import('ws')).WebSocket;
    this.link = new Link(servers, this.caller, socketClass, this.linkListener(), { backoff, silenceMs });
  }

  // Who ---------------------------------------------------------------------------------------------------------------

  /** Creates an account and signs in. Sent only once: if the response is lost, it rejects with OutcomeUnknown. */
  async register(account: BodyToSend<'register'>, patience: Patience = {}): Promise<User> {
    const askedAt = Date.now();
    const options = { ...patience, idempotencyKey: account.username };
    return this.enter(await this.caller.call('register', { body: account }, options), askedAt);
  }

  async signIn(credentials: Credentials, patience: Patience = {}): Promise<User> {
    const askedAt = Date.now();
    return this.enter(await this.caller.call('login', { body: credentials }, patience), askedAt);
  }

  /** Signs in with the code after `#sso-code=` in the URL to which a single sign-on returns; works once, in the same browser. */
  async endSignOn(code: string, patience: Patience = {}): Promise<User> {
    const askedAt = Date.now();
    return this.enter(await this.caller.call('endSignOn', { body: { code } }, patience), askedAt);
  }

  /** Resumes a saved session. No other client may use it from then on, unless they share it. */
  restore(session: SavedSession): void {
    this.leaveOther(session.user);
    this.session.restore(session);
  }

  /** Stops all following and ends the session. The tokens are dropped even if the service cannot be reached. */
  async signOut(patience: Patience = {}): Promise<void> {
    const { saved } = this.session;
    this.disconnect(new VerbatimError('unauthenticated', 'The person has signed out.'));
    this.session.leave();
    if (saved) await this.caller.logOut(saved.accessToken, patience);
  }

  /** Stops all following and drops the session here without ending it: another client that shares it has ended it, or still uses it. */
  forget(): void {
    this.disconnect(new VerbatimError('unauthenticated', 'The session was ended elsewhere.'));
    this.session.leave();
  }

  /** The signed-in person, as of the last renewal of the session; null: none. */
  get user(): User | null {
    return this.session.user;
  }

  /** The session, for `restore`; null: not signed in. */
  get savedSession(): SavedSession | null {
    return this.session.saved;
  }

  // What --------------------------------------------------------------------------------------------------------------

  /**
   * Makes a call of the REST API: `call('createRoom', { body: { name: 'engine room' } })`. Calls that are safe to repeat are
   * retried until the deadline. Rejects with VerbatimError; writes also with OutcomeUnknown, whose `id` is the
   * `idempotencyKey` to repeat the call with.
   */
  call<K extends ClientCall>(name: K, ...[input, options]: CallArguments<K>): Promise<AnswerOf<K>> {
    return this.caller.call(name, (input ?? {}) as object, options);
  }

  /**
   * Posts a message exactly once, despite lost connections and servers, until the deadline. Rejects with VerbatimError
   * if it was refused, with OutcomeUnknown if that is not known; repeating it with the same id is safe.
   */
  post(room: string, text: string, options: PostOptions = {}): Promise<Posted> {
    return postMessage(this.caller, () => this.link.connection, room, text, options);
  }

  /** Follows a room from a revision on, or from now on. A client follows a room once at a time. */
  follow(room: string, options: FollowOptions = {}): Following {
    const id = room.toLowerCase();
    if (this.followings.has(id)) throw new Error(`The room ${id} is followed already; close that following first.`);
    this.closing.throwIfClosed();
    const following = new Following(id, options, () => this.followings.delete(id));
    this.followings.set(id, following);
    const { connection } = this.link;
    if (connection) following.feed.connect(connection);
    else this.link.start();
    return following;
  }

  /** Reports when anything in the service has changed; for administrators and auditors. A client watches once at a time. */
  watch(options: WatchOptions): Watching {
    if (this.watching) throw new Error('The service is watched already; close that watching first.');
    this.closing.throwIfClosed();
    const watching = new Watching(options, () => {
      this.watching = null;
    });
    this.watching = watching;
    const { connection } = this.link;
    if (connection) watching.connect(connection);
    else this.link.start();
    return watching;
  }

  /** Shows others in a followed room that the person is typing. May be lost. */
  typing(room: string): void {
    this.link.connection?.send('typing', { room });
  }

  /** Opens the socket and keeps it open, so that posts go over it. Following does so automatically. */
  connect(): void {
    this.closing.throwIfClosed();
    this.link.start();
  }

  get state(): LinkState {
    return this.link.state;
  }

  /** Calls `listener` with every change; returns a function that unsubscribes. */
  on<E extends keyof ClientEvents>(event: E, listener: (what: ClientEvents[E]) => void): () => void {
    this.listeners[event].add(listener);
    return () => this.listeners[event].delete(listener);
  }

  /** Releases all resources. The session stays valid, and calls in progress end on their own. */
  close(): void {
    this.closing.close(new Error('The client was closed.'));
    for (const following of [...this.followings.values()]) following.close();
    this.watching?.close();
    this.link.stop();
  }

  // Wiring ----------------------------------------------------------------------------------------------------------

  private enter(answer: SessionAnswer, askedAt: number): User {
    this.leaveOther(answer.user);
    this.session.begin(answer, askedAt);
    return answer.user;
  }

  /** The next person does not follow what the previous one did. */
  private leaveOther(user: User): void {
    if (this.user && this.user.id !== user.id) {
      this.disconnect(new VerbatimError('unauthenticated', 'Another person has signed in.'));
    }
  }

  private disconnect(error: unknown): void {
    for (const following of [...this.followings.values()]) following.fail(error);
    this.watching?.fail(error);
    this.link.stop();
  }

  private linkListener(): LinkListener {
    return {
      state: (state: LinkState) => this.emit('state', state),
      online: (connection: Connection) => {
        this.maintain(connection.maintenance);
        for (const following of this.followings.values()) following.feed.connect(connection);
        this.watching?.connect(connection);
      },
      frame: (frame: ServerFrame) => {
        if (isAboutRoom(frame)) this.followings.get(frame.data.room)?.feed.hear(frame);
        else if (frame.event === 'maintenance') this.maintain(frame.data.maintenance);
        else if (frame.event === 'changed') this.watching?.changed(frame.data.categories);
        else if (frame.event === 'unwatched') this.watching?.fail(notAnyMore);
      },
      revoked: () => this.session.end(),
      failed: (error: unknown) => this.disconnect(error),
    };
  }

  private maintain(now: Maintenance | null): void {
    if (JSON.stringify(now) === JSON.stringify(this.maintained)) return;
    this.maintained = now;
    this.emit('maintenance', now);
  }

  private emit<E extends keyof ClientEvents>(event: E, what: ClientEvents[E]): void {
    for (const listener of this.listeners[event]) listener(what);
  }
}

const notAnyMore = new VerbatimError('forbidden', 'The person may not watch the service any more.');

const isAboutRoom = (frame: ServerFrame): frame is RoomFrame =>
  ['events', 'presence', 'typing', 'removed'].includes(frame.event);
