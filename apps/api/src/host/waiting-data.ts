import type { Socket } from 'node:net';
import type { LimitSettings } from '../limits/limit-settings.js';
import type { Rate } from '../limits/rate.js';

/** Milliseconds between two checks of all sockets. */
const LOOK_MS = 250;

/** Something that holds data of a socket in memory besides the socket itself. */
export interface Holder {
  /** Bytes received that cannot be processed yet, such as half a request. */
  readonly heldBytes: number;
}

/** How much a client had read when its socket was last checked. */
interface Progress {
  readonly atMs: number;
  readonly takenBytes: number;
}

/**
 * Keeps the data waiting in all sockets of the process within one limit, and closes sockets whose clients read too
 * slowly. It works on TCP sockets, so it covers every kind of response: pages, exports, static files, WebSocket frames.
 * It checks periodically rather than at each write, because writes are the hot path.
 */
export class WaitingData {
  private readonly holders = new Map<Socket, Holder | null>();
  private readonly progress = new Map<Socket, Progress>();
  private readonly most: number;
  private readonly leastRead: Rate;
  private readonly timer = setInterval(() => this.look(), LOOK_MS).unref();
  /** Bytes that were waiting in all sockets at the last check. */
  bytes = 0;
  /** Sockets closed since the start because too much was waiting overall, or because their clients read too slowly. */
  readonly ended = { forMemory: 0, forSlowness: 0 };

  constructor({ LIMIT_WAITING_MIB, LIMIT_READ_RATE }: Pick<LimitSettings, 'LIMIT_WAITING_MIB' | 'LIMIT_READ_RATE'>) {
    this.most = LIMIT_WAITING_MIB * 1_048_576;
    this.leastRead = LIMIT_READ_RATE;
  }

  /** Watches a socket until it closes. A later holder replaces an earlier one. */
  watch(socket: Socket, holder: Holder | null = null): void {
    if (socket.destroyed) return;
    if (!this.holders.has(socket)) socket.once('close', () => this.forget(socket));
    this.holders.set(socket, holder);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private forget(socket: Socket): void {
    this.holders.delete(socket);
    this.progress.delete(socket);
  }

  private look(nowMs = performance.now()): void {
    this.bytes = 0;
    for (const [socket, holder] of this.holders) {
      if (socket.writableLength === 0) this.progress.delete(socket);
      else if (this.tooSlow(socket, nowMs)) {
        this.ended.forSlowness += 1;
        this.end(socket);
        continue;
      }
      this.bytes += waitingIn(socket, holder);
    }
    if (this.bytes > this.most) this.endLargest();
  }

  /** Whether data has been waiting for the whole period of `LIMIT_READ_RATE`, and the client read less than it demands. */
  private tooSlow(socket: Socket, nowMs: number): boolean {
    const before = this.progress.get(socket);
    const takenBytes = takenFrom(socket);
    if (before && nowMs - before.atMs < this.leastRead.seconds * 1_000) return false;
    this.progress.set(socket, { atMs: nowMs, takenBytes });
    return before !== undefined && takenBytes - before.takenBytes < this.leastRead.count;
  }

  private endLargest(): void {
    const sockets = [...this.holders]
      .map(([socket, holder]) => ({ socket, bytes: waitingIn(socket, holder) }))
      .sort((a, b) => b.bytes - a.bytes);
    for (const { socket, bytes } of sockets) {
      if (this.bytes <= this.most) return;
      this.ended.forMemory += 1;
      this.end(socket);
      this.bytes -= bytes;
    }
  }

  /** Not gracefully: a close frame or the rest of a response would queue behind the data that is discarded. */
  private end(socket: Socket): void {
    this.forget(socket);
    socket.destroy();
  }
}

const waitingIn = (socket: Socket, holder: Holder | null): number => socket.writableLength + (holder?.heldBytes ?? 0);

/**
 * Bytes of a socket that the kernel has accepted. Node counts a write only once it is complete, which may take minutes
 * for a large page on a slow line, so we ask libuv for the remainder, as Node's own idle timeout does.
 */
function takenFrom(socket: Socket): number {
  const { _handle: handle } = socket as Socket & {
    _handle?: { bytesWritten?: number; writeQueueSize?: number } | null;
  };
  if (handle?.bytesWritten === undefined || handle.writeQueueSize === undefined)
    return socket.bytesWritten - socket.writableLength;
  return handle.bytesWritten - handle.writeQueueSize;
}
