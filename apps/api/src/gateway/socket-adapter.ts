import type { INestApplicationContext } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import type { RawData, Server, WebSocket } from 'ws';

type Handlers = Parameters<WsAdapter['bindMessageHandlers']>[1];

/** What the gateway makes of a socket's raw frames. */
export interface FrameReader {
  read(socket: WebSocket, data: Buffer, isBinary: boolean, handlers: Map<string, (frame: unknown) => unknown>): void;
}

/**
 * Nest's adapter for `ws` without an observable per frame: frames go from the socket to the gateway's handlers by plain
 * calls, and the gateway sends the answers itself. It halves the memory of an idle connection.
 */
export class SocketAdapter extends WsAdapter {
  constructor(
    app: INestApplicationContext,
    private readonly reader: () => FrameReader,
  ) {
    super(app);
  }

  override bindMessageHandlers(socket: WebSocket, handlers: Handlers): void {
    const byEvent = new Map(
      handlers.map(({ message, callback }) => [String(message), callback as (frame: unknown) => unknown]),
    );
    const reader = this.reader();
    socket.on('message', (data: RawData, isBinary: boolean) => reader.read(socket, data as Buffer, isBinary, byEvent));
  }

  /** Errors of sockets are the clients' affair and end their connections; they are no news for the log. */
  override bindErrorHandler(server: Server): Server {
    server.on('connection', (socket) => socket.on('error', () => undefined));
    return server;
  }
}
