import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { INestApplicationContext } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import type { RawData, Server, WebSocket } from 'ws';
import type { Refusal } from '../refusal.js';
import { refuseConnection } from '../rest/server.js';

/** Decides before the handshake whether somebody may open a socket; null: they may try. */
export type Doorkeeper = (request: IncomingMessage) => Refusal | null;

/** Receives the raw frames of a socket. */
export interface FrameReader {
  read(socket: WebSocket, data: Buffer, isBinary: boolean): void;
}

/**
 * Nest's adapter for `ws` without an observable per frame: the gateway gets frames by a plain call and sends the answers itself.
 * This halves the memory of an idle connection. Requests that do not properly open a WebSocket are answered by the REST door.
 */
export class SocketAdapter extends WsAdapter {
  constructor(
    app: INestApplicationContext,
    private readonly reader: () => FrameReader,
    private readonly doorkeeper: Doorkeeper,
  ) {
    super(app);
  }

  override bindMessageHandlers(socket: WebSocket): void {
    const reader = this.reader();
    socket.on('message', (data: RawData, isBinary: boolean) => reader.read(socket, data as Buffer, isBinary));
  }

  /** Errors of sockets are caused by clients and end their connections; they are not logged. */
  override bindErrorHandler(server: Server): Server {
    server.on('connection', (socket) => socket.on('error', () => undefined));
    return server;
  }

  protected override ensureHttpServerExists(port: number, http: HttpServer): HttpServer | undefined {
    if (this.httpServersRegistry.has(port)) return undefined;
    this.httpServersRegistry.set(port, http);
    http.on('upgrade', (request, socket: Socket, head) => {
      const path = request.url?.split('?')[0];
      const server: Server | undefined = this.wsServersRegistry.get(port)?.find((one) => one.path === path);
      if (!server) return readAgain(http, request, socket, head);
      const refusal = this.doorkeeper(request);
      if (refusal) return refuseConnection(socket, refusal);
      server.once('wsClientError', () => readAgain(http, request, socket, head));
      server.handleUpgrade(request, socket, head, (opened) => server.emit('connection', opened, request));
      server.removeAllListeners('wsClientError');
    });
    return http;
  }
}

/**
 * Reads a request again as if it had not asked for an upgrade, which a server may ignore (RFC 9110, 7.8). Some clients ask for
 * HTTP/2 in this way with their first request.
 */
function readAgain(http: HttpServer, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!/^(upgrade|connection)$/i.test(rawHeaders[i] ?? '')) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  }
  // The second reading adds its own listeners.
  for (const event of ['timeout', 'error']) socket.removeAllListeners(event);
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  http.emit('connection', socket);
}
