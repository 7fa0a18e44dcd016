import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Client, type SavedSession } from '@verbatim/client';
import {
  answerTo,
  type ClientEvent,
  closeReasons,
  isClientEvent,
  type Member,
  type Message,
  type ServerEvent,
  serverEvents,
  serverFrames,
  type User,
} from '@verbatim/protocol';
import request, { type Response } from 'supertest';
import { type ClientOptions, WebSocket } from 'ws';
import { holdToContract } from './contract.testing.js';
import { administrator } from './test-service.testing.js';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type Headers = Record<string, string>;

export const password = 'correct horse';

// REST --------------------------------------------------------------------------------------------------------------

/** A client of the REST door. Every answer is checked against the contract. */
export class Visitor {
  constructor(readonly url: string) {}

  async send(method: Method, path: string, body?: object, headers: Headers = {}): Promise<Response> {
    const call = request(this.url)
      [method](path)
      .set({ ...this.credential(), ...headers });
    const answer = await (body === undefined ? call : call.send(body));
    holdToContract(method, path, answer);
    return answer;
  }

  get = (path: string, headers?: Headers) => this.send('get', path, undefined, headers);
  post = (path: string, body?: object, headers?: Headers) => this.send('post', path, body, headers);
  put = (path: string, body?: object, headers?: Headers) => this.send('put', path, body, headers);
  patch = (path: string, body?: object, headers?: Headers) => this.send('patch', path, body, headers);
  delete = (path: string, body?: object, headers?: Headers) => this.send('delete', path, body, headers);

  /** All items of a list, page by page. */
  // biome-ignore lint/suspicious/noExplicitAny: items of every list, which holdToContract has checked
  async all(path: string, limit = 200, headers: Headers = {}): Promise<any[]> {
    const items: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { status, body } = await this.get(
        `${path}${path.includes('?') ? '&' : '?'}limit=${limit}&cursor=${cursor}`,
        headers,
      );
      if (status !== 200) throw new Error(`no list: ${JSON.stringify(body)}`);
      if (body.items.length > limit) throw new Error(`a page of ${body.items.length} items, asked for ${limit}`);
      items.push(...body.items);
      cursor = body.page.next;
    }
    return items;
  }

  protected credential(): Headers {
    return {};
  }
}

/** The client's way to the REST door; what it is answered is held to the contract like everything else. */
const heldToContract: typeof fetch = async (address, init) => {
  const response = await fetch(address, init);
  const text = await response.clone().text();
  const headers = Object.fromEntries(response.headers);
  const body = headers['content-type']?.includes('json') ? JSON.parse(text) : undefined;
  const { pathname, search } = new URL(String(address));
  holdToContract(init?.method ?? 'GET', `${pathname}${search}`, { status: response.status, headers, text, body });
  return response;
};

/**
 * A visitor with a session. What has to succeed goes through their `client`, as with any program; what is to be looked
 * at more closely, or refused, goes through the doors themselves.
 */
export class TestPerson extends Visitor {
  readonly client: Client;

  constructor(
    url: string,
    readonly id: string,
    readonly username: string,
    readonly accessToken: string,
    readonly refreshToken: string,
  ) {
    super(url);
    this.client = new Client({ servers: [url], fetch: heldToContract });
    // Tests handle refresh tokens themselves: two clients with the same session must not both renew it.
    const good = Number.POSITIVE_INFINITY;
    const user = { id, username } as User;
    this.client.restore({ user, accessToken, refreshToken, renewAt: good, expiresAt: good });
  }

  protected override credential(): Headers {
    return { authorization: `Bearer ${this.accessToken}` };
  }

  /** The same person with the same session at another door: of another replica, or after a restart. */
  at(url: string): TestPerson {
    return new TestPerson(url, this.id, this.username, this.accessToken, this.refreshToken);
  }

