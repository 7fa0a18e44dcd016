import type { Socket } from 'node:net';

/**
 * The outgoing frames of one socket. A socket write costs more than everything else done for a frame, so all frames of
 * one turn of the event loop, such as an acknowledgement and the sender's own event, are sent in one write at its end.
 *
 * WebSocket frames are built with their headers (`websocket-frames.ts`) and bypass `ws`, which would write header and
 * payload separately. That is safe because they are complete, uncompressed and unfragmented.
 */
export class Outbox {
  private readonly frames: Buffer[] = [];
  private bytes = 0;
  /** The socket did not accept all of the last write at once. */
  private stuck = false;

  constructor(
    private readonly wire: Socket,
    /** False once a frame has been written past the outbox after which nothing may follow. */
    private readonly isOpen: () => boolean,
  ) {}

  /** Bytes not handed to the network yet. */
  get waitingBytes(): number {
    return this.bytes + this.wire.writableLength;
  }

  /** Whether more is waiting than a socket usually accepts at once. Cheaper than `waitingBytes`. */
  get filling(): boolean {
    return this.stuck || this.bytes > PASSING_BYTES;
  }

  put(frame: Buffer): void {
    if (this.frames.length === 0) flushLater(this);
    this.frames.push(frame);
    this.bytes += frame.length;
  }

  /** Resolves when everything enqueued has been handed to the network, or the socket has closed. */
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

  /** Writes what is enqueued, now. */
  flush(): void {
    const { frames, bytes, wire } = this;
    if (frames.length === 0) return;
    this.bytes = 0;
    // Nothing may follow a frame that closes a WebSocket (RFC 6455, 5.5.1).
    if (!wire.writable || !this.isOpen()) {
      frames.length = 0;
    } else if (frames.length > 1 && (this.stuck || bytes > SMALL_BYTES)) {
      this.writeApart();
    } else {
      const last = frames.pop() as Buffer;
      this.stuck = !wire.write(frames.length === 0 ? last : Buffer.concat([...frames, last]));
      frames.length = 0;
    }
  }

  /** Frames that are large or have to wait are not copied: other sockets share their bytes. */
  private writeApart(): void {
    const { frames, wire } = this;
    wire.cork();
    for (const frame of frames) this.stuck = !wire.write(frame);
    wire.uncork();
    frames.length = 0;
  }
}

/** Up to this size, copying costs less than another buffer in the same write. */
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
