import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { newId } from '../new-id.js';
import { Fault, type FaultFormat, hangUp, plainFaults } from './fault.js';
import type { HttpConnections } from './http-connections.js';

/** Maximum request body in bytes. The longest message has 8,000 code points of at most 12 bytes each as JSON escapes. */
const MAX_BODY_BYTES = 131_072;

/** Milliseconds in which the head and the whole of a request must arrive, and between two checks of that. */
export const arrivalTimes = { head: 10_000, whole: 30_000, look: 1_000 };

/** Milliseconds after which a stalled connection and an idle keep-alive connection are closed. */
const STILL_MS = 60_000;
const KEEP_ALIVE_MS = 65_000;
/** Milliseconds that requests in flight get to finish at a shutdown. */
const FINISH_MS = 10_000;

/** Handles a connection that asks for an upgrade. */
export type UpgradeHandler = (request: IncomingMessage, socket: Socket, head: Buffer) => void;

/**
 * An HTTP server with limits on connections, concurrent requests, body size and the time a request may take to arrive.
 * Doors add scopes to it, each with its own body parsers, hooks and error format.
 */
export class HttpListener {
  /** The root of all scopes. Anything added here applies to all doors of this listener. */
  readonly fastify: FastifyInstance;
  /** How to answer what no scope handles; set by the door that owns the listener. */
  faults: FaultFormat = plainFaults;
  private readonly upgrades: { readonly path: string | RegExp; readonly handle: UpgradeHandler }[] = [];
  private readonly upgraded = new Set<Socket>();

  constructor(
    /** Port to listen on; 0 for any free one. */
    readonly port: number,
    readonly connections: HttpConnections,
    private readonly times = arrivalTimes,
  ) {
    this.fastify = fastify({
      bodyLimit: MAX_BODY_BYTES,
      serverFactory: (handle: RequestListener) => this.server(handle),
      genReqId: () => newId(),
      requestIdHeader: false,
      exposeHeadRoutes: true,
      return503OnClosing: false,
      // Whole applications start within a scope.
      pluginTimeout: 0,
      // The router would treat `*`, the server as a whole, as `/`.
      rewriteUrl: ({ url = '/' }) => (url === '*' ? '/*' : url),
      routerOptions: { maxParamLength: 500, ignoreTrailingSlash: false },
      frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
        this.faults.answer(error, request, reply),
      clientErrorHandler: (error, socket) => this.refuseUnreadable(error, socket),
    });
    this.fastify.setErrorHandler((error, request, reply) => this.faults.answer(error, request, reply));
    // After the hooks that set headers on every response.
    this.fastify.addHook('preParsing', async (request: FastifyRequest) => {
      const fault = connections.faultOf(request.raw);
      if (fault) throw fault;
    });
  }

  /** Adds a scope: parsers, hooks, error and 404 handlers set in it apply to its routes only. */
  async scope<T>(build: (scope: FastifyInstance) => Promise<T>): Promise<T> {
    let built: { readonly value: T } | undefined;
    await this.fastify.register(async (scope) => {
      built = { value: await build(scope) };
    });
    if (!built) throw new Error('The scope was not built.');
    return built.value;
  }

  /** Passes upgrade requests for this path, or for paths matching this pattern, to `handle`. */
  onUpgrade(path: string | RegExp, handle: UpgradeHandler): void {
    this.upgrades.push({ path, handle });
  }

  /** Handles a connection that asks for an upgrade. */
  readonly upgrade: UpgradeHandler = (request, socket, head) => {
    const asked = request.url?.split('?')[0] ?? '';
    const found = this.upgrades.find(({ path }) => (typeof path === 'string' ? path === asked : path.test(asked)));
    this.upgraded.add(socket);
    socket.once('close', () => this.upgraded.delete(socket));
    (found?.handle ?? this.answerWithoutUpgrade)(request, socket, head);
  };

  /**
   * Passes a request of this listener to another one, as if it had arrived there: for a door that offers the doors of
   * that listener on its own port as well. The body must not have been read.
   */
  passOn(request: FastifyRequest, reply: FastifyReply, to: HttpListener): void {
    const fault = this.connections.faultOf(request.raw);
    if (fault) throw fault;
    reply.hijack();
    to.fastify.routing(request.raw, reply.raw);
  }

  /** The same for upgrade requests for this path. */
  passUpgradesOn(path: string, to: HttpListener): void {
    this.onUpgrade(path, (request, socket, head) => {
      this.connections.upgraded(socket);
      to.upgrade(request, socket, head);
    });
  }

  /** Answers an upgrade request as an ordinary one. */
  answerWithoutUpgrade: UpgradeHandler = (request, socket, head) =>
    readAgain(this.fastify.server, request, socket, head);

  /** Starts accepting connections. */
  async listen(host: string): Promise<void> {
    await this.fastify.listen({ port: this.port, host });
  }

  /** `http://127.0.0.1:3000`. */
  get url(): string {
    const address = this.fastify.server.address();
    if (address === null || typeof address === 'string') return String(address);
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `http://${host}:${address.port}`;
  }

  /** Stops accepting connections, lets the requests in flight finish, and closes the upgraded connections that remain. */
  async close(): Promise<void> {
    for (const socket of this.upgraded) socket.destroy();
    const patience = setTimeout(() => this.connections.endAll(), FINISH_MS);
    await this.fastify.close();
    clearTimeout(patience);
  }

  private server(handle: RequestListener): Server {
    const server = createServer({
      requestTimeout: this.times.whole,
      headersTimeout: this.times.head,
      connectionsCheckingInterval: this.times.look,
      keepAliveTimeout: KEEP_ALIVE_MS,
    });
    server.setTimeout(STILL_MS);
    server.on('request', this.connections.guard(server, handle));
    // An unknown `Expect` header is no reason to refuse a request.
    server.on('checkExpectation', (request, response) => server.emit('request', request, response));
    server.on('upgrade', (request, socket: Socket, head) => this.upgrade(request, socket, head));
    return server;
  }

  /** Closes a connection whose data is not HTTP, is too long, or did not arrive in time. */
  private refuseUnreadable({ code }: NodeJS.ErrnoException, socket: Socket): void {
    if (code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const [kind, detail] = unreadable[code ?? ''] ?? (['invalid', 'This is not an HTTP/1.1 request.'] as const);
    hangUp(socket, this.faults.text(new Fault(kind, detail)));
  }
}

const unreadable: Readonly<Record<string, readonly ['too-large' | 'late', string]>> = {
  HPE_HEADER_OVERFLOW: ['too-large', 'The address and the headers are too long.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['too-large', 'The chunk extensions are too long.'],
  // The check itself may have been late, so a retry may well succeed.
  ERR_HTTP_REQUEST_TIMEOUT: ['late', 'The request did not arrive in time.'],
};

/**
 * Parses a request again as if it had not asked for an upgrade, which a server may ignore (RFC 9110, 7.8): some clients
 * ask for HTTP/2 this way in their first request.
 */
function readAgain(server: Server, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!/^(upgrade|connection)$/i.test(rawHeaders[i] ?? '')) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  }
  // Listeners from the first pass; the second adds its own.
  for (const event of ['timeout', 'error']) socket.removeAllListeners(event);
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}
