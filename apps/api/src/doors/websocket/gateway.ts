import type { IncomingMessage } from 'node:http';
import { CommandBus } from '@nestjs/cqrs';
import {
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  SubscribeMessage,
  WebSocketGateway,
} from '@nestjs/websockets';
import { MESSAGE_METADATA } from '@nestjs/websockets/constants.js';
import { parseStream, type Recorded, type RoomCommand, roomStream } from '@verbatim/domain';
import {
  type ClientData,
  closeReasons,
  heartbeatSeconds,
  maxFrameBytes,
  type ServerData,
  type ServerEvent,
  scopeOfFrame,
} from '@verbatim/protocol';
import type { WebSocket } from 'ws';
import { Authentication } from '../../application/accounts/authentication.js';
import { outOfScope } from '../../application/accounts/permission.js';
import { MarkReadCommand } from '../../application/messages/message-commands.js';
import { ApplyToRoomCommand, JoinRoomCommand } from '../../application/rooms/room-commands.js';
import { SecondFactorPolicy } from '../../application/sessions/second-factor-policy.js';
import { Proxies } from '../../host/proxies.js';
import { WaitingData } from '../../host/waiting-data.js';
import { addressKey } from '../../limits/address-key.js';
import { limited } from '../../limits/limited.js';
import { Limits, spend } from '../../limits/limits.js';
import type { OpenCounts } from '../../limits/open-counts.js';
import { LiveRooms } from '../../live/live-rooms.js';
import { Watchers } from '../../live/watchers.js';
import { newId } from '../../new-id.js';
import { OpenLog } from '../../storage/open-log.js';
import { type PersonalToken, PersonalTokens } from '../../storage/vault/personal-tokens.js';
import { Sessions } from '../../storage/vault/sessions.js';
import { userAnswer } from '../../wire/user-answer.js';
import { Users } from '../../write-side/entities.js';
import { Maintenance } from '../../write-side/maintenance.js';
import { bearerIn } from '../bearer.js';
import { Problems } from '../problems.js';
import { accepted, Refusal } from '../refusal.js';
import { Connection } from './connection.js';
import { BadFrame, type CheckedFrame, readFrame } from './frame-text.js';
import { Intake } from './intake.js';
import type { FrameReader } from './socket-adapter.js';

/** Frames between the size that is allowed and this one end the connection with a reason, longer ones without. */
const MOST_BYTES_READ = 1_048_576;
/** Milliseconds that a shutdown waits for clients to agree to the end of their connections. */
const TO_TAKE_NOTE = 1_000;
/** Milliseconds a client is asked to wait before it connects again after a shutdown. */
const RETRY_AFTER_DRAIN = 500;
/** Milliseconds in which it must be found out who opened a socket. */
const HANDSHAKE_PATIENCE = 10_000;
/** Milliseconds between two looks at the tokens that opened connections. */
const TOKENS_LOOKED_AT = 500;
/** Milliseconds between two `typing` frames of one person in one room that are passed on. */
const TYPING_PAUSE = 1_000;

/** Fragments of one message, and reads from the network that one frame may be spread over. Past these `ws` closes with 1008. */
const MOST_FRAGMENTS = 256;
const MOST_READS_FOR_A_FRAME = 1_024;
/** Milliseconds a client has to answer the close frame, which may have to wait behind other data. */
const CLOSING_HANDSHAKE_MS = 30_000;

/** The socket door: translates frames to commands, and outcomes to answers. The rules are elsewhere. */
@WebSocketGateway({
  path: '/v1/ws',
  maxPayload: MOST_BYTES_READ,
  maxFragments: MOST_FRAGMENTS,
  maxBufferedChunks: MOST_READS_FOR_A_FRAME,
  closeTimeout: CLOSING_HANDSHAKE_MS,
  // Pings are counted, and answered by the connection.
  autoPong: false,
  perMessageDeflate: false,
  skipUTF8Validation: true,
})
export class Gateway implements OnGatewayConnection, OnGatewayDisconnect, FrameReader {
  private readonly connections = new Map<WebSocket, Connection>();
  private readonly lastTyping = new WeakMap<Connection, Map<string, number>>();
  /** The connections that were opened with a personal token: they end with it. */
  private readonly ofTokens = new Map<Connection, PersonalToken>();
  private draining = false;
  private deaf = false;
  private readonly heartbeat = setInterval(() => {
    for (const connection of this.connections.values()) connection.beat();
  }, heartbeatSeconds * 1_000).unref();

