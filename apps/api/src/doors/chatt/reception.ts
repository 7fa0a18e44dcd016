import { isUtf8 } from 'node:buffer';
import type { IConnectPacket, Packet } from 'mqtt-packet';
import type { Holder } from '../../host/waiting-data.js';
import type { Limits } from '../../limits/limits.js';
import type { Subscribers } from '../../live/subscribers.js';
import type { TokenWatch } from '../../live/token-watch.js';
import { newId } from '../../new-id.js';
import type { Admission, Admitted, NotAdmitted } from './admission.js';
import { Client, type ClientParts } from './client.js';
import type { Clients } from './clients.js';
import type { Dialect } from './dialect.js';
import { BadPacket } from './endings.js';
import { Mqtt3 } from './mqtt3.js';
import { Mqtt5 } from './mqtt5.js';
import { PacketReader } from './packets.js';
import type { Replicas } from './replicas.js';
import type { BegunConnection, Connecting } from './session-ledger.js';
import { NotNow } from './subscriptions.js';
import { type Terms, termsOf } from './terms.js';
import type { Wire } from './wire.js';

/** Milliseconds until a client must have been authenticated. */
const PATIENCE_MS = 10_000;
/** Packets that a client may send before it is answered. */
const MAX_EARLY = 1_000;
/** Packets of one client that are handled in one turn of the event loop; a read from the network may hold 32,000. */
const PACKETS_PER_TURN = 64;
/** Characters of a client id. */
const MAX_CLIENT_ID = 512;

export interface ReceptionParts extends ClientParts {
  readonly admission: Admission;
  readonly clients: Clients;
  readonly replicas: Replicas;
  readonly subscribers: Subscribers;
  readonly tokenWatch: TokenWatch;
  readonly limits: Limits;
}

/** Handles connections from the first byte until the client is authenticated. */
export class Reception {
  /** Refuses all new connections. */
  closed = false;

  constructor(private readonly parts: ReceptionParts) {}

  /** Returns the holder of the client's buffered data; null if the connection was refused. */
  receive(wire: Wire): Holder | null {
    if (this.closed || this.parts.limits.refuseUpgrade(wire.address)) {
      wire.end();
      return null;
    }
    const visit = new Visit(this, wire);
    wire.listen(visit);
    return visit;
  }

  /** Accepts a client, or returns why not. */
  async welcome(wire: Wire, connect: IConnectPacket, dialect: Dialect): Promise<Client | NotAdmitted> {
    const problem = problemOf(connect);
    if (problem) return problem;
    const introduction = {
      clientId: connect.clientId,
      username: connect.username ?? null,
      password: connect.password?.toString('utf8') ?? null,
      address: wire.address,
    };
    const admitted = await this.parts.admission.admit(introduction);
    if (typeof admitted === 'string') return admitted;
    try {
      return await this.let(wire, admitted, connect, dialect);
    } catch (error) {
      await admitted.leave().catch(() => undefined);
      throw error;
    }
  }

  private async let(
    wire: Wire,
    admitted: Admitted,
    connect: IConnectPacket,
    dialect: Dialect,
  ): Promise<Client | NotAdmitted> {
    const { parts } = this;
    const terms = termsOf(connect);
    const assignedId = connect.clientId === '' && terms.version === 5 ? newId() : null;
    const clientId = assignedId ?? connect.clientId;
    const { limits, ledger, clients } = parts;
    const userId = admitted.actor.id;
    const { guest } = admitted;
    const replica = parts.replicas.id;
    const { cleanStart, keepSeconds } = terms;
    const connecting = { userId, clientId, guest, address: wire.address, cleanStart, keepSeconds, replica };
    const begun = clientId === '' ? null : await this.begin(connecting);
    const places = begun?.subscriptions ? await ledger.places(begun.entry) : new Map();
    if (begun && clients.isTaken(begun.entry)) return 'later';
    if (limits.socketsOfAccounts.full(userId)) return this.turnAway(admitted, begun, terms, 'busy');
    // No await from here until the client is added, so no change to the account is missed.
    if (this.closed || !wire.open || admitted.objection()) return this.turnAway(admitted, begun, terms, 'later');
    const allowances = limits.connection(userId);
    const introduced = { admitted, connect, terms, dialect, assignedId, begun, places, allowances };
    const client = new Client(parts, wire, introduced);
    clients.add(client);
    limits.socketsOfAccounts.enter(userId);
    parts.subscribers.add(client);
    if (admitted.token) parts.tokenWatch.add(client, admitted.token);
    return client;
  }

  /** Begins a connection after the previous one with this client id has ended, on all replicas. */
  private async begin(connecting: Connecting): Promise<BegunConnection> {
    const { ledger, clients, replicas } = this.parts;
    const client = await ledger.clientKey(connecting.userId, connecting.clientId);
    await clients.takeOver(client);
    const begun = await ledger.begin(client, connecting);
    if (begun.former !== null && begun.former !== replicas.id) await replicas.take(client, begun.entry.connection);
    // If two began at the same time, the later one stays.
    await clients.takeOver(client, begun.entry.connection);
    return begun;
  }

  private async turnAway(
    admitted: Admitted,
    begun: BegunConnection | null,
    { keepSeconds }: Terms,
    why: NotAdmitted,
  ): Promise<NotAdmitted> {
    if (begun) await this.parts.ledger.end(begun.entry, false, keepSeconds);
    await admitted.leave();
    return why;
  }

