import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Figure } from '../composition/contributions.js';
import type { Config } from '../config.js';
import { noLimits } from '../limits/limit-settings.js';
import type { Tracing } from '../telemetry/tracing.js';
import { HttpConnections } from './http-connections.js';
import { HttpListener } from './http-listener.js';
import { Origins } from './origins.js';
import { Proxies } from './proxies.js';
import { TcpListener } from './tcp-listener.js';
import { traceRequests } from './traced-requests.js';
import { WaitingData } from './waiting-data.js';

/** Milliseconds between announcing a shutdown and disconnecting clients. */
const DRAIN_MS = 300;

/**
 * What the process offers its doors: the main HTTP listener, further listeners, and information about clients. All
 * listeners accept connections only when everything else has started.
 */
export class Host {
  readonly proxies: Proxies;
  /** The origins whose scripts may call the doors of the main listener. */
  readonly origins: Origins;
  readonly waitingData: WaitingData;
  /** The main listener, on PORT. */
  readonly main: HttpListener;
  private readonly limits;
  private readonly listeners: (HttpListener | TcpListener)[] = [];

  constructor(
    private readonly config: Config,
    private readonly tracing?: Tracing,
  ) {
    this.limits = config.RATE_LIMITS === 'on' ? config : noLimits;
    this.proxies = new Proxies(config.TRUST_PROXY ?? null);
    this.origins = new Origins(config.ALLOWED_ORIGINS, this.proxies);
    this.waitingData = new WaitingData(this.limits);
    this.main = this.listen(config.PORT);
  }

  /** Adds an HTTP listener on its own port. */
  listen(port: number): HttpListener {
    const listener = new HttpListener(port, new HttpConnections(this.limits, this.proxies, this.waitingData));
    if (this.tracing) traceRequests(listener.fastify, this.tracing);
    this.listeners.push(listener);
    return listener;
  }

  /** Adds a listener for a protocol other than HTTP; `handle` receives each connection. */
  listenTcp(port: number, handle: (socket: Socket) => void): TcpListener {
    const listener = new TcpListener(port, this.limits, this.proxies, this.waitingData, handle);
    this.listeners.push(listener);
    return listener;
  }

  /** Starts accepting connections, the main listener last. */
  async open(): Promise<void> {
    for (const listener of this.listeners.toReversed()) await listener.listen(this.config.HOST);
  }

  /** Waits for the time that clients get between the announcement of a shutdown and their disconnection. */
  drainPause(): Promise<void> {
    return sleep(DRAIN_MS);
  }

  /** Stops accepting connections, and lets the requests in flight finish. */
  async close(): Promise<void> {
    await Promise.all(this.listeners.map((listener) => listener.close()));
    this.waitingData.stop();
  }

  get figures(): Figure[] {
    const { waitingData } = this;
    const sum = (read: (connections: HttpConnections) => number) =>
      this.listeners.reduce((all, one) => all + (one instanceof HttpListener ? read(one.connections) : 0), 0);
    return [
      new Figure('verbatim_http_connections', 'Open HTTP connections, WebSockets not included.', () =>
        sum(({ size }) => size),
      ),
      new Figure('verbatim_http_requests', 'HTTP requests in flight, health checks not included.', () =>
        sum(({ requests }) => requests),
      ),
      new Figure(
        'verbatim_waiting_bytes',
        'Bytes waiting in all sockets: to be read by clients, and of requests that have not arrived in full.',
        () => waitingData.bytes,
      ),
      new Figure(
        'verbatim_ended_for_memory_total',
        'Connections ended since this process started because too much was waiting in all of them.',
        () => waitingData.ended.forMemory,
      ),
      new Figure(
        'verbatim_ended_for_slowness_total',
        'Connections ended since this process started because their clients read too slowly.',
        () => waitingData.ended.forSlowness,
      ),
    ];
  }
}