  private readonly tokenWatch = setInterval(() => void this.endExpired(), TOKENS_LOOKED_AT).unref();

  constructor(
    private readonly authentication: Authentication,
    private readonly personalTokens: PersonalTokens,
    private readonly sessions: Sessions,
    private readonly users: Users,
    private readonly rooms: LiveRooms,
    private readonly watchers: Watchers,
    private readonly commands: CommandBus,
    private readonly log: OpenLog,
    private readonly problems: Problems,
    private readonly limits: Limits,
    private readonly proxies: Proxies,
    private readonly policy: SecondFactorPolicy,
    private readonly maintenance: Maintenance,
    private readonly waitingData: WaitingData,
  ) {
    maintenance.whenChanged(() => this.tellAll('maintenance', { maintenance: maintenance.now }));
  }

  get size(): number {
    return this.connections.size;
  }

  /** Accounts that have an open socket here. */
  get people(): number {
    return this.limits.socketsOfAccounts.size;
  }

  // Coming and going ------------------------------------------------------------------------------------------------

  async handleConnection(socket: WebSocket, request: IncomingMessage): Promise<void> {
    this.count(socket, this.limits.socketsOfAddresses, addressKey(this.proxies.addressOf(request)));
    const intake = new Intake(socket, request.socket);
    this.waitingData.watch(request.socket, intake);
    if (this.draining) {
      socket.close(closeReasons.drain.code, closeReasons.drain.name);
      return;
    }
    // Frames that come before it is known who sends them wait in the socket.
    socket.pause();
    const late = setTimeout(() => socket.terminate(), HANDSHAKE_PATIENCE);
    try {
      const identity = await this.identify(request);
      if (!identity || identity.lacksSecondFactor) return this.turnAway(socket);
      const { actor, sessionId, scopes, token } = identity;
      const { state } = await this.users.current(actor.id);
      if (socket.readyState !== socket.OPEN) return;
      if (this.draining) {
        socket.close(closeReasons.drain.code, closeReasons.drain.name);
        return socket.resume();
      }
      // What became of the account or the session meanwhile was not told to a connection that was not there yet.
      const revoked = token ? !state.tokens.includes(token.id) : this.sessions.isRevoked(sessionId);
      if (state.status !== 'active' || revoked) return this.turnAway(socket);
      const person = { id: actor.id, role: state.role };
      if (this.limits.socketsOfAccounts.full(actor.id)) return this.turnAway(socket, 'rateLimited');
      this.count(socket, this.limits.socketsOfAccounts, actor.id);
      const allowances = this.limits.connection(actor.id);
      const connection = new Connection(socket, request.socket, person, state.username, sessionId, scopes, allowances);
      this.connections.set(socket, connection);
      if (token) this.ofTokens.set(connection, token);
      intake.onFragment = () => connection.countFrame();
      socket.on('ping', (payload: Buffer) => connection.heardPing(payload));
      socket.on('pong', (payload: Buffer) => connection.heardPong(payload));
      connection.send('hello', {
        protocol: 1,
        user: userAnswer(actor.id, state, true),
        session: sessionId,
        heartbeatSeconds,
        maxFrameBytes,
        maintenance: this.maintenance.now,
      });
      socket.resume();
    } catch (error) {
      this.problems.refusal(error, { handshake: this.proxies.addressOf(request) });
      socket.close(1013, 'unavailable');
      socket.resume();
    } finally {
      clearTimeout(late);
    }
  }

