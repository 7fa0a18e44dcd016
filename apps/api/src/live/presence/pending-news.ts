import type { Person } from '@verbatim/protocol';
import {
  type Announcement,
  bytesOf,
  type Load,
  MOST_BYTES,
  type RoomStatement,
  type Typing,
  writeAnnouncement,
} from './announcement.js';

export const pendingLimits = {
  /** Rooms that wait to be told of. What comes on top is made good by a new round. */
  rooms: 10_000,
  /** People that wait to be told of as typing. */
  typing: 100,
  /** Of these in one announcement. */
  typingAtOnce: 20,
  /** Replicas asked in one announcement. */
  asksAtOnce: 16,
} as const;

/**
 * What this replica has still to tell the others. A room waits once, however much happens in it, and is told of as it is
 * when its turn comes. So what waits never grows with what happens, only with the rooms it happens in.
 */
export class PendingNews {
  private readonly rooms = new Set<string>();
  private readonly typing = new Map<string, Typing>();
  private readonly asks = new Set<string>();
  private number = 0;
  private round = 0;
  /** Some rooms of this round were passed over. */
  private incomplete = false;
  /** Announcements that were passed over because too many waited. */
  dropped = 0;

  constructor(
    /** Id of this replica. */
    private readonly from: string,
    /** Who is in a room here; null: too many to tell. */
    private readonly peopleHere: (room: string) => readonly Person[] | null,
    private readonly loadHere: () => Load,
  ) {}

  /** Somebody has come to a room or left it. */
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

  /** Something that this replica has told is not known here. */
  ask(replica: string): void {
    this.asks.add(replica);
  }

  /** Begins to tell of all rooms anew. */
  beginRound(rooms: Iterable<string>): void {
    this.round += 1;
    this.incomplete = false;
    for (const room of rooms) {
      if (this.rooms.size < pendingLimits.rooms) this.rooms.add(room);
      else this.dropped += 1;
    }
  }

  /** Some rooms were passed over and all others have been told: only a new round can tell of them. */
  get needsRound(): boolean {
    return this.incomplete && this.rooms.size === 0;
  }

  get empty(): boolean {
    return this.rooms.size === 0 && this.typing.size === 0 && this.asks.size === 0;
  }

  /** Nobody is there to be told. */
  clear(): void {
    if (this.rooms.size > 0) this.incomplete = true;
    this.rooms.clear();
    this.typing.clear();
    this.asks.clear();
  }

  /** Takes out as much as one notification holds. Without anything to tell, it tells that this replica is there. */
  next(): string {
    // Every other one is for rooms alone, because a room with many people fills it.
    const roomsAlone = this.rooms.size > 0 && this.number % 2 === 1;
    const typing = roomsAlone ? [] : this.takeTyping();
    const asks = roomsAlone ? [] : this.takeAsks();
    const bytes = MOST_BYTES - this.bytesOfFrame({ typing, asks });
    return this.write({ typing, asks, rooms: this.takeRooms(bytes) });
  }

  /** The last words of this replica. */
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
    const most = MOST_BYTES - this.bytesOfFrame({});
    let left = bytes;
    for (const room of this.rooms) {
      const told = { room, people: this.peopleHere(room) };
      const statement = bytesOf(told) <= most ? told : { room, people: null };
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
