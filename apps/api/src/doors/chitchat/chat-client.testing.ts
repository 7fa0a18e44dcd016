import { expect } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';

/** An answer of the door. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what it holds is what is to be found out
  readonly body: any;
}

/** Calls the door as programs do. */
export class ChatCaller {
  constructor(readonly url: string) {}

  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const sent = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(`${this.url}${path}`, { method, headers, body: sent, redirect: 'manual' });
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json');
    return { status: response.status, headers: response.headers, text, body: json ? JSON.parse(text) : undefined };
  }

  get = (path: string, token?: string) => this.call('GET', path, undefined, bearer(token));
  post = (path: string, body: unknown, token?: string) => this.call('POST', path, body, bearer(token));
  put = (path: string, body: unknown, token?: string) => this.call('PUT', path, body, bearer(token));
  delete = (path: string, token?: string) => this.call('DELETE', path, undefined, bearer(token));

  /** Creates a room and returns its number. */
  async room(title: string, visibility = 'public', password = ''): Promise<number> {
    const { status, body } = await this.post('/chats', { title, visibility, password, description: '' });
    expect([status, body]).toMatchObject([201, { title }]);
    return body.id;
  }

  /** A token for a room that has a password. */
  async token(room: number | string, secret: string, name: string): Promise<string> {
    const { status, body } = await this.post(`/chats/${room}/token`, { secret, name });
    expect(status).toBe(201);
    return body.token;
  }

  /** Opens a socket; whether it is let in is for the caller to find out. */
  open(room: number | string, { token, ...options }: { token?: string } & ClientOptions = {}): ChatClient {
    const address = `${this.url.replace('http', 'ws')}/chats/${encodeURIComponent(room)}/ws`;
    return new ChatClient(
      token === undefined ? new WebSocket(address, options) : new WebSocket(address, token, options),
    );
  }

  /** Opens a socket and joins. */
  async enter(room: number | string, name: string, token?: string, color = 'blue'): Promise<ChatClient> {
    const client = this.open(room, token === undefined ? {} : { token });
    await client.opened;
    client.send({ event_type: 'join', name, color });
    await client.hears({ event_type: 'join', name });
    return client;
  }
}

const bearer = (token?: string): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

export interface Frame {
  readonly event_type: string;
  readonly name: string;
  readonly color: string;
  readonly msg: string;
  readonly room_id: number;
  readonly time: string;
  readonly verified?: boolean;
}

/** A client's socket that keeps all frames that came. */
export class ChatClient {
  readonly frames: Frame[] = [];
  readonly opened: Promise<void>;
  /** The code with which it ended; of an opening that was refused, the HTTP status. */
  readonly ended: Promise<number>;
  /** The refusal of an opening. */
  refusal = '';

  constructor(readonly socket: WebSocket) {
    // One frame is one message: this fails if two are glued.
    socket.on('message', (data) => this.frames.push(JSON.parse(`${data}`)));
    socket.on('error', () => undefined);
    this.opened = new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('close', () => reject(new Error('it was not opened')));
    });
    this.opened.catch(() => undefined);
    this.ended = new Promise((resolve) => {
      socket.once('close', resolve);
      socket.once('unexpected-response', (_request, response) => {
        response.on('data', (chunk) => {
          this.refusal += chunk;
        });
        response.once('end', () => resolve(response.statusCode ?? 0));
      });
    });
  }

  send(frame: object): void {
    this.socket.send(JSON.stringify(frame));
  }

  say(name: string, msg: string, color = 'blue'): void {
    this.send({ event_type: 'send', name, msg, color });
  }

  async hears(frame: Partial<Frame>): Promise<Frame> {
    await expect.poll(() => this.frames, { timeout: 15_000 }).toContainEqual(expect.objectContaining(frame));
    return this.frames.find((one) =>
      Object.entries(frame).every(([key, value]) => one[key as keyof Frame] === value),
    ) as Frame;
  }

  /** The texts of messages, in the order in which they came. */
  get said(): string[] {
    return this.frames.filter(({ event_type }) => event_type === 'send').map(({ msg }) => msg);
  }

  close(): void {
    this.socket.close();
  }
}
