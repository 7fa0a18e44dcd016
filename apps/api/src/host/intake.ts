import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { FrameScanner } from './frame-scanner.js';
import type { Holder } from './waiting-data.js';

/** Frames of one client that are handled in one turn of the event loop; a packet may hold ten thousand. */
const FRAMES_PER_TURN = 32;
/** What a client may send after the service has begun to close its socket, because it may not have read the close frame yet. */
const MAX_FRAMES_AFTER_CLOSE = 1_000;
const MAX_BYTES_AFTER_CLOSE = 8_388_608;

/**
 * The incoming bytes of one WebSocket, on their way from the network to `ws`. It reports fragments, which `ws` does not, hands on
 * a few frames at a time so that no client holds up the others, and ends clients that keep sending after the end.
 */
export class Intake implements Holder {
  /** Called for every fragment of a message except the last. Set when the client is known. */
  onFragment: () => void = () => undefined;
  /** Bytes that wait for the next turn. */
  private waiting: Buffer[] = [];
  private framesAfterClose = 0;
  private bytesAfterClose = 0;
  /** The listener of `ws`, which parses what it is called with. */
  private readonly parse: (chunk: Buffer) => void;
  private readonly scanner = new FrameScanner((final) => {
    if (this.socket.readyState !== this.socket.OPEN) this.framesAfterClose += 1;
    else if (!final) this.onFragment();
  });

  /** `wire` is what `socket` reads from, and nothing has been read yet. */
  constructor(
    private readonly socket: WebSocket,
    private readonly wire: Socket,
  ) {
    const parse = wire.listeners('data')[0] as (chunk: Buffer) => void;
    this.parse = parse.bind(wire);
    wire.on('data', (chunk: Buffer) => this.receive(chunk));
    wire.off('data', parse);
    // `ws` resumes the wire on its own after a large chunk.
    wire.on('resume', () => this.waiting.length > 0 && wire.pause());
    wire.prependListener('end', () => this.handOnAll());
    wire.prependListener('close', () => this.dropAll());
  }

  /** Bytes of a message that has not arrived completely, and of those that wait for the next turn. */
  get heldBytes(): number {
    return this.scanner.unfinishedBytes + this.waiting.reduce((sum, { length }) => sum + length, 0);
  }

  private receive(chunk: Buffer): void {
    if (this.waiting.length > 0) this.waiting.push(chunk);
    else this.handOn(chunk);
  }

  private handOn(chunk: Buffer): void {
    const size = this.scanner.scan(chunk, FRAMES_PER_TURN);
    this.parse(size < chunk.length ? chunk.subarray(0, size) : chunk);
    if (this.sendsOnAfterClose(size)) this.wire.destroy();
    if (size < chunk.length && !this.wire.destroyed) this.postpone(chunk.subarray(size));
  }

  private postpone(rest: Buffer): void {
    this.waiting.unshift(rest);
    this.wire.pause();
    setImmediate(() => this.goOn());
  }

  private goOn(): void {
    const next = this.waiting.shift();
    if (next) this.handOn(next);
    if (this.waiting.length === 0 && !this.socket.isPaused) this.wire.resume();
  }

  private handOnAll(): void {
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) this.handOn(next);
  }

  /** `ws` would parse what is left in the buffer of a wire that has been destroyed. */
  private dropAll(): void {
    this.waiting = [];
    while (this.wire.read() !== null);
  }

  private sendsOnAfterClose(bytes: number): boolean {
    if (this.socket.readyState === this.socket.OPEN) return false;
    this.bytesAfterClose += bytes;
    return this.framesAfterClose > MAX_FRAMES_AFTER_CLOSE || this.bytesAfterClose > MAX_BYTES_AFTER_CLOSE;
  }
}