  /** Releases a client whose connection has ended. */
  async gone(client: Client): Promise<void> {
    const { subscribers, tokenWatch, clients, problems, limits } = this.parts;
    subscribers.remove(client);
    tokenWatch.remove(client);
    await client.finish().catch((error) => problems.refusal(error, { door: 'chatt', ending: client.actor.id }));
    // It counts until its pending work is done.
    limits.socketsOfAccounts.leave(client.actor.id);
    clients.remove(client);
  }

  failed(error: unknown, wire: Wire): void {
    if (!(error instanceof NotNow)) this.parts.problems.refusal(error, { door: 'chatt', connecting: true });
    wire.end();
  }
}

const dialectFor = (connect: IConnectPacket): Dialect =>
  connect.protocolVersion === 5 ? new Mqtt5(termsOf(connect), connect) : new Mqtt3();

/** Why a CONNECT is invalid, before any authentication. */
function problemOf(connect: IConnectPacket): NotAdmitted | null {
  const { protocolId, protocolVersion = 4, clientId, clean, username, properties, will } = connect;
  const known = protocolId === 'MQTT' ? protocolVersion > 3 : protocolVersion === 3;
  if (!known) return 'version';
  if (properties?.authenticationMethod !== undefined) return 'authentication';
  if (protocolVersion === 5 && will?.retain) return 'retain';
  // MQTT 5 assigns an id to a client without one.
  if (clientId === '' && clean === false && protocolVersion !== 5) return 'identifier';
  if (clientId.length > MAX_CLIENT_ID || !isWhole(clientId) || !isWhole(username ?? '')) return 'identifier';
  return null;
}

/** Whether a text is valid UTF-8 without NUL. */
const isWhole = (text: string): boolean => !/[\0\ufffd]/.test(text) && isUtf8(Buffer.from(text));

/** One connection. Its packets go to the client once that is authenticated. */
class Visit implements Holder {
  private readonly reader = new PacketReader();
  private client: Client | null = null;
  private connecting: Promise<void> | null = null;
  /** Packets that arrived before the client was authenticated. */
  private early: Packet[] = [];
  private readonly late: NodeJS.Timeout;
  /** Received bytes that have not been handled completely, and the packets in the first of them. */
  private waiting: Buffer[] = [];
  private packets: Generator<Packet> | null = null;
  private held = false;
  private earlyFrames = 0;

  constructor(
    private readonly reception: Reception,
    private readonly wire: Wire,
  ) {
    this.late = setTimeout(() => wire.end(), PATIENCE_MS);
  }

  get heldBytes(): number {
    const waiting = this.waiting.reduce((sum, { length }) => sum + length, 0);
    return this.wire.heldBytes + waiting + this.reader.heldBytes + (this.client?.heldBytes ?? 0);
  }

  received(bytes: Buffer): void {
    if (this.waiting.push(bytes) === 1) this.handleSome();
  }

  /** Handles the packets of one turn. */
  private handleSome(): void {
    try {
      for (let left = PACKETS_PER_TURN; left > 0 && this.wire.open && this.waiting.length > 0; ) {
        this.packets ??= this.read(this.waiting[0] as Buffer);
        const { value: packet, done } = this.packets.next();
        if (done) this.finishChunk();
        else this.take(packet);
        left -= 1;
      }
    } catch (error) {
      this.wrong(error);
    }
    if (!this.wire.open) this.waiting = [];
    this.hold(this.waiting.length > 0);
  }

  /** Whether the rest waits for the next turn. */
  private hold(held: boolean): void {
    if (held) setImmediate(() => this.handleSome());
    if (held !== this.held) this.wire.setReading(!held, 'turn');
    this.held = held;
  }

  private *read(bytes: Buffer): Generator<Packet> {
    const { client, reader } = this;
    const rest = client ? reader.skipAcknowledgements(bytes, (packetId) => client.acknowledged(packetId)) : bytes;
    if (rest.length > 0) yield* reader.push(rest);
  }

  private finishChunk(): void {
    this.packets = null;
    this.waiting.shift();
  }

  /** A ping or fragment of a WebSocket counts like a packet. */
  receivedFrame(): void {
    if (this.client) this.client.countFrame();
    else if (++this.earlyFrames > MAX_EARLY) this.wire.end();
  }

  /** Bad packets end the connection (MQTT 3.1.1, 4.8; MQTT 5, 4.13). */
  private wrong(error: unknown): void {
    if (this.client) this.client.end(error instanceof BadPacket ? error.ending : 'failed');
    else this.wire.end();
  }

  closed(): void {
    clearTimeout(this.late);
    this.early = [];
    void (this.connecting ?? Promise.resolve()).then(() => this.client && this.reception.gone(this.client));
  }

  private take(packet: Packet): void {
    if (this.client) this.client.handle(packet);
    else if (!this.connecting) this.begin(packet as IConnectPacket);
    else if (this.early.push(packet) > MAX_EARLY) this.wire.end();
  }

  private begin(packet: IConnectPacket): void {
    this.wire.setReading(false);
    this.connecting = this.connect(packet).catch((error) => this.reception.failed(error, this.wire));
  }

  private async connect(packet: IConnectPacket): Promise<void> {
    const { wire } = this;
    const dialect = dialectFor(packet);
    const welcome = await this.reception.welcome(wire, packet, dialect);
    clearTimeout(this.late);
    if (typeof welcome === 'string') {
      const refusal = dialect.refuse(welcome);
      if (refusal) wire.send(refusal);
      wire.end();
      return;
    }
    try {
      await welcome.begin();
    } finally {
      this.client = welcome;
    }
    wire.setReading(true);
    const { early } = this;
    this.early = [];
    try {
      for (const one of early) if (wire.open) welcome.handle(one);
    } catch (error) {
      this.wrong(error);
    }
  }
}
