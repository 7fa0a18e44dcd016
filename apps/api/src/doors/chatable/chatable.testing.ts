import { createHmac } from 'node:crypto';
import { type ClientOptions, WebSocket } from 'ws';
import { freshName } from '../../tests/harness/test-client.testing.js';
import type { Envelope } from './envelope.js';
import type { PublicToken } from './public-tokens.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // The tests look into answers of every kind.
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what the tests are about
  readonly body: Omit<Envelope, 'data'> & { readonly data: any[] };
}

/** Sends a request as a plain client of chatable does; bodies are forms. */
export async function ask(
  method: string,
  url: string,
  { form, jwt, headers = {} }: { form?: Record<string, string> | string; jwt?: string; headers?: object } = {},
): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: { ...headers, ...(jwt && { authorization: `Bearer ${jwt}` }) },
    ...(form !== undefined && {
      body: typeof form === 'string' ? form : new URLSearchParams(form),
      ...(typeof form === 'string' && {
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      }),
    }),
  });
  const text = await answer.text();
  const body = text.startsWith('{') ? JSON.parse(text) : undefined;
  return { status: answer.status, headers: answer.headers, text, body };
}

/** The password that the registrations of the tests have. */
export const password = 'correct_horse_battery';

let phones = 0;

/** The form of somebody who has never registered; `changes` replace fields, or take them away. */
export function registration(changes: Record<string, string | undefined> = {}): Record<string, string> {
  const username = freshName();
  const form: Record<string, string | undefined> = {
    ...{ first_name: 'Ada', last_name: 'Lovelace', username, password },
    ...{ email: `${username}@example.com`, phone: `49${process.pid}${String(++phones).padStart(6, '0')}` },
    ...changes,
  };
  return Object.fromEntries(Object.entries(form).filter(([, value]) => value !== undefined)) as Record<string, string>;
}

/** Signs a JWT by hand (RFC 7519), as clients do with the pair they were given. */
export function signJwt(
  token: Pick<PublicToken, 'access_key_id' | 'secret_access_key'>,
  payload: object | string = {},
  { alg = 'HS256', header = {} }: { alg?: string; header?: object } = {},
): string {
  const part = (value: object | string) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg, typ: 'JWT', access_key: token.access_key_id, ...header })}.${part(payload)}`;
  const hash = `sha${alg.slice(2)}`;
  return `${signed}.${createHmac(hash, token.secret_access_key).update(signed).digest('base64url')}`;
}

/** Somebody with an account of chatable and a token. */
export class ChatableUser {
  constructor(
    readonly url: string,
    readonly username: string,
    readonly token: PublicToken,
  ) {}

  static async register(url: string, changes?: Record<string, string | undefined>): Promise<ChatableUser> {
    const { status, text, body } = await ask('POST', `${url}/api/register`, { form: registration(changes) });
    if (status !== 200) throw new Error(`not registered: ${text}`);
    return new ChatableUser(url, body.data[0].username, body.data[0].token);
  }

  static async signIn(url: string, username: string, secret = password): Promise<ChatableUser> {
    const { status, text, body } = await ask('POST', `${url}/api/auth_token`, { form: { username, password: secret } });
    if (status !== 200) throw new Error(`not signed in: ${text}`);
    return new ChatableUser(url, username, body.data[0]);
  }

  /** The same person with the same token at another replica, or after a restart. */
  at(url: string): ChatableUser {
    return new ChatableUser(url, this.username, this.token);
  }

  jwt(payload: object | string = {}): string {
    return signJwt(this.token, payload);
  }

  get(path: string, payload?: object): Promise<Answer> {
    return ask('GET', `${this.url}/api/${path}`, { jwt: this.jwt(payload) });
  }

  signOut(): Promise<Answer> {
    return ask('DELETE', `${this.url}/api/auth_token`, { jwt: this.jwt() });
  }

  /** The messages exchanged with somebody, the newest first. */
  async thread(username: string, page = 1): Promise<Answer['body']['data']> {
    return (await this.get(`thread/${username}?page=${page}`)).body.data;
  }

  /** Opens a socket, and waits until it is open. */
  async connect(query = ''): Promise<PacketSocket> {
    const socket = openSocket(this.url, query, { headers: { authorization: `Bearer ${this.jwt()}` } });
    await socket.opened;
    return socket;
  }
}

export const openSocket = (url: string, query = '', options: ClientOptions = {}): PacketSocket =>
  new PacketSocket(new WebSocket(`${url.replace('http', 'ws')}/api/ws${query}`, options));

// biome-ignore lint/suspicious/noExplicitAny: what a packet holds is what the tests are about
type Received = any;

/** A plain socket that keeps every packet it got. */
export class PacketSocket {
  readonly packets: Received[] = [];
  readonly opened: Promise<void>;
  /** Resolves with the code with which the connection ended. */
  readonly closed: Promise<number>;
  /** The status of the answer to a handshake that failed, and its body. */
  readonly refused: Promise<{ status: number; body: string }>;

  constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => this.packets.push(JSON.parse(data.toString())));
    this.opened = new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    this.opened.catch(() => undefined);
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    this.refused = new Promise((resolve) =>
      socket.once('unexpected-response', (_, response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      }),
    );
  }

  say(author: string, recipient: string, message: string, more: object = {}): void {
    this.send({ author, recipient, message, ...more });
  }

  send(packet: unknown): void {
    this.socket.send(typeof packet === 'string' ? packet : JSON.stringify(packet));
  }

  get texts(): string[] {
    return this.packets.map(({ message }) => message);
  }

  close(): void {
    this.socket.close();
  }
}
