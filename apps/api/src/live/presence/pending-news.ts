import type { Person } from '../live-event.js';
import {
  type Announcement,
  bytesOf,
  type Load,
  MAX_BYTES,
  type RoomStatement,
  type Typing,
  writeAnnouncement,
} from './announcement.js';

export const pendingLimits = {
  /** Rooms that may wait to be announced. A new round covers any further ones. */
  rooms: 10_000,
  /** People who may wait to be announced as typing. */
  typing: 100,
  /** Typing people in one announcement. */
  typingAtOnce: 20,
  /** Replicas asked for a round in one announcement. */
  asksAtOnce: 16,
} as const;

/**
 * What this replica still has to announce to the others. A room is queued once, however often it changes, and its latest
 * state is announced. So the backlog grows with the number of rooms, not with the activity in them.
 */
export class PendingNews {
  private readonly rooms = new Set<string>();
  private readonly typing = new Map<string, Typing>();
  private readonly asks = new Set<string>();
  private number = 0;
  private round = 0;
  /** Some rooms of this round were dropped. */
  private incomplete = false;
  /** Updates dropped because too many were waiting. */
  dropped = 0;

  constructor(
    /** Id of this replica. */
    private readonly from: string,
    /** Who is in a room here; null: too many to announce. */
    private readonly peopleHere: (room: string) => readonly Person[] | null,
    private readonly loadHere: () => Load,
  ) {}

  /** Someone has entered or left a room. */
  roomChanged(room: string): void {
    if (this.rooms.size < pendingLimits.rooms || this.rooms.has(room)) {
      this.rooms.add(room);
    } else {
      this.dropped += 1;
      this.incomplete = true;
    }
  }

  isTyping(room: string, person: Person): void {
    const key = `${room} ${person.id}`;
    if (this.typing.size < pendingLimits.typing || this.typing.has(key)) this.typing.set(key, { room, person });
    else this.dropped += 1;
  }

  /** An announcement of this replica was lost: asks for a new round. */
  ask(replica: string): void {
    this.asks.add(replica);
  }

  /** Starts a new round, which announces all rooms. */
  beginRound(rooms: Iterable<string>): void {
    this.round += 1;
    this.incomplete = false;
    for (const room of rooms) {
      if (this.rooms.size < pendingLimits.rooms) this.rooms.add(room);
      else this.dropped += 1;
    }
  }

  /** Whether rooms were dropped and all others have been announced: only a new round can cover them. */
  get needsRound(): boolean {
    return this.incomplete && this.rooms.size === 0;
  }

  get empty(): boolean {
    return this.rooms.size === 0 && this.typing.size === 0 && this.asks.size === 0;
  }

  /** There are no other replicas. */
  clear(): void {
    if (this.rooms.size > 0) this.incomplete = true;
    this.rooms.clear();
    this.typing.clear();
    this.asks.clear();
  }

  /** Takes as much as fits into one notification. With nothing to announce, it is a mere heartbeat. */
  next(): string {
    // Every other announcement has rooms only, because a room with many people fills it.
    const roomsAlone = this.rooms.size > 0 && this.number % 2 === 1;
    const typing = roomsAlone ? [] : this.takeTyping();
    const asks = roomsAlone ? [] : this.takeAsks();
    const bytes = MAX_BYTES - this.bytesOfFrame({ typing, asks });
    return this.write({ typing, asks, rooms: this.takeRooms(bytes) });
  }

  /** The last announcement of this replica. */
  goodbye(): string {
    this.clear();
    return this.write({ bye: true });
  }

  private takeTyping(): Typing[] {
    const first = [...this.typing].slice(0, pendingLimits.typingAtOnce);
    for (const [key] of first) this.typing.delete(key);
    return first.map(([, typing]) => typing);
  }

  private takeAsks(): string[] {
    const first = [...this.asks].slice(0, pendingLimits.asksAtOnce);
    for (const replica of first) this.asks.delete(replica);
    return first;
  }

  private takeRooms(bytes: number): RoomStatement[] {
    const statements: RoomStatement[] = [];
    const most = MAX_BYTES - this.bytesOfFrame({});
    let left = bytes;
    for (const room of this.rooms) {
      const full = { room, people: this.peopleHere(room) };
      const statement = bytesOf(full) <= most ? full : { room, people: null };
      left -= bytesOf(statement);
      if (left < 0) break;
      statements.push(statement);
      this.rooms.delete(room);
    }
    return statements;
  }

  private bytesOfFrame(parts: Partial<Announcement>): number {
    return Buffer.byteLength(writeAnnouncement({ ...this.frame(), ...parts })) + ',"rooms":[]'.length;
  }

  private write(parts: Partial<Announcement>): string {
    const text = writeAnnouncement({ ...this.frame(), ...parts });
    this.number += 1;
    return text;
  }

  private frame(): Announcement {
    const { from, number, round } = this;
    const complete = this.rooms.size === 0 && !this.incomplete;
    return { from, number, round, complete, load: this.loadHere(), rooms: [], typing: [], asks: [], bye: false };
  }
}
