import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { QueryBus } from '@nestjs/cqrs';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Authentication } from '../../application/sessions/authentication.js';
import { AuthenticateSignatureQuery } from '../../application/signed-requests/signed-requests.js';
import type { Clock } from '../../clock.js';
import { hangUp, rawAnswer } from '../../host/fault.js';
import type { Host } from '../../host/host.js';
import { refuseHost } from '../../host/host-header.js';
import type { HttpListener } from '../../host/http-listener.js';
import { addressKey } from '../../limits/address-key.js';
import { limited } from '../../limits/limited.js';
import type { Limits } from '../../limits/limits.js';
import type { Subscribers } from '../../live/subscribers.js';
import { Refusal } from '../refusal.js';
import { Connection, connectionLimits } from './connection.js';
import type { Deliveries } from './deliveries.js';
import { type Envelopes, envelopeOf } from './envelope.js';
import { jwtIn } from './jwt-in.js';
import type { Sending } from './sending.js';

/** How often clients are pinged, and sessions checked for expiry. */
const BEAT_MS = 45_000;
const LOOK_MS = 500;
/** How long authenticating a socket may take. */
const HANDSHAKE_MS = 10_000;
/** How long a client has to answer the close frame, and how long a shutdown waits for that. */
const CLOSING_MS = 30_000;
const CLOSING_PATIENCE_MS = 1_000;
/** How long a shutdown waits for packets that were already read. */
const SETTLE_MS = 5_000;
/** Fragments of one packet, and reads from the network that one frame may be spread over. */
const MAX_FRAGMENTS = 256;
const MAX_READS_FOR_A_FRAME = 1_024;

const serverOptions = {
  noServer: true,
  maxPayload: connectionLimits.packetBytes,
  maxFragments: MAX_FRAGMENTS,
  maxBufferedChunks: MAX_READS_FOR_A_FRAME,
  closeTimeout: CLOSING_MS,
  perMessageDeflate: false,
};

export interface SocketParts {
  readonly host: Host;
  readonly listener: HttpListener;
  readonly queries: QueryBus;
  readonly authentication: Authentication;
  readonly subscribers: Subscribers;
  readonly deliveries: Deliveries;
  readonly sending: Sending;
  readonly limits: Limits;
  readonly envelopes: Envelopes;
  readonly now: Clock;
}

/** The WebSockets at /api/ws, from opening to closing. */
export class Sockets {
  private readonly connections = new Set<Connection>();
  private readonly server = new WebSocketServer(serverOptions);
  private readonly timers: readonly NodeJS.Timeout[];
  private draining = false;

  constructor(private readonly parts: SocketParts) {
    this.timers = [
      setInterval(() => this.beat(), BEAT_MS).unref(),
      setInterval(() => this.endExpired(), LOOK_MS).unref(),
    ];
  }

  get size(): number {
    return this.connections.size;
  }

  // Opening -----------------------------------------------------------------------------------------------------------

