import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { INestApplicationContext } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import type { RawData, Server, WebSocket } from 'ws';
import { hangUp } from '../../host/fault.js';
import type { HttpListener } from '../../host/http-listener.js';
import { problemText } from '../problems.js';
import type { Refusal } from '../refusal.js';

/** Why a socket may not be opened, decided before the handshake; null: it may. */
export type Doorkeeper = (request: IncomingMessage) => Refusal | null;

/** Receives the raw frames of a socket. */
export interface FrameReader {
  read(socket: WebSocket, data: Buffer, isBinary: boolean): void;
}

/**
 * Nest's adapter for `ws` without an observable per frame: frames go from the socket to the gateway by a plain call, and the
 * gateway sends the answers itself. It halves the memory of an idle connection. A request that is no proper opening of a
 * WebSocket is answered like any other request.
 */
export class SocketAdapter extends WsAdapter {
  constructor(
    app: INestApplicationContext,
    private readonly listener: HttpListener,
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

  override create(port: number, options: { path: string }): Server {
    const server: Server = super.create(port, options);
    this.listener.onUpgrade(options.path, (request, socket, head) => {
      const refusal = this.doorkeeper(request);
      if (refusal) return hangUp(socket, problemText(refusal));
      server.once('wsClientError', () => this.listener.answerWithoutUpgrade(request, socket, head));
      server.handleUpgrade(request, socket, head, (opened) => server.emit('connection', opened, request));
      server.removeAllListeners('wsClientError');
    });
    return server;
  }

  /** The listener hands over the upgrades, so Nest need not listen for them. */
  protected override ensureHttpServerExists(port: number, http: HttpServer): HttpServer | undefined {
    this.httpServersRegistry.set(port, http);
    return undefined;
  }
}
