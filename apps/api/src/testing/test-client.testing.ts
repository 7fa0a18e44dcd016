import request, { type Response } from 'supertest';
import { WebSocket } from 'ws';
import { administrator } from './test-service.testing.js';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
interface Frame {
  readonly event: string;
  readonly ref?: string | number;
  // The tests look into frames of every kind.
  // biome-ignore lint/suspicious/noExplicitAny: what a frame holds is what the tests are about
  readonly data: any;
}

/** A person using the REST door through supertest. */
export class TestPerson {
  constructor(
    readonly url: string,
    readonly id: string,
    readonly username: string,
    public accessToken: string,
    public refreshToken: string,
  ) {}

  send(method: Method, path: string, body?: object, headers: Record<string, string> = {}): Promise<Response> {
    const call = request(this.url)[method](path).set('authorization', `Bearer ${this.accessToken}`).set(headers);
    return body === undefined ? call.then((answer) => answer) : call.send(body).then((answer) => answer);
  }

  get = (path: string, headers?: Record<string, string>) => this.send('get', path, undefined, headers);
  post = (path: string, body?: object, headers?: Record<string, string>) => this.send('post', path, body, headers);
  put = (path: string, body?: object, headers?: Record<string, string>) => this.send('put', path, body, headers);
  patch = (path: string, body?: object, headers?: Record<string, string>) => this.send('patch', path, body, headers);
  delete = (path: string, body?: object, headers?: Record<string, string>) => this.send('delete', path, body, headers);

  /** Makes a room and answers its id. */
  async room(settings: object = {}): Promise<string> {
    const answer = await this.post('/v1/rooms', { name: `room ${Math.random().toString(36).slice(2)}`, ...settings });
    if (answer.status !== 201) throw new Error(`no room: ${JSON.stringify(answer.body)}`);
    return answer.body.id;
  }

  /** Opens a socket with a ticket and waits for its `hello`. */
  async connect(): Promise<TestSocket> {
    const { body } = await this.post('/v1/auth/ticket');
    const socket = new TestSocket(new WebSocket(`${this.url.replace('http', 'ws')}/v1/ws?ticket=${body.ticket}`));
    await socket.next('hello');
    return socket;
  }
}

let count = 0;

/** Registers somebody with a name of their own. */
export async function register(url: string, username = `person${process.pid}_${++count}`): Promise<TestPerson> {
  const { status, body } = await request(url).post('/v1/auth/register').send({ username, password: 'correct horse' });
  if (status !== 201) throw new Error(`not registered: ${JSON.stringify(body)}`);
  return new TestPerson(url, body.user.id, username, body.accessToken, body.refreshToken);
}

export async function signIn(
  url: string,
  credentials: { username: string; password: string } = administrator,
): Promise<TestPerson> {
  const { status, body } = await request(url).post('/v1/auth/login').send(credentials);
  if (status !== 200) throw new Error(`not signed in: ${JSON.stringify(body)}`);
  return new TestPerson(url, body.user.id, credentials.username, body.accessToken, body.refreshToken);
}

/** A real socket that keeps every frame it got; `next` and `until` take them in order. */
export class TestSocket {
  readonly frames: Frame[] = [];
  readonly closed: Promise<number>;
  private taken = 0;
  private wake: (() => void)[] = [];
  private ref = 0;

  constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => {
      this.frames.push(JSON.parse(data.toString()) as Frame);
      for (const resolve of this.wake.splice(0)) resolve();
    });
    this.closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => undefined);
  }

  /** The next frame of this event not taken yet; those before it are passed over. */
  next(event: string): Promise<Frame> {
    return this.until((frame) => frame.event === event);
  }

  /** The next frame not taken yet for which `wanted` holds; fails after five seconds. */
  async until(wanted: (frame: Frame) => boolean): Promise<Frame> {
    const deadline = Date.now() + 5_000;
    for (;;) {
      while (this.taken < this.frames.length) {
        const frame = this.frames[this.taken++] as Frame;
        if (wanted(frame)) return frame;
      }
      if (Date.now() > deadline) throw new Error(`no such frame; got ${JSON.stringify(this.frames.slice(-5))}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  send(event: string, data?: unknown): number {
    this.socket.send(JSON.stringify({ event, ref: ++this.ref, data }));
    return this.ref;
  }

  /** Sends a frame and waits for the answer with its `ref`. Other frames that come before stay in `frames`. */
  async ask(event: string, data?: unknown): Promise<Frame> {
    const ref = this.send(event, data);
    const deadline = Date.now() + 5_000;
    for (;;) {
      const answer = this.frames.find((frame) => frame.ref === ref);
      if (answer) return answer;
      if (Date.now() > deadline) throw new Error(`no answer to ${event}; got ${JSON.stringify(this.frames.slice(-5))}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
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
}