  /** Handles an upgrade request. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { envelopes, listener } = this.parts;
    const onError = () => socket.destroy();
    socket.on('error', onError);
    const late = setTimeout(() => socket.destroy(), HANDSHAKE_MS);
    this.admit(request)
      .then((caller) => {
        if (socket.destroyed) return;
        if (typeof caller === 'string') return hangUp(socket, caller);
        // Changes to the account or session during authentication did not reach this connection, which was not registered yet.
        const objection = this.parts.authentication.objection(caller.identity);
        if (objection === 'unauthenticated') return hangUp(socket, nobody);
        if (objection) throw comeBack;
        socket.off('error', onError);
        this.server.once('wsClientError', () => listener.answerWithoutUpgrade(request, socket, head));
        this.server.handleUpgrade(request, socket, head, (opened) => this.open(opened, request, caller));
        this.server.removeAllListeners('wsClientError');
      })
      .catch((error: unknown) => {
        const refused = envelopes.refused(error, { path: '/api/ws' });
        hangUp(socket, answerText(refused.status, JSON.stringify(envelopeOf(refused)), refused.retryAfterMs));
      })
      .finally(() => clearTimeout(late));
  }

  /** Authenticates a socket; the text of the response if it may not be opened. */
  private async admit(request: IncomingMessage) {
    const { host, limits, queries } = this.parts;
    if (!host.origins.admits(request)) return answerText(403, '');
    const fault = refuseHost(request);
    if (fault) throw fault;
    const address = host.proxies.addressOf(request);
    const tooMany = limits.refuseUpgrade(address);
    if (tooMany) throw Refusal.of(tooMany);
    if (this.draining) throw goingAway;
    const { searchParams: query } = new URL(request.url ?? '/', 'ws://localhost');
    const jwt = jwtIn(request, { query });
    const identity = jwt ? await queries.execute(new AuthenticateSignatureQuery(jwt)) : null;
    if (!identity?.expiresAt) return nobody;
    if (this.draining) throw goingAway;
    if (limits.socketsOfAccounts.full(identity.actor.id)) throw Refusal.of(limited(1_000));
    return { identity, expiresAt: identity.expiresAt, confirms: query.get('confirm') === '1' };
  }

  private open(
    socket: WebSocket,
    request: IncomingMessage,
    caller: Exclude<Awaited<ReturnType<Sockets['admit']>>, string>,
  ): void {
    const { limits, host, listener, subscribers, deliveries, sending, authentication } = this.parts;
    const wire = request.socket;
    const { identity, expiresAt, confirms } = caller;
    const { actor, sessionId, account } = identity;
    socket.on('error', () => undefined);
    listener.connections.upgraded(wire);
    const address = addressKey(host.proxies.addressOf(request));
    limits.socketsOfAddresses.enter(address);
    limits.socketsOfAccounts.enter(actor.id);
    const person = { actor, sessionId, username: account.username, expiresAt, confirms };
    const connection = new Connection(
      socket,
      wire,
      person,
      limits.connection(actor.id),
      () => authentication.objection(identity) !== 'unauthenticated',
      (one, packet) => sending.handle(one, packet),
    );
    host.waitingData.watch(wire, connection);
    this.connections.add(connection);
    subscribers.add(connection);
    deliveries.add(connection);
    socket.once('close', () => {
      this.connections.delete(connection);
      deliveries.remove(connection);
      subscribers.remove(connection);
      limits.socketsOfAddresses.leave(address);
      // Its packets are still in memory, and must not accumulate if the client reconnects.
      connection.settled().finally(() => limits.socketsOfAccounts.leave(actor.id));
    });
  }

  // Ending ------------------------------------------------------------------------------------------------------------

  private beat(): void {
    for (const connection of this.connections) connection.beat();
  }

  private endExpired(): void {
    const now = this.parts.now();
    for (const connection of this.connections) if (connection.expiresAt <= now) connection.close('revoked');
  }

  /**
   * Before a shutdown: no new connections are accepted, and existing ones are closed once their packets are posted. The
   * protocol has no way to warn clients.
   */
  async drain(): Promise<void> {
    this.draining = true;
    await this.parts.host.drainPause();
    const all = [...this.connections].map(async (connection) => {
      await Promise.race([connection.settled(), sleep(SETTLE_MS)]);
      connection.close('drain');
    });
    await Promise.all(all);
  }

  /** Waits a moment for clients to answer. */
  async close(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    for (const connection of this.connections) connection.close('drain');
    const end = Date.now() + CLOSING_PATIENCE_MS;
    while (this.connections.size > 0 && Date.now() < end) await sleep(5);
    this.server.close();
  }
}

const comeBack = new Refusal('unavailable', 'The account has just changed. Connect again.');
const goingAway = new Refusal('unavailable', 'The service is shutting down. Connect again.');

const answerText = (status: number, body: string, retryAfterMs?: number): string =>
  rawAnswer(status, 'application/json; charset=utf-8', body, { retryAfterMs });

const nobody = answerText(401, '');