  private identify(request: IncomingMessage) {
    const ticket = new URL(request.url ?? '/', 'ws://localhost').searchParams.get('ticket');
    if (ticket) return this.authentication.byTicket(ticket);
    const bearer = bearerIn(request.headers.authorization);
    return bearer ? this.authentication.byBearer(bearer) : null;
  }

  /** Counts a socket until it is closed. */
  private count(socket: WebSocket, counts: OpenCounts, key: string): void {
    counts.enter(key);
    socket.once('close', () => counts.leave(key));
  }

  private turnAway(socket: WebSocket, why: 'unauthenticated' | 'rateLimited' = 'unauthenticated'): void {
    socket.close(closeReasons[why].code, closeReasons[why].name);
    // A paused socket would never read the client's answer to the closing.
    socket.resume();
  }

  handleDisconnect(socket: WebSocket): void {
    const connection = this.connections.get(socket);
    if (!connection) return;
    this.connections.delete(socket);
    this.ofTokens.delete(connection);
    this.rooms.leave(connection);
    this.watchers.unwatch(connection);
  }

  /** A sink of the feed: what happens to accounts takes effect on their sockets at once. */
  async take(events: readonly Recorded[]): Promise<void> {
    for (const event of events) {
      if (!changesConnections(event.type)) continue;
      const { id } = parseStream(event.stream);
      for (const connection of this.connections.values()) {
        if (connection.actor.id !== id) continue;
        if (event.type === 'UserSuspended' || event.type === 'UserDeactivated') connection.close('revoked');
        else if (event.type === 'SessionRevoked' && event.data.sessionId === connection.sessionId)
          connection.close('revoked');
        else if (event.type === 'TokenRevoked' && event.data.tokenId === connection.sessionId)
          connection.close('revoked');
        else if (event.type === 'TotpDisabled') await this.reconsiderFactor(connection);
        else if (event.type === 'UserRoleChanged') {
          connection.actor = { id, role: event.data.role };
          await this.reconsiderFactor(connection);
          // Whoever cannot be judged anew now is judged on coming back.
          await this.rooms.reconsider(connection).catch(() => connection.close('drain'));
        }
      }
    }
  }

  /** Ends the connections of tokens that have expired, or that the vault has no more although the feed is late to say so. */
  private async endExpired(): Promise<void> {
    if (this.ofTokens.size === 0) return;
    const ids = [...new Set([...this.ofTokens.values()].map(({ id }) => id))];
    // Without the database nobody can tell but by the clock.
    const still = await this.personalTokens.still(ids).catch(() => null);
    for (const [connection, token] of this.ofTokens) {
      if (this.personalTokens.expired(token) || (still && ids.includes(token.id) && !still.has(token.id)))
        connection.close('revoked');
    }
  }

  /** A socket goes on only while its person has the second factor that their role demands. */
  private async reconsiderFactor(connection: Connection): Promise<void> {
    const { state } = await this.users.current(connection.actor.id);
    if (this.policy.lacking(state)) connection.close('unauthenticated');
  }

  /** Before a shutdown: nobody new gets in, and everybody is told to come back. */
  announceDrain(): void {
    this.draining = true;
    this.tellAll('drain', { retryAfterMs: RETRY_AFTER_DRAIN });
  }

  private tellAll<E extends ServerEvent>(event: E, data: ServerData<E>): void {
    for (const connection of this.connections.values()) connection.send(event, data);
  }

  /** What clients send from now on is not listened to; they send it again when they have come back. */
  stopListening(): void {
    this.deaf = true;
  }

