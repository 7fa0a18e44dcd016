import type { Socket } from 'node:net';
import type { Actor } from '@verbatim/domain';
import type { WebSocket } from 'ws';
import { Intake } from '../../host/intake.js';
import type { Holder } from '../../host/waiting-data.js';
import type { ConnectionAllowances } from '../../limits/limits.js';
import type { Encoder, EndReason, Subscriber } from '../../live/subscriber.js';
import { type Packet, PacketEncoder, type RefusedPacket, readPacket } from './packets.js';

/** Limits of one connection. */
export const connectionLimits = {
  /** Bytes of a packet; longer ones end the connection with 1009. */
  packetBytes: 131_072,
  /** Waiting packets, and their bytes in memory, above which nothing more is read. */
  packetsWaiting: 64,
  packetsWaitingBytes: 262_144,
  /** Bytes waiting to be sent; a client that lets more pile up is disconnected. */
  waitingBytes: 4_194_304,
  /** Bytes waiting below which more history is read for the client. */
  lowWaterBytes: 524_288,
  /** Unanswered pings after which the client counts as gone when the next one is due. */
  unansweredPings: 2,
} as const;

/** Why a connection is ended, with the codes of RFC 6455 that every client knows. */
const closings = {
  drain: { code: 1001, name: 'going away' },
  revoked: { code: 1008, name: 'revoked' },
  unauthenticated: { code: 1008, name: 'unauthenticated' },
  tooMuch: { code: 1008, name: 'too much' },
  tooSlow: { code: 1013, name: 'too slow' },
  unavailable: { code: 1013, name: 'unavailable' },
} as const;

export interface Caller {
  readonly actor: Actor;
  readonly username: string;
  readonly sessionId: string;
  /** When the session of the token expires. */
  readonly expiresAt: Date;
  /** Whether the client asked for a confirmation of each packet. */
  readonly confirms: boolean;
}

/** One client's WebSocket. */
export class Connection implements Subscriber, Holder {
  actor: Actor;
  readonly username: string;
  readonly sessionId: string;
  readonly expiresAt: Date;
  readonly confirms: boolean;
  readonly encoder: Encoder;
  private readonly waiting: (Packet | RefusedPacket)[] = [];
  /** Bytes of those, and of the one that is being handled. */
  private waitingBytes = 0;
  private working: Promise<void> | null = null;
  private pings = 0;
  /** We have closed the connection; nothing more is read from it. */
  private ended = false;
  /** Packets that were read but not handled are dropped. */
  private lost = false;
  private bytesBefore: number;

  constructor(
    private readonly socket: WebSocket,
    private readonly wire: Socket,
    { actor, username, sessionId, expiresAt, confirms }: Caller,
    readonly allowances: ConnectionAllowances,
    /** Whether the person still has access. */
    private readonly stillIn: () => boolean,
    /** Handles one packet. Must not throw. */
    private readonly handle: (connection: Connection, packet: Packet | RefusedPacket) => Promise<void>,
  ) {
    this.actor = actor;
    this.username = username;
    this.sessionId = sessionId;
    this.expiresAt = expiresAt;
    this.confirms = confirms;
    this.encoder = new PacketEncoder(actor.id, username);
    this.bytesBefore = wire.bytesRead;
    new Intake(socket, wire).onFragment = () => this.count();
    socket.on('message', (data) => this.receive(data as Buffer));
    socket.on('ping', () => this.count());
    socket.on('pong', () => {
      this.pings = 0;
      this.count();
    });
  }

  get open(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** Bytes of an incomplete packet, and of packets that wait for their turn. */
  get heldBytes(): number {
    return Math.min(this.wire.bytesRead - this.bytesBefore, connectionLimits.packetBytes) + this.waitingBytes;
  }

  // To the client -----------------------------------------------------------------------------------------------------

  /** Sends the text of a packet. */
  write(bytes: Buffer): void {
    if (!this.open || bytes.length === 0) return;
    if (this.socket.bufferedAmount > connectionLimits.waitingBytes) this.close('tooSlow');
    else this.socket.send(bytes, { binary: false });
  }

  get congested(): boolean {
    return this.open && this.socket.bufferedAmount > connectionLimits.lowWaterBytes;
  }

  drained(): Promise<void> {
    const { wire } = this;
    if (wire.destroyed || !wire.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        wire.off('drain', done).off('close', done);
        resolve();
      };
      wire.on('drain', done).on('close', done);
    });
  }

  close(reason: EndReason | keyof typeof closings): void {
    const { code, name } = closings[reason];
    this.ended = true;
    // Not at a shutdown or for slow readers: packets that they sent before are still posted.
    this.lost ||= reason !== 'drain' && reason !== 'tooSlow';
    this.socket.close(code, name);
    // A paused socket would never read the client's answer to the close frame.
    this.socket.resume();
  }

  /** Pings; a client that has not answered the last two is gone. While reading is paused, its answers are not read either. */
  beat(): void {
    if (!this.open || this.socket.isPaused) return;
    this.pings += 1;
    if (this.pings > connectionLimits.unansweredPings) this.socket.terminate();
    else this.socket.ping();
  }

  // From the client ---------------------------------------------------------------------------------------------------

  /** Packets are handled one after the other, so that messages keep the order in which they were sent. */
  private receive(bytes: Buffer): void {
    this.bytesBefore = this.wire.bytesRead;
    if (this.ended || !this.count()) return;
    // Parsed at once: many bytes can be a short message.
    const packet = readPacket(bytes);
    this.waiting.push(packet);
    this.waitingBytes += bytesOf(packet);
    if (this.full) this.socket.pause();
    this.working ??= this.work().finally(() => {
      this.working = null;
    });
  }

  private async work(): Promise<void> {
    for (let packet = this.waiting.shift(); packet; packet = this.waiting.shift()) {
      if (this.mayStillSend) await this.handle(this, packet);
      this.waitingBytes -= bytesOf(packet);
      if (this.socket.isPaused && !this.full) this.socket.resume();
    }
  }

  private get full(): boolean {
    const { packetsWaiting, packetsWaitingBytes } = connectionLimits;
    return this.waiting.length >= packetsWaiting || this.waitingBytes >= packetsWaitingBytes;
  }

  /** Resolves when every packet that was read has been handled. */
  async settled(): Promise<void> {
    await this.working;
  }

  /** Whether packets of this person may be posted. The account is checked too, because the end of a session may arrive late. */
  get mayStillSend(): boolean {
    return !this.lost && this.stillIn();
  }

  /** Counts a frame; a client that sends far too many is disconnected. */
  private count(): boolean {
    if (this.allowances.frames.spend() === 0) return true;
    if (this.allowances.patience.spend() > 0) this.close('tooMuch');
    return !this.ended;
  }
}

/** Approximate bytes of a packet besides its texts. */
const PACKET_BYTES = 200;

/** The most bytes that a packet takes up in memory. */
function bytesOf(packet: Packet | RefusedPacket): number {
  const units = 'refused' in packet ? packet.refused.length : packet.recipient.length + packet.message.length;
  return PACKET_BYTES + 2 * units;
}
