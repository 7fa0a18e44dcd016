import { createServer, type Server, type Socket } from 'node:net';
import { addressKey } from '../limits/address-key.js';
import type { LimitSettings } from '../limits/limit-settings.js';
import { OpenCounts } from '../limits/open-counts.js';
import type { Proxies } from './proxies.js';
import type { WaitingData } from './waiting-data.js';

/** A listener for protocols other than HTTP. Connections beyond the limit are closed at once. */
export class TcpListener {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly ofAddresses: OpenCounts;

  constructor(
    /** Port to listen on; 0 for any free one. */
    readonly port: number,
    private readonly settings: Pick<LimitSettings, 'LIMIT_CONNECTIONS' | 'LIMIT_CONNECTIONS_ADDRESS'>,
    private readonly proxies: Proxies,
    private readonly waitingData: WaitingData,
    private readonly handle: (socket: Socket) => void,
  ) {
    this.ofAddresses = new OpenCounts(settings.LIMIT_CONNECTIONS_ADDRESS);
    this.server = createServer((socket) => this.opened(socket));
  }

  /** Open connections. */
  get size(): number {
    return this.sockets.size;
  }

  /** Starts accepting connections. */
  async listen(host: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject).listen(this.port, host, () => resolve());
    });
  }

  /** Where it listens, as `host:port`. */
  get authority(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') return String(address);
    return `${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
  }

  /** Stops accepting connections and closes those that are still open. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private opened(socket: Socket): void {
    // Connection errors are the client's problem, and close the connection.
    socket.on('error', () => undefined);
    const peer = this.proxies.peerOf(socket);
    const address = peer === null ? null : addressKey(peer);
    if (this.size >= this.settings.LIMIT_CONNECTIONS || (address !== null && this.ofAddresses.full(address))) {
      socket.destroy();
      return;
    }
    this.sockets.add(socket);
    if (address !== null) this.ofAddresses.enter(address);
    socket.once('close', () => {
      this.sockets.delete(socket);
      if (address !== null) this.ofAddresses.leave(address);
    });
    this.waitingData.watch(socket);
    this.handle(socket);
  }
}
