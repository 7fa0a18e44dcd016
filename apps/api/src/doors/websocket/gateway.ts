import type { IncomingMessage } from 'node:http';
import { type OnGatewayConnection, type OnGatewayDisconnect, WebSocketGateway } from '@nestjs/websockets';
import { closeReasons, heartbeatSeconds, maxFrameBytes, type ServerData, type ServerEvent } from '@verbatim/protocol';
import type { WebSocket } from 'ws';
import { Intake } from '../../host/intake.js';
import { Proxies } from '../../host/proxies.js';
import { WaitingData } from '../../host/waiting-data.js';
import { addressKey } from '../../limits/address-key.js';
import { Limits } from '../../limits/limits.js';
import type { OpenCounts } from '../../limits/open-counts.js';
import { Subscribers } from '../../live/subscribers.js';
import { TokenWatch } from '../../live/token-watch.js';
import { Maintenance } from '../../write-side/maintenance.js';
import { Problems } from '../problems.js';
import type { Connection } from './connection.js';
import { FrameHandlers } from './frame-handlers.js';
import { type Admitted, Handshake } from './handshake.js';
import type { FrameReader } from './socket-adapter.js';

/** Frames between the size that is allowed and this one end the connection with a reason, longer ones without. */
const MAX_BYTES_READ = 1_048_576;
/** How long a shutdown waits for clients to answer the close frame. */
const CLOSING_PATIENCE_MS = 1_000;
/** How long clients are asked to wait before they connect again after a shutdown. */
const RETRY_AFTER_DRAIN_MS = 500;

/** Fragments of one message, and reads from the network that one frame may be spread over. Past these `ws` closes with 1008. */
const MAX_FRAGMENTS = 256;
const MAX_READS_FOR_A_FRAME = 1_024;
/** How long a client has to answer the close frame, which may have to wait behind other data. */
const CLOSING_HANDSHAKE_MS = 30_000;

/** The sockets of this process, from opening to closing. FrameHandlers interprets their frames. */
@WebSocketGateway({
  path: '/v1/ws',
  maxPayload: MAX_BYTES_READ,
  maxFragments: MAX_FRAGMENTS,
  maxBufferedChunks: MAX_READS_FOR_A_FRAME,
  closeTimeout: CLOSING_HANDSHAKE_MS,
  // Pings are counted, and answered by the connection.
  autoPong: false,
  perMessageDeflate: false,
  skipUTF8Validation: true,
})
export class Gateway implements OnGatewayConnection, OnGatewayDisconnect, FrameReader {
  private readonly connections = new Map<WebSocket, Connection>();
  private draining = false;
  private deaf = false;
  private readonly heartbeat = setInterval(() => {
    for (const connection of this.connections.values()) connection.beat();
  }, heartbeatSeconds * 1_000).unref();

  constructor(
    private readonly handshake: Handshake,
    private readonly frames: FrameHandlers,
    private readonly subscribers: Subscribers,
    private readonly tokenWatch: TokenWatch,
    private readonly problems: Problems,
    private readonly limits: Limits,
    private readonly proxies: Proxies,
    private readonly maintenance: Maintenance,
    private readonly waitingData: WaitingData,
  ) {
    maintenance.whenChanged(() => this.sendToAll('maintenance', { maintenance: maintenance.now }));
  }

  /** Open sockets of people who have signed in. */
  get size(): number {
    return this.connections.size;
  }

  /** Accounts that have an open socket here. */
  get people(): number {
    return this.limits.socketsOfAccounts.size;
  }

  // Opening and ending ------------------------------------------------------------------------------------------------

  async handleConnection(socket: WebSocket, request: IncomingMessage): Promise<void> {
    const address = this.proxies.addressOf(request);
    countUntilClosed(socket, this.limits.socketsOfAddresses, addressKey(address));
    const intake = new Intake(socket, request.socket);
    this.waitingData.watch(request.socket, intake);
    if (this.draining) return turnAway(socket, 'drain');
    // Frames that come before it is known who sends them wait in the socket.
    socket.pause();
    try {
      const refused = await this.handshake.admit(socket, request, (admitted) =>
        this.draining ? turnAway(socket, 'drain') : this.open(socket, admitted, intake),
      );
      if (refused) turnAway(socket, refused);
    } catch (error) {
      this.problems.refusal(error, { handshake: true });
      socket.close(1013, 'unavailable');
      socket.resume();
    }
  }

  private open(socket: WebSocket, { connection, token, user }: Admitted, intake: Intake): void {
    countUntilClosed(socket, this.limits.socketsOfAccounts, connection.actor.id);
    this.connections.set(socket, connection);
    this.subscribers.add(connection);
    if (token) this.tokenWatch.add(connection, token);
    intake.onFragment = () => connection.countFrame();
    socket.on('ping', (payload: Buffer) => connection.handlePing(payload));
    socket.on('pong', (payload: Buffer) => connection.handlePong(payload));
    connection.send('hello', {
      protocol: 1,
      user,
      session: connection.sessionId,
      heartbeatSeconds,
      maxFrameBytes,
      maintenance: this.maintenance.now,
    });
    socket.resume();
  }

  handleDisconnect(socket: WebSocket): void {
    const connection = this.connections.get(socket);
    if (!connection) return;
    this.connections.delete(socket);
    this.tokenWatch.remove(connection);
    this.subscribers.remove(connection);
  }

  // Frames ------------------------------------------------------------------------------------------------------------

  read(socket: WebSocket, data: Buffer, isBinary: boolean): void {
    const connection = this.connections.get(socket);
    // Nothing more is read from a connection that is being closed, however long its client takes to answer.
    if (!connection?.open) return;
    const tooSoon = connection.countFrame();
    connection.enqueue(() => {
      if (connection.open && !this.deaf) return this.frames.handle(connection, data, isBinary, tooSoon);
    });
  }

  // Shutdown ----------------------------------------------------------------------------------------------------------

  /** Before a shutdown: new sockets are refused, and clients are asked to reconnect. */
  announceDrain(): void {
    this.draining = true;
    this.sendToAll('drain', { retryAfterMs: RETRY_AFTER_DRAIN_MS });
  }

  /** Frames of clients are ignored from now on; clients send them again after reconnecting. */
  stopListening(): void {
    this.deaf = true;
  }

  /** Closes all connections, and waits a moment for their clients to answer. */
  async closeAll(): Promise<void> {
    clearInterval(this.heartbeat);
    for (const connection of this.connections.values()) connection.close('drain');
    const end = Date.now() + CLOSING_PATIENCE_MS;
    while (this.connections.size > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  private sendToAll<E extends ServerEvent>(event: E, data: ServerData<E>): void {
    for (const connection of this.connections.values()) connection.send(event, data);
  }
}

function countUntilClosed(socket: WebSocket, counts: OpenCounts, key: string): void {
  counts.enter(key);
  socket.once('close', () => counts.leave(key));
}

function turnAway(socket: WebSocket, reason: keyof typeof closeReasons): void {
  const { code, name } = closeReasons[reason];
  socket.close(code, name);
  // A paused socket would never read the client's answer to the close frame.
  socket.resume();
}
