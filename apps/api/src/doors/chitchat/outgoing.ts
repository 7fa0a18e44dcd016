import type { WebSocket } from 'ws';

/** Bytes, and pieces, that may wait for a client; one that lets more pile up is disconnected. */
const limits = { bytes: 1_048_576, pieces: 2_000 } as const;
/** Milliseconds between two checks of a slow client. */
const LOOK_MS = 50;

/** Queues the frames to one client: pieces are sent in order, however long each takes to produce. */
export class Outgoing {
  private last: Promise<void> = Promise.resolve();
  private pieces = 0;

  constructor(
    private readonly socket: WebSocket,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Whether so much is waiting that reading history has to pause. */
  get congested(): boolean {
    return this.open && this.socket.bufferedAmount > limits.bytes / 2;
  }

  async drained(): Promise<void> {
    await this.last;
    while (this.congested) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }

  /** Runs a piece when everything before it is done. */
  put(piece: () => unknown): void {
    if (this.pieces >= limits.pieces) {
      this.socket.terminate();
      return;
    }
    this.pieces += 1;
    this.last = this.last
      .then(piece)
      .catch(this.failed)
      .then(() => {
        this.pieces -= 1;
      });
  }

  /** Sends a frame as its own message. Must be called within a piece. */
  send(text: string | Buffer): void {
    if (!this.open) return;
    if (this.socket.bufferedAmount > limits.bytes) this.socket.terminate();
    else this.socket.send(text, { binary: false });
  }

  private get open(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }
}
