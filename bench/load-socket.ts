import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** All sockets read into the same memory: what has been read is looked at before anything else is. */
const reading = Buffer.allocUnsafeSlow(65_536);
const nothing = Buffer.alloc(0);

/** Given a text frame in place: its bytes are those from `start` to `end`, and only valid during the call. */
type TextListener = (bytes: Buffer, start: number, end: number) => void;

/**
 * A WebSocket that does hardly anything, so that the load takes little of the machine from what is measured: it walks
 * over the frames of the server and hands out where their texts lie, without copying or parsing them.
 */
export class LoadSocket {
  onText: TextListener = () => {};
  closed = false;
  private open = false;
  /** The beginning of a frame whose end has not come yet. */
  private begun = nothing;
  private readonly socket: Socket;
  private readonly opened: Promise<void>;

  static async open(url: string): Promise<LoadSocket> {
    const socket = new LoadSocket(new URL(url));
    await socket.opened;
    return socket;
  }

  private constructor({ hostname, port, pathname, search }: URL) {
    let shakeHands: (error?: Error) => void = () => {};
    this.opened = new Promise((resolve, reject) => {
      shakeHands = (error) => (error ? reject(error) : resolve());
    });
    this.socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: {
        buffer: reading,
        callback: (length) => {
          this.receive(reading.subarray(0, length), shakeHands);
          return true;
        },
      },
    });
    this.socket.on('error', shakeHands);
    this.socket.on('close', () => {
      this.closed = true;
    });
    this.socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
  }

  /** Sends a text of at most 65,535 bytes. */
  send(text: string): void {
    this.socket.write(clientFrame(OPCODE.text, Buffer.from(text)));
  }

  /** Resolves with the next text frame that holds these words. */
  next(words: string): Promise<string> {
    return new Promise((resolve) => {
      const before = this.onText;
      this.onText = (bytes, start, end) => {
        const text = bytes.toString('utf8', start, end);
        if (!text.includes(words)) return before(bytes, start, end);
        this.onText = before;
        resolve(text);
      };
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private receive(chunk: Buffer, shakeHands: (error?: Error) => void): void {
    const bytes = this.begun.length > 0 ? Buffer.concat([this.begun, chunk]) : chunk;
    const from = this.open ? 0 : this.readAnswer(bytes, shakeHands);
    const done = this.open ? this.walk(bytes, from) : 0;
    this.begun = done === bytes.length ? nothing : Buffer.from(bytes.subarray(done));
  }

  /** Reads the answer to the handshake; returns where the frames begin. */
  private readAnswer(bytes: Buffer, shakeHands: (error?: Error) => void): number {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return 0;
    this.open = bytes.toString('latin1', 0, end).startsWith('HTTP/1.1 101');
    shakeHands(this.open ? undefined : new Error(`The handshake failed: ${bytes.toString('latin1', 0, end)}`));
    return end + 4;
  }

  /** Hands out the complete frames; returns where the first incomplete one begins. */
  private walk(bytes: Buffer, from: number): number {
    for (let at = from; ; ) {
      if (bytes.length < at + 2) return at;
      const opcode = (bytes[at] ?? 0) & 15;
      let length = (bytes[at + 1] ?? 0) & 127;
      let start = at + 2;
      if (length >= 126) {
        const size = length === 126 ? 2 : 8;
        if (bytes.length < start + size) return at;
        length = size === 2 ? bytes.readUInt16BE(start) : Number(bytes.readBigUInt64BE(start));
        start += size;
      }
      const end = start + length;
      if (bytes.length < end) return at;
      if (opcode === OPCODE.text) this.onText(bytes, start, end);
      else if (opcode === OPCODE.ping) this.socket.write(clientFrame(OPCODE.pong, bytes.subarray(start, end)));
      else if (opcode === OPCODE.close) this.closed = true;
      at = end;
    }
  }
}

const OPCODE = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/** Frames of clients are masked. One mask does for all, as nobody between here and the server is to be misled. */
const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** RFC 6455, section 5.2. */
function clientFrame(opcode: number, payload: Buffer): Buffer {
  const long = payload.length > 125;
  const header = long ? 8 : 6;
  const frame = Buffer.allocUnsafe(header + payload.length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (long ? 126 : payload.length);
  if (long) frame.writeUInt16BE(payload.length, 2);
  mask.copy(frame, header - 4);
  for (let i = 0; i < payload.length; i++) frame[header + i] = (payload[i] ?? 0) ^ (mask[i & 3] ?? 0);
  return frame;
}
