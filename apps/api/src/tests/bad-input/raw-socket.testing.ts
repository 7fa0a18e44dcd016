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

/** One WebSocket frame, valid unless specified otherwise. */
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

/** A frame that came from the service. */
interface Came {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** A WebSocket of which every byte can be chosen. */
export class RawSocket {
  private readonly frames: Came[] = [];
  private unread = Buffer.alloc(0);
  private opened = false;
  private ended = false;
  private wake: () => void = () => undefined;

  private constructor(private readonly socket: Socket) {
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.ended = true;
      this.wake();
    });
    socket.on('data', (chunk) => {
      this.receive(chunk);
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
    await raw.until(({ payload }) => payload.includes('"event":"hello"'));
    return raw;
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** Whether a `ping` of the contract is still answered. */
  async answersPing(): Promise<'stays open' | 'ended'> {
    this.write(frame({ payload: '{"event":"ping","ref":"still there?"}' }));
    const pong = await this.until(({ payload }) => payload.includes('"event":"pong","ref":"still there?"'));
    return pong ? 'stays open' : 'ended';
  }

  /** The code with which the service closes the connection; null when it ends without one. */
  async closeCode(): Promise<number | null> {
    const close = await this.until((came) => came.opcode === opcode.close);
    return close && close.payload.length >= 2 ? close.payload.readUInt16BE(0) : null;
  }

  end(): void {
    this.socket.destroy();
  }

  /** The first frame that came or comes for which `wanted` holds; null when the connection ends, or after five seconds. */
  private async until(wanted: (came: Came) => boolean): Promise<Came | null> {
    const timer = setTimeout(() => this.end(), 5_000);
    for (;;) {
      const found = this.frames.find(wanted);
      if (found || this.ended) {
        clearTimeout(timer);
        return found ?? null;
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  private receive(chunk: Buffer): void {
    this.unread = Buffer.concat([this.unread, chunk]);
    if (!this.opened) {
      const end = this.unread.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.opened = true;
      this.unread = this.unread.subarray(end + 4);
    }
    for (let came = this.cut(); came; came = this.cut()) this.frames.push(came);
  }

  /** Takes one whole frame off what was not read yet. */
  private cut(): Came | null {
    const { unread } = this;
    const short = (unread[1] ?? 0) & 127;
    const start = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (unread.length < start) return null;
    const length = short < 126 ? short : short === 126 ? unread.readUInt16BE(2) : Number(unread.readBigUInt64BE(2));
    if (unread.length < start + length) return null;
    this.unread = unread.subarray(start + length);
    return { opcode: (unread[0] ?? 0) & 15, payload: unread.subarray(start, start + length) };
  }
}
