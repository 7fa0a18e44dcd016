import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Actor } from '@verbatim/domain';
import type { Encoder, EndReason, Subscriber } from './subscriber.js';

/** A subscriber that writes directly to its socket. `farewell`: the last bytes sent when it is ended. */
export class SocketSubscriber implements Subscriber {
  constructor(
    private readonly socket: Socket,
    public actor: Actor,
    readonly username: string,
    readonly sessionId: string,
    readonly encoder: Encoder,
    private readonly farewell: (reason: EndReason) => string | Buffer,
  ) {}

  get open(): boolean {
    return this.socket.writable;
  }

  get congested(): boolean {
    return this.socket.writableNeedDrain;
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  async drained(): Promise<void> {
    if (this.congested) await Promise.race([once(this.socket, 'drain'), once(this.socket, 'close')]);
  }

  close(reason: EndReason): void {
    this.socket.end(this.farewell(reason));
  }
}
