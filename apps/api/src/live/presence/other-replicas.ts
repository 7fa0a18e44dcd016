import type { Person } from '../live-event.js';
import type { Announcement, Load, RoomStatement } from './announcement.js';

export const replicaLimits = {
  /** Other replicas tracked; announcements of further ones are ignored. */
  replicas: 64,
  /** People in rooms tracked per replica, about 200 bytes each; further ones count as absent. */
  people: 20_000,
  /** Minimum milliseconds between two requests to the same replica for a new round. */
  asking: 2_000,
} as const;

/** Called when a person enters a room at some other replica, or is no longer in it at any. */
export type PersonMoved = (room: string, person: Person, online: boolean) => void;

type People = ReadonlyMap<string, Person>;

/** What one replica has announced about one room; `people` null: too many to announce. */
interface RoomThere {
  readonly round: number;
  readonly people: People | null;
}

/** What we know about one replica. */
interface Replica {
  number: number;
  /** The first round without missed announcements. */
  soundFrom: number;
  heardAt: number;
  load: Load | null;
  askedAt: number;
  /** Size of `rooms`, by `sizeOf`. */
  size: number;
  readonly rooms: Map<string, RoomThere>;
}

const noPeople: People = new Map();

/** The size of a room's entry, counted in people. */
const sizeOf = (people: People | null | undefined): number => (people === null ? 1 : (people?.size ?? 0));

/** Who is in which room at the other replicas, as announced, for as long as we hear from them. */
export class OtherReplicas {
  private readonly replicas = new Map<string, Replica>();
  /** People and replicas that were ignored because there were too many. */
  dropped = 0;

  constructor(private readonly moved: PersonMoved) {}

  get size(): number {
    return this.replicas.size;
  }

  /** The load of each other replica by its id, as last announced. */
  get loads(): ReadonlyMap<string, Load | null> {
    return new Map(Array.from(this.replicas, ([id, { load }]) => [id, load]));
  }

  /**
   * Applies an announcement received at `now` (milliseconds of any clock). Returns whether to ask its sender for a new
   * round.
   */
  handle(announcement: Announcement, now: number): boolean {
    const { from, number, round, complete, load, rooms, bye } = announcement;
    if (bye) {
      this.forget(from);
      return false;
    }
    const replica = this.replicas.get(from) ?? this.meet(announcement, now);
    // It arrived out of order.
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

  /** Forgets the replicas not heard from since `time`. */
  forgetSilent(time: number): void {
    for (const [id, { heardAt }] of this.replicas) if (heardAt < time) this.forget(id);
  }

  /** Counts all replicas as heard from at `now`, because none could be heard until now. */
  excuseSilence(now: number): void {
    for (const replica of this.replicas.values()) replica.heardAt = now;
  }

  isThere(room: string, personId: string): boolean {
    for (const { rooms } of this.replicas.values()) if (rooms.get(room)?.people?.has(personId)) return true;
    return false;
  }

  /** How many people are in a room at all other replicas; Infinity when one of them has too many to announce. */
  countIn(room: string): number {
    let count = 0;
    for (const { rooms } of this.replicas.values()) {
      const there = rooms.get(room);
      if (there) count += there.people?.size ?? Number.POSITIVE_INFINITY;
    }
    return count;
  }

  /** Everyone in a room at some other replica, as announced. */
  *peopleIn(room: string): IterableIterator<Person> {
    for (const { rooms } of this.replicas.values()) yield* rooms.get(room)?.people?.values() ?? [];
  }

  /** A new replica: its earlier announcements were missed, so only its next round is complete. */
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
      // It is about to start a round on its own, because this replica is new to it too.
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
    for (const [room, { people }] of replica?.rooms ?? []) this.reportLeft(room, people ?? noPeople, noPeople);
  }

  private update(replica: Replica, { room, people: announced }: RoomStatement, round: number): void {
    const known = replica.rooms.get(room);
    const people = this.withinLimit(announced, replicaLimits.people - replica.size + sizeOf(known?.people));
    if (people?.size === 0) replica.rooms.delete(room);
    else replica.rooms.set(room, { round, people });
    replica.size += sizeOf(people) - sizeOf(known?.people);
    // There are no notifications about rooms with too many people.
    if (people === null) return;
    const before = known?.people ?? noPeople;
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

  /** The replica has announced all its rooms, so those it last announced in an earlier round are empty. */
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
