import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { addressKey } from '../limits/address-key.js';
import type { LimitSettings } from '../limits/limit-settings.js';
import { OpenCounts } from '../limits/open-counts.js';
import { Fault } from './fault.js';
import { refuseHost } from './host-header.js';
import type { Proxies } from './proxies.js';
import type { Holder, WaitingData } from './waiting-data.js';

/** Requests that a client may pipeline on one connection while one is being handled. */
const MAX_AHEAD = 16;
/** Milliseconds after which a request beyond the limit may be repeated. */
const SOON_MS = 1_000;

type Settings = Pick<
  LimitSettings,
  'LIMIT_CONNECTIONS' | 'LIMIT_CONNECTIONS_ADDRESS' | 'LIMIT_REQUESTS_ADDRESS' | 'LIMIT_REQUESTS_PROCESS'
>;

/**
 * The connections of an HTTP listener and the requests on them.
 *
 * - There is always room for a new connection: it replaces the one that has been idle the longest. So idle connections,
 *   however many, lock no one out.
 * - Requests on one connection are handled one after the other, so a client that does not read has only one response
 *   waiting.
 * - Concurrent requests are limited by address and overall. Health checks are not: they are cheap, and matter most when
 *   the service is busy.
 */
export class HttpConnections {
  private readonly connections = new Map<Socket, HttpConnection>();
  private readonly idle = new IdleConnections();
  private readonly ofAddresses: OpenCounts;
  private readonly requestsOfAddresses: OpenCounts;
  private readonly faults = new WeakMap<IncomingMessage, Fault>();
  /** Requests being handled, health checks not included. */
  requests = 0;

  constructor(
    private readonly settings: Settings,
    private readonly proxies: Proxies,
    private readonly waitingData: WaitingData,
  ) {
    this.ofAddresses = new OpenCounts(settings.LIMIT_CONNECTIONS_ADDRESS);
    this.requestsOfAddresses = new OpenCounts(settings.LIMIT_REQUESTS_ADDRESS);
  }

  /** Open connections, except those that became WebSockets. */
  get size(): number {
    return this.connections.size;
  }

  /** Counts the connections of a server; wrap the request handler of the server with the handler that it returns. */
  guard(server: Server, handle: RequestListener): RequestListener {
    server.on('connection', (socket: Socket) => this.opened(socket));
    return (request, response) => this.arrived(request, response, handle);
  }

  /** Why a request must not be handled although the server accepted it. */
  faultOf(request: IncomingMessage): Fault | undefined {
    return this.faults.get(request);
  }

  /** A connection became a WebSocket, which has limits of its own. */
  upgraded(socket: Socket): void {
    this.forget(socket);
  }

  /** Closes all connections, even busy ones. */
  endAll(): void {
    for (const socket of this.connections.keys()) socket.destroy();
  }

  // Connections -------------------------------------------------------------------------------------------------------

  private opened(socket: Socket): void {
    // A connection that failed to upgrade is announced a second time.
    if (this.connections.has(socket)) return;
    const peer = this.proxies.peerOf(socket);
    const address = peer === null ? null : addressKey(peer);
    if (address !== null && this.ofAddresses.full(address)) this.endIdle(address);
    if (this.connections.size >= this.settings.LIMIT_CONNECTIONS) this.endIdle(null);
    const connection = new HttpConnection(socket, address);
    this.connections.set(socket, connection);
    if (address !== null) this.ofAddresses.enter(address);
    this.idle.add(connection);
    this.waitingData.watch(socket, connection);
    socket.once('close', () => this.forget(socket));
  }

  /** Closes the connection that has been idle the longest, of one address or overall. */
  private endIdle(address: string | null): void {
    const longest = this.idle.longest(address);
    if (!longest) return;
    this.forget(longest.socket);
    longest.socket.destroy();
  }

  private forget(socket: Socket): void {
    const connection = this.connections.get(socket);
    if (!connection) return;
    this.connections.delete(socket);
    this.idle.delete(connection);
    for (const { address } of connection.ahead) this.leave(address);
    if (connection.address !== null) this.ofAddresses.leave(connection.address);
  }

  // Requests ----------------------------------------------------------------------------------------------------------

