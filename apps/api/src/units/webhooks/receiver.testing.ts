import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request that a receiver got. */
export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what was sent is what the tests are about
  readonly event: any;
  readonly at: number;
}

type Answer = (response: ServerResponse, got: Received) => void;
const ok: Answer = (response) => response.end('thanks');

/** A real receiver on loopback that keeps the requests it got; it can stop and restart at the same address. */
export class Receiver {
  readonly got: Received[] = [];
  /** How it answers; tests change it. */
  answer: Answer = ok;
  private server: Server | null = null;
  private port = 0;

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await receiver.up();
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook?key=s3cret`;
  }

  async up(): Promise<void> {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const got = { headers: request.headers, text, event: JSON.parse(text), at: Date.now() };
        this.got.push(got);
        this.answer(response, got);
      });
    });
    await new Promise<void>((resolve) => this.server?.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  async down(): Promise<void> {
    const { server } = this;
    this.server = null;
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
  }

  /** The events it accepted, each once, in the order of first arrival. */
  events(): Received['event'][] {
    const once = new Map(this.got.map(({ event }) => [event.id, event]));
    return [...once.values()];
  }

  texts(): (string | null)[] {
    return this.events().map(({ data }) => data.text);
  }

  refuse(status: number): void {
    this.answer = (response) => response.writeHead(status).end();
  }

  accept(): void {
    this.answer = ok;
  }
}

/** Checks a signature as Standard Webhooks describes it, without our code. */
export function verifies({ headers, text }: Received, secret: string): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${text}`).digest();
  const [version, given = ''] = `${signature}`.split(',');
  const bytes = Buffer.from(given, 'base64');
  return version === 'v1' && bytes.length === expected.length && timingSafeEqual(bytes, expected);
}
