import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A TCP proxy on the loopback that can be cut and made slow. Where it leads to may come and go: it asks for the port
 * with each connection, and resets those for whom nobody is there.
 */
export class Wire {
  /** Milliseconds that every byte takes longer, either way. */
  delay = 0;
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer((near) => this.forward(near));
  private cutUntil = 0;

  private constructor(private readonly portBeyond: () => number | null) {}

  static async lay(portBeyond: () => number | null): Promise<Wire> {
    const wire = new Wire(portBeyond);
    wire.server.listen(0, '127.0.0.1');
    await once(wire.server, 'listening');
    return wire;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Resets all connections, and every new one for so many milliseconds. */
  cut(milliseconds: number): void {
    this.cutUntil = performance.now() + milliseconds;
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  async remove(): Promise<void> {
    this.server.close();
    this.cut(0);
    await once(this.server, 'close');
  }

  private forward(near: Socket): void {
    const port = performance.now() < this.cutUntil ? null : this.portBeyond();
    near.on('error', () => {});
    if (port === null) return void near.resetAndDestroy();
    const far = connect(port, '127.0.0.1');
    far.on('error', () => near.resetAndDestroy());
    this.carry(near, far);
    this.carry(far, near);
  }

  /** Hands on what comes, in order and each byte `delay` later; then the end. */
  private carry(from: Socket, to: Socket): void {
    let carried: Promise<unknown> = Promise.resolve();
    const inTurn = (work: () => unknown) => {
      const due = performance.now() + this.delay;
      carried = carried.then(async () => {
        const early = due - performance.now();
        if (early > 0) await sleep(early);
        return work();
      });
    };
    from.setNoDelay();
    this.sockets.add(from);
    from.on('data', (bytes) => {
      inTurn(() => {
        if (to.destroyed || to.write(bytes)) return;
        from.pause();
        to.once('drain', () => from.resume());
        to.once('close', () => from.resume());
      });
    });
    from.once('close', () => {
      this.sockets.delete(from);
      inTurn(() => to.end());
    });
  }
}
