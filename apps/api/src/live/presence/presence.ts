import { setTimeout as sleep } from 'node:timers/promises';
import { Listener, type TroubleLog } from '@verbatim/event-store';
import { newId } from '../../new-id.js';
import type { Following } from '../following.js';
import type { Person } from '../live-event.js';
import { type Encoder, PerEncoder } from '../subscriber.js';
import { type Load, readAnnouncement } from './announcement.js';
import { OtherReplicas } from './other-replicas.js';
import { PendingNews } from './pending-news.js';

/** Up to this many followers, a room's followers are notified of who comes and goes: fan-out is O(n^2). */
export const MAX_FOR_PRESENCE = 100;

/** All in milliseconds. */
export const presenceTimes = {
  /** Minimum interval between two announcements; changes in between are batched. */
  spacing: 50,
  /** Maximum interval between two announcements. */
  heartbeat: 3_000,
  /** Silence after which a replica and its people count as gone. */
  lease: 9_000,
  /** Minimum interval between two rounds, in which everything is announced. */
  rounds: 2_000,
} as const;

/** A person who follows a room at this replica. */
interface RoomHere {
  readonly people: Map<string, Person & { subscribers: number }>;
  /**
   * The followers, as kept by LiveRooms: it already includes someone who has just come, and no longer someone who has
   * just left.
   */
  readonly followers: ReadonlySet<Following>;
}

/**
 * Notifies the followers of a room of each other and of typing, at this replica and all others. None of this is recorded.
 * The replicas announce it to each other on a channel that may lose messages; lost ones are detected and repeated.
 */
export class Presence {
  private readonly here = new Map<string, RoomHere>();
  private readonly others = new OtherReplicas((room, person, online) => this.movedElsewhere(room, person, online));
  private readonly id = newId();
  private readonly news: PendingNews;
  private readonly channel: Listener;
  private readonly stopping = new AbortController();
  private wake = () => {};
  private roundAsked = false;
  private roundBegun = Number.NEGATIVE_INFINITY;
  private heardMyself = 0;
  private announcing: Promise<void> = Promise.resolve();

  /** @param directUrl bypasses any transaction pooler. */
  constructor(
    directUrl: string,
    private readonly loadHere: () => Load,
    log: TroubleLog,
  ) {
    this.news = new PendingNews(this.id, (room) => this.peopleToAnnounce(room), loadHere);
    this.channel = new Listener({
      directUrl,
      channel: 'verbatim_presence',
      log,
      heard: (text) => this.hear(text),
      listening: () => this.wake(),
    });
  }

  /** Starts listening to the other replicas and announcing our followers. */
  start(): void {
    this.channel.start();
    this.announcing = this.keepAnnouncing();
  }

  /** Number of other replicas that we hear from. */
  get replicas(): number {
    return this.others.size;
  }

  /** The load of this replica, then of each other one; null where it is unknown. */
  get loads(): ReadonlyMap<string, Load | null> {
    return new Map([[this.id, this.loadHere()], ...this.others.loads]);
  }

  /** Who follows a room, here and, as announced, at the other replicas. */
  peopleIn(roomId: string): readonly Person[] {
    const present = new Map<string, Person>();
    for (const people of [this.others.peopleIn(roomId), this.here.get(roomId)?.people.values() ?? []])
      for (const { id, username } of people) present.set(id, { id, username });
    return [...present.values()];
  }

  /** Updates dropped because too many were waiting. */
  get dropped(): number {
    return this.news.dropped + this.others.dropped;
  }

  /** Announces that everyone has left this replica. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.announcing;
    if (this.channel.open) await this.channel.notify(this.news.goodbye());
    await this.channel.close();
  }

  // Followers here ------------------------------------------------------------------------------------------------------

  /** Someone now follows a room live. `followers`: everyone who follows it here. */
  entered(following: Following, followers: ReadonlySet<Following>): void {
    const { roomId, subscriber } = following;
    const { id } = subscriber.actor;
    const room = this.here.get(roomId) ?? { people: new Map(), followers };
    this.here.set(roomId, room);
    const person = room.people.get(id);
    if (person) person.subscribers += 1;
    else {
      const newcomer = { id, username: subscriber.username, subscribers: 1 };
      room.people.set(id, newcomer);
      this.movedHere(roomId, room, newcomer, true);
    }
    this.sendWhoIsThere(following);
  }

  /** Someone whose arrival was announced no longer follows a room. */
  left({ roomId, subscriber }: Following): void {
    const room = this.here.get(roomId);
    const person = room?.people.get(subscriber.actor.id);
    if (!room || !person) return;
    person.subscribers -= 1;
    if (person.subscribers > 0) return;
    room.people.delete(person.id);
    if (room.people.size === 0) this.here.delete(roomId);
    this.movedHere(roomId, room, person, false);
  }

