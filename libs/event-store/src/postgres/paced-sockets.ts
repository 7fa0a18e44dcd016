import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds to leave a server alone after it has hung up without a word. */
const pause = 200;

/** Where a postgres.js client is to connect to: the path of a Unix socket, or hosts to be tried in turn. */
interface Target {
  readonly path: string | false;
  readonly host: readonly string[];
  readonly port: readonly number[];
}

/**
 * Opens the sockets of one postgres.js client, which by itself (3.4) has three weaknesses. A server that accepts a
 * connection only to end it, as a proxy does whose database is away, is called again at once, thousands of times a second.
 * A connection that was given up stays open for as long as a dead network keeps silent. And one that was lost in the middle
 * of something is used again with what is left of it: an answer begins with empty places for rows of the one that was cut
 * short, an error goes to the next question, or nothing is ever sent. So once a connection was lost, call `refuse`, and
 * let another client take this one's place.
 */
export class PacedSockets {
  private readonly sockets = new Set<Socket>();
  private attempts = 0;
  private resumeAt = 0;
  private refused = false;

  /** The option `socket` of postgres.js, which may be used before it is connected. */
  async open({ path, host, port }: Target): Promise<Socket> {
    await sleep(Math.max(0, this.resumeAt - performance.now()));
    if (this.refused) throw new Error('The client was given up.');
    const turn = this.attempts++ % host.length;
    const socket = path ? connect(path) : connect(port[turn] ?? 5432, host[turn]);
    this.sockets.add(socket);
    socket.on('close', () => {
      this.sockets.delete(socket);
      if (socket.bytesRead === 0) this.resumeAt = performance.now() + pause;
    });
    // Where postgres.js looks for the name that the server's certificate must bear.
    return Object.assign(socket, { host: host[turn] });
  }

  /** Opens no more sockets; those that are open serve on. */
  refuse(): void {
    this.refused = true;
  }

  destroy(): void {
    this.refuse();
    for (const socket of this.sockets) socket.destroy();
  }
}
