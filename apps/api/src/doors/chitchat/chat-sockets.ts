import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Recorded } from '@verbatim/domain';
import { type WebSocket, WebSocketServer } from 'ws';
import { hangUp } from '../../host/fault.js';
import type { Host } from '../../host/host.js';
import { refuseHost } from '../../host/host-header.js';
import type { HttpListener } from '../../host/http-listener.js';
import { Intake } from '../../host/intake.js';
import { addressKey } from '../../limits/address-key.js';
import { newId } from '../../new-id.js';
import type { GuestUse } from '../../storage/desk/guests.js';
import { bearerIn } from '../bearer.js';
import { ChatError, type ChatErrors } from './answers.js';
import type { ChatRoom, ChatRooms } from './chat-rooms.js';
import { ChatSocket, type SocketParts } from './chat-socket.js';
import { MAX_FRAME_BYTES } from './frames.js';
import { admitsOrigin } from './origins.js';
import type { Holder, RoomTokens } from './room-tokens.js';
import { seatLimits } from './seats.js';

/** The path of sockets; the room is a number or a title. */
const PATH = /^\/chats\/([^/]+)\/ws$/;
/** Milliseconds to authenticate a socket, between two pings, and for clients to respond to a shutdown. */
const PATIENCE_MS = 10_000;
const PING_MS = 54_000;
const CLOSING_PATIENCE_MS = 1_000;
/** Fragments of one message, and reads from the network that one frame may be spread over. */
const MAX_FRAGMENTS = 64;
const MAX_READS_FOR_A_FRAME = 128;
/** Seats of other replicas that are settled at a time. */
const SWEEP_LIMIT = 50;
/** Heartbeats after which connected guests are recorded as in use. */
const BEATS_PER_NOTE = 360;

/** The dependencies of sockets. */
export interface DoorParts extends Omit<SocketParts, 'listening' | 'isOpenHere'> {
  readonly rooms: ChatRooms;
  readonly tokens: RoomTokens;
  readonly errors: ChatErrors;
  readonly guestUse: GuestUse;
  readonly host: Host;
}