  /** Ends all connections, and gives their clients a moment to take note of it. */
  async closeAll(): Promise<void> {
    clearInterval(this.heartbeat);
    clearInterval(this.tokenWatch);
    for (const connection of this.connections.values()) connection.close('drain');
    const end = Date.now() + TO_TAKE_NOTE;
    while (this.connections.size > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  // Frames ----------------------------------------------------------------------------------------------------------

  read(socket: WebSocket, data: Buffer, isBinary: boolean): void {
    const connection = this.connections.get(socket);
    // One that is being closed is not listened to any more, however long its client takes to agree.
    if (!connection?.open) return;
    const tooSoon = connection.countFrame();
    connection.take(() => this.act(connection, data, isBinary, tooSoon));
  }

  /**
   * Checks a frame and has it answered by the method that `@SubscribeMessage` marks for its event. `tooSoon` is how many
   * milliseconds too early the frame came by the limit on frames, which the connection has already counted against it.
   */
  private async act(connection: Connection, data: Buffer, isBinary: boolean, tooSoon: number): Promise<void> {
    if (!connection.open || this.deaf) return;
    if (data.length > maxFrameBytes) {
      connection.close('tooLarge');
      return;
    }
    let frame: CheckedFrame | undefined;
    try {
      frame = readFrame(data, isBinary);
      if (tooSoon > 0) return connection.tellRefusal(Refusal.of(limited(tooSoon)), frame.ref);
      const wait = spend(connection.allowances, frame.event);
      if (wait > 0) return connection.refuse(Refusal.of(limited(wait)), frame.ref);
      const refused = outOfScope(connection.scopes, scopeOfFrame[frame.event]);
      if (refused) return connection.refuse(Refusal.of(refused), frame.ref);
      await methods.get(frame.event)?.call(this, connection, frame.data, frame.ref);
    } catch (error) {
      if (error instanceof BadFrame)
        return connection.tellRefusal(tooSoon > 0 ? Refusal.of(limited(tooSoon)) : error.refusal, error.ref);
      const place = { frame: frame?.event ?? '', user: connection.actor.id };
      connection.refuse(this.problems.refusal(error, place), frame?.ref);
    }
  }

  @SubscribeMessage('follow')
  async follow(connection: Connection, { room, after, reason }: ClientData<'follow'>, ref: Ref) {
    const purpose = { reason, context: { correlation: newId() } };
    const from = after === undefined ? undefined : BigInt(after);
    const following = await this.rooms.follow(connection, room, from, purpose, ref);
    if (!following) return;
    this.rooms.catchUp(following).catch((error) => {
      this.problems.refusal(error, { frame: 'follow', user: connection.actor.id });
      // The client was told that it follows. Coming back, it resumes where this has ended.
      connection.close('drain');
    });
  }

  @SubscribeMessage('unfollow')
  unfollow(connection: Connection, { room }: ClientData<'unfollow'>, ref: Ref) {
    this.rooms.unfollow(connection, room);
    connection.send('unfollowed', { room }, ref);
  }

  @SubscribeMessage('post')
  async post(connection: Connection, { room, id, text, replyTo }: ClientData<'post'>, ref: Ref) {
    const messageId = id ?? newId();
    const { actor } = connection;
    const post = { type: 'PostMessage', actor, messageId, text, replyTo, kind: 'text' } as const;
    // An id of our own is new, so it can tie together what the post causes.
    const posted = await this.send(room, post, id ? newId() : messageId);
    const duplicate = posted.events === 0;
    const position = duplicate ? await this.positionOf(room, posted.revision) : posted.position;
    const ack = { revision: Number(posted.revision), position: Number(position), id: messageId };
    connection.send('ack', duplicate ? { ...ack, duplicate } : ack, ref);
  }

  @SubscribeMessage('edit')
  edit(connection: Connection, { room, messageId, text }: ClientData<'edit'>, ref: Ref) {
    const { actor } = connection;
    return this.acknowledge(connection, ref, this.send(room, { type: 'EditMessage', actor, messageId, text }));
  }

  @SubscribeMessage('redact')
  redact(connection: Connection, { room, messageId, reason = null }: ClientData<'redact'>, ref: Ref) {
    const { actor } = connection;
    return this.acknowledge(connection, ref, this.send(room, { type: 'RedactMessage', actor, messageId, reason }));
  }

  @SubscribeMessage('react')
  react(connection: Connection, { room, messageId, emoji, remove }: ClientData<'react'>, ref: Ref) {
    const { actor } = connection;
    const type = remove ? 'RemoveReaction' : 'AddReaction';
    return this.acknowledge(connection, ref, this.send(room, { type, actor, messageId, emoji }));
  }

  @SubscribeMessage('join')
  join(connection: Connection, { room, password, invitation }: ClientData<'join'>, ref: Ref) {
    const entering = this.commands.execute(
      new JoinRoomCommand(room, connection.actor, { password, invitation }, { correlation: newId() }),
    );
    return this.acknowledge(connection, ref, entering.then(accepted));
  }

  @SubscribeMessage('leave')
  leave(connection: Connection, { room }: ClientData<'leave'>, ref: Ref) {
    const { actor } = connection;
    const leaving = this.send(room, { type: 'RemoveMember', actor, userId: actor.id, reason: null });
    return this.acknowledge(connection, ref, leaving);
  }

  @SubscribeMessage('read')
  async markRead(connection: Connection, { room, revision }: ClientData<'read'>, ref: Ref) {
    accepted(await this.commands.execute(new MarkReadCommand(room, connection.actor, BigInt(revision))));
    connection.send('ack', {}, ref);
  }

  @SubscribeMessage('typing')
  async typing(connection: Connection, { room }: ClientData<'typing'>) {
    const times = this.lastTyping.get(connection) ?? new Map<string, number>();
    this.lastTyping.set(connection, times);
    if (Date.now() - (times.get(room) ?? 0) < TYPING_PAUSE) return;
    times.set(room, Date.now());
    await this.rooms.typing(connection, room);
  }

  @SubscribeMessage('watch')
  watch(connection: Connection, _: ClientData<'watch'>, ref: Ref) {
    this.watchers.watch(connection);
    connection.send('watching', {}, ref);
  }

  @SubscribeMessage('unwatch')
  unwatch(connection: Connection, _: ClientData<'unwatch'>, ref: Ref) {
    this.watchers.unwatch(connection);
    connection.send('unwatched', {}, ref);
  }

  @SubscribeMessage('ping')
  ping(connection: Connection, _: ClientData<'ping'>, ref: Ref) {
    connection.send('pong', {}, ref);
  }

  // What many frames have in common --------------------------------------------------------------------------------------

  private async acknowledge(
    connection: Connection,
    ref: Ref,
    change: Promise<{ revision: bigint; position: bigint }>,
  ): Promise<void> {
    const { revision, position } = await change;
    connection.send('ack', { revision: Number(revision), position: Number(position) }, ref);
  }

  private async send(room: string, command: RoomCommand, correlation = newId()) {
    return accepted(await this.commands.execute(new ApplyToRoomCommand(room, command, { correlation })));
  }

  private async positionOf(room: string, revision: bigint): Promise<bigint> {
    const [event] = await this.log.read(roomStream(room), revision, 1);
    if (!event) throw new Refusal('unavailable', 'The message cannot be read at the moment.');
    return event.position;
  }
}

type Ref = CheckedFrame['ref'];

const changesConnections = (type: string): boolean => touching.has(type);
const touching: ReadonlySet<string> = new Set([
  ...['UserSuspended', 'UserDeactivated', 'SessionRevoked', 'TokenRevoked', 'UserRoleChanged', 'TotpDisabled'],
]);

type Method = (this: Gateway, connection: Connection, data: unknown, ref: Ref) => unknown;

/**
 * The gateway's methods, by the event that `@SubscribeMessage` names. They are called directly: the chain of guards, pipes
 * and interceptors that Nest puts before each costs more than deciding on a post, and there are none.
 */
const methods: ReadonlyMap<string, Method> = new Map(
  Object.values(Object.getOwnPropertyDescriptors(Gateway.prototype))
    .filter(({ value }) => typeof value === 'function' && Reflect.hasMetadata(MESSAGE_METADATA, value))
    .map(({ value }) => [Reflect.getMetadata(MESSAGE_METADATA, value) as string, value as Method]),
);