  /** Creates a room and returns its id. */
  async room(settings: object = {}): Promise<string> {
    const body = { name: `room ${Math.random().toString(36).slice(2)}`, ...settings };
    return (await this.client.call('createRoom', { body })).id;
  }

  /** Creates a room and adds people to it, as members unless a role is given. */
  async roomWith(people: readonly (TestPerson | [TestPerson, string])[], settings: object = {}): Promise<string> {
    const id = await this.room(settings);
    for (const entry of people) {
      const [person, role] = entry instanceof TestPerson ? [entry, 'member'] : entry;
      await this.client.call('addMember', {
        params: { id },
        body: { userId: person.id, role: role as Member['role'] },
      });
    }
    return id;
  }

  /** Posts a message, which must succeed. */
  says(room: string, text: string, more: object = {}): Promise<Message> {
    return this.client.call('postMessage', { params: { id: room }, body: { text, ...more } });
  }

  async ticket(): Promise<string> {
    return (await this.post('/v1/auth/ticket')).body.ticket;
  }

  /** Opens a socket with a ticket and waits for its `hello`. */
  async connect(): Promise<TestSocket> {
    const socket = openSocket(this.url, { ticket: await this.ticket() });
    await socket.next('hello');
    return socket;
  }

  /** Opens a socket that follows a room from a revision on (exclusive), or from now on; `reason` is for who is not in it. */
  async follow(room: string, after?: number, reason?: string): Promise<TestSocket> {
    const socket = await this.connect();
    const { event, data } = await socket.ask('follow', { room, after, reason });
    if (event !== 'following') throw new Error(`not following: ${JSON.stringify(data)}`);
    return socket;
  }
}

let count = 0;

/** A name that nobody in the run has yet. */
export const freshName = (): string => `person${process.pid}_${++count}`;

/** Registers somebody with a name of their own. */
export function register(url: string, username = freshName()): Promise<TestPerson> {
  return entering(url, (client) => client.register({ username, password }));
}

export function signIn(
  url: string,
  credentials: { username: string; password: string } = administrator,
): Promise<TestPerson> {
  return entering(url, (client) => client.signIn(credentials));
}

async function entering(url: string, enter: (client: Client) => Promise<User>): Promise<TestPerson> {
  const client = new Client({ servers: [url], fetch: heldToContract });
  const { id, username } = await enter(client);
  const { accessToken, refreshToken } = client.savedSession as SavedSession;
  return new TestPerson(url, id, username, accessToken, refreshToken);
}

/** What those who read rooms from outside send along. */
export const because = (reason = 'Ticket 7'): Record<string, string> => ({
  'verbatim-reason': encodeURIComponent(reason),
});

/** An id that nothing has. */
export const unknownId = (): string => randomUUID();

// WebSocket ---------------------------------------------------------------------------------------------------------

export interface Frame {
  readonly event: string;
  readonly ref?: string | number;
  // The tests look into frames of every kind.
  // biome-ignore lint/suspicious/noExplicitAny: what a frame holds is what the tests are about
  readonly data: any;
}

/** Frames and endings that were seen on any socket of this test file. */
const seen = new Set<string>();

/** What of the socket's contract was never seen in this test file: `post: ack`, `post: error`, `typing`, `4008`. */
export function neverSeenOnSockets(): string[] {
  const answers = (Object.keys(answerTo) as ClientEvent[]).flatMap((event) =>
    [answerTo[event], 'error'].filter((answer) => answer !== null).map((answer) => `${event}: ${answer}`),
  );
  const endings = Object.values(closeReasons).map(({ code }) => `${code}`);
  return [...answers, ...serverEvents, ...endings].filter((entry) => !seen.has(entry));
}

/** Opens a socket; whether it is let in is for the caller to find out. */
export function openSocket(url: string, { ticket, ...options }: { ticket?: string } & ClientOptions = {}): TestSocket {
  const query = ticket === undefined ? '' : `?ticket=${ticket}`;
  return new TestSocket(new WebSocket(`${url.replace('http', 'ws')}/v1/ws${query}`, options));
}

