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

  constructor(
    private readonly socket: WebSocket,
    private readonly wire: Socket,
  ) {}

  /** Bytes that the client's side has not taken yet. */
  get waitingBytes(): number {
    return this.bytes + this.wire.writableLength;
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
    const { frames } = this;
    const last = frames.pop();
    if (!last) return;
    let bytes = last;
    if (frames.length > 0) {
      bytes = Buffer.concat([...frames, last]);
      frames.length = 0;
    }
    this.bytes = 0;
    // Nothing may follow a frame that closes the connection (RFC 6455, 5.5.1).
    if (this.wire.writable && this.socket.readyState === this.socket.OPEN) this.wire.write(bytes);
  }
}

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
