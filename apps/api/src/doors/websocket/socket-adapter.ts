import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { INestApplicationContext } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import type { RawData, Server, WebSocket } from 'ws';
import type { Refusal } from '../refusal.js';
import { refuseConnection } from '../rest/server.js';

/** Tells why somebody may not open a socket, before a word is exchanged; null: they may try. */
export type Doorkeeper = (request: IncomingMessage) => Refusal | null;

/** What the gateway makes of a socket's raw frames. */
export interface FrameReader {
  read(socket: WebSocket, data: Buffer, isBinary: boolean): void;
}

/**
 * Nest's adapter for `ws` without an observable per frame: frames go from the socket to the gateway by a plain call, and the
 * gateway sends the answers itself. It halves the memory of an idle connection. What is no proper opening
 * of a WebSocket is answered by the REST door, like any other request.
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

  /** Errors of sockets are the clients' affair and end their connections; they are no news for the log. */
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
 * Has a request read once more as if it had not asked for an upgrade, which a server is free to ignore (RFC 9110, 7.8):
 * some clients ask for HTTP/2 in this way with their first request.
 */
function readAgain(http: HttpServer, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!/^(upgrade|connection)$/i.test(rawHeaders[i] ?? '')) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  }
  // Those of the first reading; the second adds its own.
  for (const event of ['timeout', 'error']) socket.removeAllListeners(event);
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  http.emit('connection', socket);
}