/** The sockets of this process. */
export class ChatSockets {
  private readonly open = new Set<ChatSocket>();
  private readonly server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_READS_FOR_A_FRAME,
    perMessageDeflate: false,
    // Browsers treat a response without the requested subprotocol as a failure.
    handleProtocols: (asked) => asked.values().next().value ?? false,
  });
  private readonly parts: SocketParts;
  /** The id under which this process settles seats of other replicas. */
  private readonly sweeper = newId();
  private readonly timers: NodeJS.Timeout[] = [];
  private draining = false;
  private deaf = false;
  private beats = 0;
  /** Since when all heartbeats of this replica have reached the database; null while they fail. */
  private soundSince: number | null = null;

  constructor(
    private readonly all: DoorParts,
    private readonly listener: HttpListener,
  ) {
    const isOpenHere = (connection: string) => [...this.open].some(({ id }) => id === connection);
    this.parts = { ...all, listening: () => !this.deaf, isOpenHere };
    listener.onUpgrade(PATH, (request, socket, head) => {
      socket.on('error', () => undefined);
      this.upgrade(request, socket, head).catch((error: unknown) => {
        const refusal = all.errors.errorOf(error, { door: 'chitchat', upgrade: true });
        hangUp(socket, refusal.raw);
      });
    });
  }

  get size(): number {
    return this.open.size;
  }

  /** People who are in a room here. */
  get people(): number {
    return new Set([...this.open].map(({ userId }) => userId).filter((id) => id !== null)).size;
  }

  // Opening -----------------------------------------------------------------------------------------------------------

  private async upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { host, limits } = this.all;
    const address = host.proxies.addressOf(request);
    this.refuseEarly(request, address);
    this.listener.connections.upgraded(socket);
    host.waitingData.watch(socket);
    const late = setTimeout(() => socket.destroy(), PATIENCE_MS);
    try {
      const { room, holder } = await this.identify(request);
      if (this.draining) throw draining;
      if (socket.destroyed) return;
      const counts = limits.socketsOfAddresses;
      this.server.handleUpgrade(request, socket, head, (opened) => {
        counts.enter(addressKey(address));
        opened.once('close', () => counts.leave(addressKey(address)));
        const intake = new Intake(opened, socket);
        host.waitingData.watch(socket, intake);
        const chat = this.begin(opened, room, address, holder);
        intake.onFragment = () => chat.count();
      });
      // Invalid handshakes have been answered by `ws`.
    } finally {
      clearTimeout(late);
    }
  }

  private refuseEarly(request: IncomingMessage, address: string): void {
    const { host, limits } = this.all;
    if (this.draining) throw draining;
    if (!admitsOrigin(request, host)) throw ChatError.of(304, 'origin');
    const fault = refuseHost(request);
    if (fault) throw fault;
    const tooSoon = limits.refuseUpgrade(address);
    if (tooSoon) throw ChatError.ofRejection(tooSoon, 'client');
    const { upgrade, 'sec-websocket-version': version, 'sec-websocket-key': key } = request.headers;
    const proper = request.method === 'GET' && upgrade?.toLowerCase() === 'websocket' && /^(8|13)$/.test(version ?? '');
    if (!proper || !/^[+/0-9A-Za-z]{22}==$/.test(key ?? '')) throw ChatError.of(301);
  }

  /** The room, and the holder of the token if there is one. Rooms with a password require a token. */
  private async identify(request: IncomingMessage): Promise<{ room: ChatRoom; holder: Holder | null }> {
    const { rooms, tokens } = this.all;
    const room = await rooms.find(wantedRoom(request));
    const offered = [bearerIn(request.headers.authorization), protocolIn(request.headers['sec-websocket-protocol'])];
    for (const token of offered.filter((token) => token !== undefined)) {
      const holder = room.visibility === 'public' ? await tokens.personOf(token) : await tokens.holderOf(token, room);
      if (holder) return { room, holder };
    }
    if (room.visibility !== 'public') throw ChatError.of(403, 'token');
    return { room, holder: null };
  }

  private begin(opened: WebSocket, room: ChatRoom, address: string, holder: Holder | null): ChatSocket {
    const failed = (error: unknown) => void this.all.errors.errorOf(error, { door: 'chitchat' });
    const socket = new ChatSocket(this.parts, opened, room, address, holder, failed);
    this.open.add(socket);
    opened.once('close', () => this.open.delete(socket));
    return socket;
  }

  // Running -----------------------------------------------------------------------------------------------------------

  start(): void {
    const beat = () => this.beat().catch((error: unknown) => void this.all.errors.errorOf(error, { task: 'seats' }));
    this.timers.push(setInterval(beat, seatLimits.heartbeat).unref());
    this.timers.push(setInterval(() => this.ping(), PING_MS).unref());
  }

  private ping(): void {
    for (const socket of this.open) socket.beat();
  }

  /** Keeps the seats of this replica, and settles those of replicas that are gone. */
  private async beat(): Promise<void> {
    const { seats, visitors, guestUse } = this.all;
    const since = this.soundSince;
    this.soundSince = null;
    const seated = [...this.open].filter(({ userId }) => userId !== null);
    const lost = new Set(await seats.keepAlive(new Map(seated.map(({ id, activeAt }) => [id, activeAt]))));
    for (const socket of seated) if (lost.has(socket.id) && socket.userId !== null) socket.loseSeat();
    this.beats += 1;
    if (this.beats % BEATS_PER_NOTE === 0) for (const { userId } of seated) if (userId) await guestUse.note(userId);
    // The other replicas may have lost the database too. Silence counts only once every replica could have reported.
    this.soundSince = since ?? Date.now();
    if (Date.now() - this.soundSince < seatLimits.lease) return;
    for (const ending of await seats.takeOver(this.sweeper, SWEEP_LIMIT)) await visitors.settle(ending);
  }

  /** A sink of the feed: guests may not have registered names. */
  handle(events: readonly Recorded[]): void {
    for (const event of events) {
      if (event.type !== 'UserRegistered' || event.data.origin === 'guest' || event.data.username === null) continue;
      for (const socket of this.open) socket.yieldName(event.data.username);
    }
  }

  // Shutdown ----------------------------------------------------------------------------------------------------------

  /** New sockets are refused, so that the page tries again; open ones stay until the end. */
  announceDrain(): void {
    this.draining = true;
  }

  stopListening(): void {
    this.deaf = true;
  }

  async closeAll(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    const ending = [...this.open];
    for (const socket of ending) socket.close('drain');
    const end = Date.now() + CLOSING_PATIENCE_MS;
    while (this.open.size > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all(ending.map((socket) => socket.gone));
  }
}

const draining = ChatError.unknown(503, 'The service is being restarted.', 1_000);

function wantedRoom({ url = '' }: IncomingMessage): string {
  const [, wanted = ''] = PATH.exec(url.split('?')[0] ?? '') ?? [];
  try {
    return decodeURIComponent(wanted);
  } catch {
    throw ChatError.of(101);
  }
}

/** The first subprotocol, which carries the token of clients that cannot send headers. */
const protocolIn = (header: string | undefined): string | undefined => header?.split(',')[0]?.trim();
