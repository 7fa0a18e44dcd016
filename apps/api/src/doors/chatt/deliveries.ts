import type { Piece } from './encoder.js';

/** The number of packet ids (MQTT 3.1.1, 2.3.1). */
const PACKET_IDS = 65_535;
/** Unacknowledged texts beyond which no more of the past is read for a client. */
export const maxUnacknowledged = 1_000;

interface Unacknowledged {
  /** Null if it is not part of a room's log. */
  readonly roomId: string | null;
  /** The room is acknowledged up to here once this and all before it are acknowledged. */
  through: bigint;
  acknowledged: boolean;
}

/**
 * Unacknowledged deliveries at QoS 1, and how far each room is acknowledged without a gap. A session resumes from there, on any
 * replica.
 */
export class Deliveries {
  private readonly rooms = new Map<string, Unacknowledged[]>();
  private readonly byId = new Map<number, Unacknowledged>();
  private lastId = 0;
  /** Places that changed since they were last taken. */
  private moved = new Map<string, bigint>();

  /** The number of unacknowledged texts. */
  get waiting(): number {
    return this.byId.size;
  }

  /** Returns the packet id for a text at QoS 1. */
  send(piece: Pick<Piece, 'roomId' | 'through'> | null): number {
    const id = this.nextId();
    const one = { roomId: piece?.roomId ?? null, through: piece?.through ?? -1n, acknowledged: false };
    this.byId.set(id, one);
    if (piece) {
      const waiting = this.rooms.get(piece.roomId);
      if (waiting) waiting.push(one);
      else this.rooms.set(piece.roomId, [one]);
    }
    return id;
  }

  /** Events that are not sent at QoS 1 count as received. */
  pass({ roomId, through }: Pick<Piece, 'roomId' | 'through'>): void {
    const last = this.rooms.get(roomId)?.at(-1);
    if (last) last.through = through;
    else this.moved.set(roomId, through);
  }

  /** Returns false if nothing was sent under this id. */
  acknowledge(id: number): boolean {
    const one = this.byId.get(id);
    if (!one) return false;
    this.byId.delete(id);
    one.acknowledged = true;
    if (one.roomId !== null) this.advance(one.roomId);
    return true;
  }

  /** The places that changed since the last call. */
  takeMoved(): ReadonlyMap<string, bigint> {
    const { moved } = this;
    this.moved = new Map();
    return moved;
  }

  /** Drops a room that is no longer followed. */
  forget(roomId: string): void {
    this.rooms.delete(roomId);
    this.moved.delete(roomId);
  }

  private advance(roomId: string): void {
    const waiting = this.rooms.get(roomId);
    if (!waiting) return;
    let done = 0;
    while (waiting[done]?.acknowledged) done += 1;
    const last = waiting[done - 1];
    if (!last) return;
    this.moved.set(roomId, last.through);
    if (done === waiting.length) this.rooms.delete(roomId);
    else waiting.splice(0, done);
  }

  private nextId(): number {
    if (this.byId.size >= PACKET_IDS) throw new Error('All packet ids are in use.');
    do this.lastId = (this.lastId % PACKET_IDS) + 1;
    while (this.byId.has(this.lastId));
    return this.lastId;
  }
}
