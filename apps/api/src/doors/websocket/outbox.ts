import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';

/**
 * What goes out on one socket. A write to a socket costs more than all else that is done for a frame, so the frames of
 * one turn of the event loop, such as an acknowledgement and the sender's own event, go out in one write at its end.
 *
 * Frames come with their WebSocket headers (`encode`) and go past `ws`, which would write header and payload apart.
 * They may do so because they are written whole and nothing here is compressed or fragmented.
 */
export class Outbox {
  private readonly frames: Buffer[] = [];
  private bytes = 0;
  /** The last write was more than the socket took at once. */
  private stuck = false;

  constructor(
    private readonly socket: WebSocket,
    private readonly wire: Socket,
  ) {}

  /** Bytes that the client's side has not taken yet. */
  get waitingBytes(): number {
    return this.bytes + this.wire.writableLength;
  }

  /** Whether more is waiting than a socket takes in passing. Cheaper to ask than how much it is. */
  get filling(): boolean {
    return this.stuck || this.bytes > PASSING_BYTES;
  }

  put(frame: Buffer): void {
    if (this.frames.length === 0) flushLater(this);
    this.frames.push(frame);
    this.bytes += frame.length;
  }

  /** Resolves when all that was put has been handed to the network, or the socket has closed. */
  drained(): Promise<void> {
    this.flush();
    const { wire } = this;
    if (wire.destroyed || !wire.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        wire.off('drain', done).off('close', done);
        resolve();
      };
      wire.on('drain', done).on('close', done);
    });
  }

  /** Writes what was put so far, at once. */
  flush(): void {
    const { frames, bytes, wire } = this;
    if (frames.length === 0) return;
    this.bytes = 0;
    // Nothing may follow a frame that closes the connection (RFC 6455, 5.5.1).
    if (!wire.writable || this.socket.readyState !== this.socket.OPEN) {
      frames.length = 0;
    } else if (frames.length > 1 && (this.stuck || bytes > SMALL_BYTES)) {
      this.writeApart();
    } else {
      const last = frames.pop() as Buffer;
      this.stuck = !wire.write(frames.length === 0 ? last : Buffer.concat([...frames, last]));
      frames.length = 0;
    }
  }

  /** Frames that are large, or will have to wait, are not copied: others get the same bytes. */
  private writeApart(): void {
    const { frames, wire } = this;
    wire.cork();
    for (const frame of frames) this.stuck = !wire.write(frame);
    wire.uncork();
    frames.length = 0;
  }
}

/** Bytes up to which a copy costs less than a further buffer in a write. */
const SMALL_BYTES = 16_384;
const PASSING_BYTES = 65_536;

let waiting: Outbox[] = [];

function flushLater(outbox: Outbox): void {
  if (waiting.length === 0) setImmediate(flushAll);
  waiting.push(outbox);
}

function flushAll(): void {
  const outboxes = waiting;
  waiting = [];
  for (const outbox of outboxes) outbox.flush();
}