  private arrived(request: IncomingMessage, response: ServerResponse, handle: RequestListener): void {
    const { socket } = request;
    const connection = this.connections.get(socket);
    if (socket.destroyed || !connection) return;
    const arrived = { request, response, handle, address: addressKey(this.proxies.addressOf(request)) };
    if (connection.request === null) this.begin(connection, arrived);
    else if (connection.ahead.length < MAX_AHEAD && !this.requestsOfAddresses.full(arrived.address))
      this.sentAhead(connection, arrived);
    else endFlood(socket);
  }

  /** A pipelined request occupies memory, so it counts, whatever its path. */
  private sentAhead(connection: HttpConnection, arrived: Arrived): void {
    connection.ahead.push(arrived);
    this.enter(arrived.address);
  }

  private begin(connection: HttpConnection, { request, response, handle, address }: Arrived): void {
    const health = /^\/health\//.test(request.url ?? '');
    const fault = refuseHost(request) ?? (health ? null : this.refuseBusy(address));
    if (fault) this.faults.set(request, fault);
    const counted = !health && !fault;
    if (counted) this.enter(address);
    this.idle.delete(connection);
    connection.begin(request);
    response.once('close', () => {
      if (counted) this.leave(address);
      this.beginNext(connection);
    });
    handle(request, response);
  }

  private beginNext(connection: HttpConnection): void {
    connection.request = null;
    if (!this.connections.has(connection.socket)) return;
    const next = connection.ahead.shift();
    if (next) {
      this.leave(next.address);
      this.begin(connection, next);
    } else {
      this.idle.add(connection);
    }
  }

  private refuseBusy(address: string): Fault | null {
    if (this.requestsOfAddresses.full(address))
      return new Fault('too-many', 'Too many requests at the same time. Try again later.', { retryAfterMs: SOON_MS });
    if (this.requests < this.settings.LIMIT_REQUESTS_PROCESS) return null;
    return new Fault('busy', 'The service is handling as many requests as it can.', { retryAfterMs: SOON_MS });
  }

  private enter(address: string): void {
    this.requests += 1;
    this.requestsOfAddresses.enter(address);
  }

  private leave(address: string): void {
    this.requests -= 1;
    this.requestsOfAddresses.leave(address);
  }
}

interface Arrived {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly handle: RequestListener;
  /** The client's address, as the limits count it. */
  readonly address: string;
}

/** One connection and its requests. */
class HttpConnection implements Holder {
  /** The request being handled. */
  request: IncomingMessage | null = null;
  /** Pipelined requests, in order. */
  readonly ahead: Arrived[] = [];
  private bytesBefore = 0;

  constructor(
    readonly socket: Socket,
    /** The address whose connection limit it counts against; null for a trusted proxy. */
    readonly address: string | null,
  ) {}

  begin(request: IncomingMessage): void {
    this.request = request;
    this.bytesBefore = this.socket.bytesRead;
  }

  /** Bytes of an incomplete request and of pipelined ones. */
  get heldBytes(): number {
    if (this.request === null || (this.request.complete && this.ahead.length === 0)) return 0;
    return this.socket.bytesRead - this.bytesBefore;
  }
}

/**
 * Closes a connection on which far too much was sent. A packet may hold another thousand requests, and Node would create
 * objects for each; only a parser hook can stop that: returning 2 means an upgrade, after which nothing is parsed.
 */
function endFlood(socket: Socket): void {
  const { parser } = socket as Socket & { parser?: { onIncoming?: () => number } | null };
  if (parser) parser.onIncoming = () => 2;
  socket.destroy();
}

/** Connections without a request, the longest idle first. */
class IdleConnections {
  private readonly all = new Set<HttpConnection>();
  private readonly ofAddresses = new Map<string, Set<HttpConnection>>();

  add(connection: HttpConnection): void {
    this.all.add(connection);
    if (connection.address === null) return;
    const ofAddress = this.ofAddresses.get(connection.address) ?? new Set();
    ofAddress.add(connection);
    this.ofAddresses.set(connection.address, ofAddress);
  }

  delete(connection: HttpConnection): void {
    this.all.delete(connection);
    if (connection.address === null) return;
    const ofAddress = this.ofAddresses.get(connection.address);
    ofAddress?.delete(connection);
    if (ofAddress?.size === 0) this.ofAddresses.delete(connection.address);
  }

  longest(address: string | null): HttpConnection | undefined {
    const among = address === null ? this.all : this.ofAddresses.get(address);
    return among?.values().next().value;
  }
}
