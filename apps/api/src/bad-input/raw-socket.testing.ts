import { connect, type Socket } from 'node:net';

/** The kinds of frames, RFC 6455 section 5.2. */
export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameParts {
  readonly opcode?: number;
  readonly payload?: Buffer | string;
  /** Whether it is the last fragment of its message. */
  readonly final?: boolean;
  readonly masked?: boolean;
  /** The three reserved bits. */
  readonly reserved?: number;
  /** What the frame says its length is, if that is to be a lie. */
  readonly length?: bigint;
}

/** One WebSocket frame, right unless told otherwise. */
export function frame({ payload = '', final = true, masked = true, reserved = 0, ...parts }: FrameParts): Buffer {
  const bytes = Buffer.from(payload);
  const length = parts.length ?? BigInt(bytes.length);
  const head = [(final ? 0x80 : 0) | (reserved << 4) | (parts.opcode ?? opcode.text)];
  const mask = masked ? 0x80 : 0;
  if (length < 126n) head.push(mask | Number(length));
  else if (length < 65_536n) head.push(mask | 126, Number(length >> 8n), Number(length & 255n));
  else head.push(mask | 127, ...Array.from({ length: 8 }, (_, i) => Number((length >> BigInt(56 - 8 * i)) & 255n)));
  const key = Buffer.from([1, 2, 3, 4]);
  const hidden = bytes.map((byte, i) => byte ^ (key[i % 4] ?? 0));
  return Buffer.concat([Buffer.from(head), ...(masked ? [key, hidden] : [bytes])]);
}

/** A WebSocket of which every byte can be chosen. */
export class RawSocket {
  /** Resolves when the service has ended the connection. */
  readonly ended: Promise<void>;
  private came = Buffer.alloc(0);
  private wake: () => void = () => undefined;

  private constructor(private readonly socket: Socket) {
    socket.on('error', () => undefined);
    this.ended = new Promise((resolve) => socket.on('close', () => resolve()));
    socket.on('data', (chunk) => {
      this.came = Buffer.concat([this.came, chunk]);
      this.wake();
    });
  }

  /** Opens a WebSocket and waits for its `hello`. */
  static async open(url: string, accessToken: string): Promise<RawSocket> {
    const { hostname, port } = new URL(url);
    const raw = new RawSocket(connect(Number(port), hostname));
    raw.write(
      Buffer.from(
        `GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${accessToken}\r\nUpgrade: websocket\r\n` +
          'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      ),
    );
    await raw.got('"event":"hello"');
    return raw;
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** Waits until this text has come, in whatever frame. Fails when the connection ends or after five seconds. */
  async got(text: string): Promise<void> {
    const deadline = AbortSignal.timeout(5_000);
    const givenUp = new Promise<'late'>((resolve) => deadline.addEventListener('abort', () => resolve('late')));
    const over = this.ended.then(() => 'ended' as const);
    while (!this.came.includes(text)) {
      const news = new Promise<'news'>((resolve) => {
        this.wake = () => resolve('news');
      });
      const next = await Promise.race([news, over, givenUp]);
      if (next !== 'news' && !this.came.includes(text)) throw new Error(`${text} did not come: ${next}; ${this.text}`);
    }
  }

  /** The code of the close frame that the service sent, or null. */
  get closeCode(): number | null {
    const start = this.came.lastIndexOf(0x88);
    return start >= 0 && this.came.length >= start + 4 ? this.came.readUInt16BE(start + 2) : null;
  }

  get text(): string {
    return this.came.toString('latin1');
  }

  end(): void {
    this.socket.destroy();
  }
}
