import type { Person } from '../live-event.js';
import type { Announcement, Load, RoomStatement } from './announcement.js';

export const replicaLimits = {
  /** Other replicas listened to; announcements of further ones are ignored. */
  replicas: 64,
  /** People in rooms known of one replica, about 200 bytes each; further ones are not known to be there. */
  people: 20_000,
  /** Milliseconds, at least, between two requests to the same replica for a new round. */
  asking: 2_000,
} as const;

/** Called when a person is now in a room at some other replica, or no longer is at any. */
export type PersonMoved = (room: string, person: Person, online: boolean) => void;

type People = ReadonlyMap<string, Person>;

/** What one replica has announced about one room; `people` null: too many to announce. */
interface RoomThere {
  readonly round: number;
  readonly people: People | null;
}

/** What is known of one replica. */
interface Replica {
  number: number;
  /** The first round of which nothing has been missed. */
  soundFrom: number;
  heardAt: number;
  load: Load | null;
  askedAt: number;
  /** Size of `rooms`, by `sizeOf`. */
  size: number;
  readonly rooms: Map<string, RoomThere>;
}

const nobody: People = new Map();

/** What is kept of one room, counted in people. */
const sizeOf = (people: People | null | undefined): number => (people === null ? 1 : (people?.size ?? 0));

/** Who is in which room at the other replicas, as far as they have announced it and as long as they are heard. */
export class OtherReplicas {
  private readonly replicas = new Map<string, Replica>();
  /** People and replicas that were ignored because there are too many. */
  dropped = 0;

  constructor(private readonly moved: PersonMoved) {}

  get size(): number {
    return this.replicas.size;
  }

  /** The load of each of them by its id, as last announced. */
  get loads(): ReadonlyMap<string, Load | null> {
    return new Map(Array.from(this.replicas, ([id, { load }]) => [id, load]));
  }

  /** Applies an announcement heard at `now` (milliseconds of any clock). Returns whether to ask its sender for a new round. */
  handle(announcement: Announcement, now: number): boolean {
    const { from, number, round, complete, load, rooms, bye } = announcement;
    if (bye) {
      this.forget(from);
      return false;
    }
    const replica = this.replicas.get(from) ?? this.meet(announcement, now);
    // It was overtaken on its way.
    if (!replica || number <= replica.number) return false;
    if (number > replica.number + 1) replica.soundFrom = round + 1;
    replica.number = number;
    replica.heardAt = now;
    replica.load = load;
    for (const statement of rooms) this.update(replica, statement, round);
    if (round >= replica.soundFrom) {
      if (complete) this.dropEarlier(replica, round);
      return false;
    }
    if (now - replica.askedAt < replicaLimits.asking) return false;
    replica.askedAt = now;
    return true;
  }

  /** Forgets the replicas not heard since `time`. */
  forgetSilent(time: number): void {
    for (const [id, { heardAt }] of this.replicas) if (heardAt < time) this.forget(id);
  }

  /** Counts all as heard at `now`, because until now nobody could have been. */
  excuseSilence(now: number): void {
    for (const replica of this.replicas.values()) replica.heardAt = now;
  }

  isThere(room: string, personId: string): boolean {
    for (const { rooms } of this.replicas.values()) if (rooms.get(room)?.people?.has(personId)) return true;
    return false;
  }

  /** How many are in a room at all other replicas; Infinity when one of them has too many to announce. */
  countIn(room: string): number {
    let count = 0;
    for (const { rooms } of this.replicas.values()) {
      const there = rooms.get(room);
      if (there) count += there.people?.size ?? Number.POSITIVE_INFINITY;
    }
    return count;
  }

  /** All people in a room at some other replica, as far as announced. */
  *peopleIn(room: string): IterableIterator<Person> {
    for (const { rooms } of this.replicas.values()) yield* rooms.get(room)?.people?.values() ?? [];
  }

  /** A new replica: what it announced before was not heard, so only its next round is complete. */
  private meet({ from, number, round }: Announcement, now: number): Replica | null {
    if (this.replicas.size >= replicaLimits.replicas) {
      this.dropped += 1;
      return null;
    }
    const replica = {
      number: number - 1,
      soundFrom: round + 1,
      heardAt: now,
      load: null,
      // It is about to begin a round by itself, because this replica is new to it too.
      askedAt: now,
      size: 0,
      rooms: new Map(),
    };
    this.replicas.set(from, replica);
    return replica;
  }

  private forget(id: string): void {
    const replica = this.replicas.get(id);
    this.replicas.delete(id);
    for (const [room, { people }] of replica?.rooms ?? []) this.reportLeft(room, people ?? nobody, nobody);
  }

  private update(replica: Replica, { room, people: announced }: RoomStatement, round: number): void {
    const known = replica.rooms.get(room);
    const people = this.withinLimit(announced, replicaLimits.people - replica.size + sizeOf(known?.people));
    if (people?.size === 0) replica.rooms.delete(room);
    else replica.rooms.set(room, { round, people });
    replica.size += sizeOf(people) - sizeOf(known?.people);
    // There are no notifications about rooms with too many people.
    if (people === null) return;
    const before = known?.people ?? nobody;
    this.reportLeft(room, before, people);
    for (const person of people.values())
      if (!before.has(person.id) && !this.isAtAnother(replica, room, person.id)) this.moved(room, person, true);
  }

  private withinLimit(announced: readonly Person[] | null, space: number): People | null {
    if (announced === null && space > 0) return null;
    const people = announced ?? [];
    if (people.length > space) this.dropped += people.length - space;
    return new Map(people.slice(0, space).map((person) => [person.id, person]));
  }

  /** The replica has announced all its rooms, so nobody is left in those that it has not announced since an earlier round. */
  private dropEarlier(replica: Replica, round: number): void {
    for (const [room, there] of replica.rooms)
      if (there.round < round) this.update(replica, { room, people: [] }, round);
  }

  private reportLeft(room: string, before: People, after: People): void {
    for (const person of before.values())
      if (!after.has(person.id) && !this.isThere(room, person.id)) this.moved(room, person, false);
  }

  private isAtAnother(replica: Replica, room: string, personId: string): boolean {
    for (const other of this.replicas.values())
      if (other !== replica && other.rooms.get(room)?.people?.has(personId)) return true;
    return false;
  }
}
