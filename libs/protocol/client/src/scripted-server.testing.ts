import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ErrorCode, errors, problem } from '@verbatim/protocol';
import { WebSocket, WebSocketServer } from 'ws';

/** A frame of the client, and the means to say something back. */
export interface Asked {
  readonly event: string;
  readonly ref?: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into frames of every kind
  readonly data: any;
}

/** What a server does that does not behave; null: the request is never answered. */
type Answers = (request: IncomingMessage, body: string) => readonly [status: number, body: object] | 'hang up' | null;

const user = {
  id: '01985f6e-7a2c-7000-8000-00000000ada1',
  username: 'ada',
  displayName: 'Ada',
  role: 'user',
  suspended: false,
  status: 'active',
  createdAt: '2026-01-01T00:00:00.000Z',
} as const;

export const session = { user, accessToken: 'access', refreshToken: 'refresh', expiresIn: 600 } as const;

/** A server on the loopback that follows the script of a test. It issues tickets by itself. */
export class ScriptedServer {
  /** `POST /v1/rooms` of each request, tickets left out. */
  readonly requests: string[] = [];
  readonly headers: IncomingMessage['headers'][] = [];
  readonly frames: Asked[] = [];
  readonly sockets: WebSocket[] = [];
  pings = 0;
  /** Answers requests. */
  answers: Answers = () => [200, session];
  /** Answers frames; pings are answered as long as this is. */
  hears: ((frame: Asked, socket: WebSocket) => void) | null = () => undefined;
  /** Whether a socket that opens is said hello to. */
  welcomes = true;

  private readonly http = createServer((request, response) => void this.answer(request, response));
  private readonly ws = new WebSocketServer({ server: this.http });

  static async start(): Promise<ScriptedServer> {
    const server = new ScriptedServer();
    server.ws.on('connection', (socket) => server.welcome(socket));
    server.http.listen(0, '127.0.0.1');
    await once(server.http, 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const part of request) body += part;
    if (request.url === '/v1/auth/ticket') return void reply(response, 201, { ticket: 'ticket', expiresIn: 30 });
    this.requests.push(`${request.method} ${request.url}`);
    this.headers.push(request.headers);
    const answer = this.answers(request, body);
    if (answer === 'hang up') request.socket.destroy();
    else if (answer) reply(response, ...answer);
  }

  private welcome(socket: WebSocket): void {
    this.sockets.push(socket);
    socket.on('message', (data) => {
      const frame = JSON.parse(data.toString()) as Asked;
      if (!this.hears) return;
      if (frame.event === 'ping') {
        this.pings += 1;
        return say(socket, 'pong', {}, frame.ref);
      }
      this.frames.push(frame);
      this.hears(frame, socket);
    });
    if (!this.welcomes) return;
    const about = { session: user.id, heartbeatSeconds: 25, maxFrameBytes: 131_072 };
    say(socket, 'hello', { protocol: 1, user, ...about });
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  const media = status >= 400 ? 'application/problem+json' : 'application/json';
  response.writeHead(status, { 'content-type': media }).end(JSON.stringify(body));
}

/** An answer that refuses. */
export function refusal(code: ErrorCode): [number, object] {
  return [errors[code].status, problem(code, 'As the script says.', { traceId: 'trace' })];
}

export function say(socket: WebSocket, event: string, data: object, ref?: number): void {
  socket.send(JSON.stringify({ event, data, ...(ref !== undefined && { ref }) }));
}

/** Events of these revisions. */
export function happened(...revisions: number[]) {
  return revisions.map((revision) => ({
    revision,
    type: 'MessagePosted',
    at: '2026-01-01T00:00:00.000Z',
    actor: { id: user.id, username: user.username },
    data: { messageId: user.id, text: `message ${revision}`, replyTo: null, kind: 'text' },
  }));
}

/** Waits until this holds; fails after `patience` milliseconds. */
export async function until(condition: () => boolean, patience = 15_000): Promise<void> {
  const deadline = Date.now() + patience;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('It did not come to be.');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