/** A real socket that keeps every frame it got, each held to the contract; `next` and `until` take them in order. */
export class TestSocket {
  readonly frames: Frame[] = [];
  /** Every frame as it came. */
  readonly heard: string[] = [];
  /** Resolves with the code with which the connection ended. */
  readonly closed: Promise<number>;
  private readonly sent = new Map<string | number, string>();
  private broken: Error | null = null;
  private taken = 0;
  private wake: (() => void)[] = [];
  private ref = 0;

  constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => {
      this.receive(data.toString());
      this.stir();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code) => {
        seen.add(`${code}`);
        this.stir();
        resolve(code);
      });
    });
    socket.on('error', () => undefined);
  }

  /** The next frame of this event not taken yet; those before it are passed over. */
  next(event: ServerEvent): Promise<Frame> {
    return this.until((frame) => frame.event === event);
  }

  /** The next frame not taken yet for which `wanted` holds. */
  until(wanted: (frame: Frame) => boolean): Promise<Frame> {
    return this.when(() => {
      while (this.taken < this.frames.length) {
        const frame = this.frames[this.taken++] as Frame;
        if (wanted(frame)) return frame;
      }
      return undefined;
    });
  }

  /** Waits until `found` finds something in what has come; fails after `patience` milliseconds. */
  async when<T>(found: () => T | undefined | false, patience = 15_000): Promise<T> {
    const deadline = Date.now() + patience;
    for (;;) {
      if (this.broken) throw this.broken;
      const what = found();
      if (what !== undefined && what !== false) return what;
      if (Date.now() > deadline) throw new Error(`it did not come; got ${this.heard.slice(-5).join('\n')}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  send(event: string, data?: unknown, ref: string | number = ++this.ref): string | number {
    this.sent.set(ref, event);
    this.socket.send(JSON.stringify({ event, ref, data }));
    return ref;
  }

  /** Sends a frame and waits for the answer with its `ref`. Other frames that come before stay in `frames`. */
  ask(event: string, data?: unknown): Promise<Frame> {
    const ref = this.send(event, data);
    return this.when(() => this.frames.find((frame) => frame.ref === ref));
  }

  /** Sends a frame that is to be refused, and answers the code of the refusal. */
  async refused(event: string, data?: unknown): Promise<string> {
    const answer = await this.ask(event, data);
    return answer.event === 'error' ? answer.data.code : `not refused: ${JSON.stringify(answer)}`;
  }

  /** Resolves when everything that was sent to the server so far has been taken, and its answers have come. */
  async settled(): Promise<void> {
    await this.ask('ping');
  }

  /** All events of a room that have come so far, in the order in which they came. */
  events(room: string): Frame['data'][] {
    return this.frames
      .filter(({ event, data }) => event === 'events' && data.room === room)
      .flatMap(({ data }) => data.events);
  }

  close(): void {
    this.socket.close();
  }

  private receive(text: string): void {
    this.heard.push(text);
    const frame = JSON.parse(text) as Frame;
    const schema = serverFrames[frame.event as ServerEvent];
    const read = schema?.safeParse(frame.data);
    if (!read?.success || !isDeepStrictEqual(read.data, frame.data))
      this.broken = new Error(`The frame breaks the contract: ${read?.error?.message ?? 'it holds more'} ${text}`);
    seen.add(frame.event);
    const asked = frame.ref === undefined ? undefined : this.sent.get(frame.ref);
    if (asked !== undefined && isClientEvent(asked)) seen.add(`${asked}: ${frame.event}`);
    this.frames.push(frame);
  }

  private stir(): void {
    for (const resolve of this.wake.splice(0)) resolve();
  }
}

/** Asks again and again until the answer is as wanted; for what is allowed to take a moment. */
export async function eventually<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`it did not come to be; the last answer: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