  /** Someone who follows a room is typing. */
  typing({ roomId, subscriber }: Following): void {
    const person = { id: subscriber.actor.id, username: subscriber.username };
    this.sendTyping(roomId, person);
    if (this.others.size === 0) return;
    this.news.isTyping(roomId, person);
    this.wake();
  }

  private movedHere(roomId: string, room: RoomHere, person: Person, online: boolean): void {
    if (!this.others.isThere(roomId, person.id)) this.sendPresence(roomId, person, online);
    // For a room with too many people, only that fact is announced.
    if (this.others.size === 0 || room.people.size > MAX_FOR_PRESENCE + 1) return;
    this.news.roomChanged(roomId);
    this.wake();
  }

  private movedElsewhere(roomId: string, person: Person, online: boolean): void {
    if (!this.here.get(roomId)?.people.has(person.id)) this.sendPresence(roomId, person, online);
  }

  private sendPresence(roomId: string, { id, username }: Person, online: boolean): void {
    if (this.crowded(roomId)) return;
    this.sendToOthers(roomId, id, (encoder) => encoder.presence(roomId, { id, username }, online));
  }

  private sendTyping(roomId: string, person: Person): void {
    this.sendToOthers(roomId, person.id, (encoder) => encoder.typing(roomId, person));
  }

  private sendWhoIsThere({ roomId, subscriber }: Following): void {
    if (this.crowded(roomId)) return;
    for (const person of this.peopleIn(roomId)) {
      if (person.id === subscriber.actor.id) continue;
      const bytes = subscriber.encoder.presence(roomId, person, true);
      if (bytes) subscriber.write(bytes);
    }
  }

  /** Sends to everyone who follows the room here, except the person concerned. */
  private sendToOthers(roomId: string, personId: string, encode: (encoder: Encoder) => Buffer | null): void {
    const encoded = new PerEncoder(encode);
    for (const { live, subscriber } of this.here.get(roomId)?.followers ?? []) {
      if (!live || subscriber.actor.id === personId) continue;
      const bytes = encoded.get(subscriber.encoder);
      if (bytes) subscriber.write(bytes);
    }
  }

  private crowded(roomId: string): boolean {
    const here = this.here.get(roomId)?.followers.size ?? 0;
    return here + this.others.countIn(roomId) > MAX_FOR_PRESENCE;
  }

  // Other replicas ------------------------------------------------------------------------------------------------------

  private peopleToAnnounce(roomId: string): Person[] | null {
    const people = this.here.get(roomId)?.people;
    if (!people) return [];
    return people.size > MAX_FOR_PRESENCE ? null : [...people.values()];
  }

  private hear(text: string): void {
    const announcement = readAnnouncement(text);
    if (!announcement) return;
    const { from, asks, typing } = announcement;
    if (from === this.id) {
      this.heardMyself = performance.now();
      return;
    }
    const known = this.others.size;
    if (this.others.handle(announcement, performance.now())) this.news.ask(from);
    // We may have missed announcements of a replica before we knew of it.
    if (asks.includes(this.id) || this.others.size > known) this.roundAsked = true;
    if (this.hasNews) this.wake();
    for (const { room, person } of typing) this.sendTyping(room, person);
  }

  /** Announces what is pending, at most every `spacing` and at least every `heartbeat` milliseconds. */
  private async keepAnnouncing(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.newsOrHeartbeat();
      await sleep(presenceTimes.spacing, undefined, { signal }).catch(() => undefined);
      this.forgetSilent();
      if (signal.aborted || !this.channel.open) continue;
      if (this.roundDue) this.beginRound();
      await this.channel.notify(this.news.next());
    }
  }

  private newsOrHeartbeat(): Promise<void> {
    if (this.channel.open && this.hasNews) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, presenceTimes.heartbeat);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.stopping.signal.aborted) this.wake();
    });
  }

  /** Silence means something only while this replica hears itself: the database or this process may have stalled. */
  private forgetSilent(): void {
    const now = performance.now();
    if (now - this.heardMyself > presenceTimes.heartbeat * 2) this.others.excuseSilence(now);
    else this.others.forgetSilent(now - presenceTimes.lease);
    if (this.others.size === 0) this.news.clear();
  }

  /** Whether there is anything to announce beyond a heartbeat. */
  private get hasNews(): boolean {
    return !this.news.empty || this.roundDue;
  }

  private get roundDue(): boolean {
    const wanted = this.roundAsked || this.news.needsRound;
    return wanted && this.others.size > 0 && performance.now() - this.roundBegun >= presenceTimes.rounds;
  }

  private beginRound(): void {
    this.roundAsked = false;
    this.roundBegun = performance.now();
    this.news.beginRound(this.here.keys());
  }
}
