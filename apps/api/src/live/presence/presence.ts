import { setTimeout as sleep } from 'node:timers/promises';
import type { TroubleLog } from '@verbatim/event-store';
import type { Person } from '@verbatim/protocol';
import { encode } from '../../doors/websocket/frame-text.js';
import { newId } from '../../new-id.js';
import type { Following } from '../following.js';
import { type Load, readAnnouncement } from './announcement.js';
import { NotifyChannel } from './notify-channel.js';
import { OtherReplicas } from './other-replicas.js';
import { PendingNews } from './pending-news.js';

/** Followers of a room up to which they are told who comes and goes: telling costs the square. */
export const MOST_FOR_PRESENCE = 100;

/** All in milliseconds. */
export const presenceTimes = {
  /** At least, between two announcements: what happens meanwhile is told together. */
  spacing: 50,
  /** At most, between two announcements. */
  heartbeat: 3_000,
  /** Silence after which a replica is taken for gone, and its people with it. */
  lease: 9_000,
  /** At least, between two rounds of telling everything. */
  rounds: 2_000,
} as const;

/** Who follows a room at this replica. */
interface RoomHere {
  readonly people: Map<string, Person & { sockets: number }>;
  /** The followers, as LiveRooms keeps them; they are in it when they come, and are not when they have left. */
  readonly followers: ReadonlySet<Following>;
}

/**
 * Tells those who follow a room who else does, and who is typing, at this replica and at all others. Nothing of it is
 * recorded. The replicas tell each other by a channel that may lose something; what is lost is missed and told again.
 */
export class Presence {
  private readonly here = new Map<string, RoomHere>();
  private readonly others = new OtherReplicas((room, person, online) => this.movedElsewhere(room, person, online));
  private readonly id = newId();
  private readonly news: PendingNews;
  private readonly channel: NotifyChannel;
  private readonly stopping = new AbortController();
  private wake = () => {};
  private roundAsked = false;
  private roundBegun = Number.NEGATIVE_INFINITY;
  private heardMyself = 0;
  private announcing: Promise<void> = Promise.resolve();

  constructor(
    directUrl: string,
    private readonly loadHere: () => Load,
    log: TroubleLog,
  ) {
    this.news = new PendingNews(this.id, (room) => this.toTell(room), loadHere);
    this.channel = new NotifyChannel({
      directUrl,
      channel: 'verbatim_presence',
      log,
      hear: (text) => this.hear(text),
      opened: () => this.wake(),
    });
  }

  /** Begins to listen to the other replicas and to tell them who is here. */
  start(): void {
    this.channel.listen();
    this.announcing = this.keepAnnouncing();
  }

  /** Other replicas that are heard of. */
  get replicas(): number {
    return this.others.size;
  }

  /** How much this replica and each of the others has to do, this one first; null where it is not known. */
  get loads(): ReadonlyMap<string, Load | null> {
    return new Map([[this.id, this.loadHere()], ...this.others.loads]);
  }

  /** What was passed over because there was too much. */
  get dropped(): number {
    return this.news.dropped + this.others.dropped;
  }

  /** Tells the other replicas that nobody is here any more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.announcing;
    if (this.channel.open) await this.channel.tell(this.news.goodbye());
    await this.channel.close();
  }

  // Those who follow here -----------------------------------------------------------------------------------------------

  /** Somebody follows a room live from now on. `followers` are all who follow it here. */
  entered(following: Following, followers: ReadonlySet<Following>): void {
    const { roomId, connection } = following;
    const { id } = connection.actor;
    const room = this.here.get(roomId) ?? { people: new Map(), followers };
    this.here.set(roomId, room);
    const person = room.people.get(id);
    if (person) person.sockets += 1;
    else {
      const newcomer = { id, username: connection.username, sockets: 1 };
      room.people.set(id, newcomer);
      this.movedHere(roomId, room, newcomer, true);
    }
    this.tellWhoIsThere(following, room);
  }

  /** Somebody does not follow a room any more whose entering was told. */
  left({ roomId, connection }: Following): void {
    const room = this.here.get(roomId);
    const person = room?.people.get(connection.actor.id);
    if (!room || !person) return;
    person.sockets -= 1;
    if (person.sockets > 0) return;
    room.people.delete(person.id);
    if (room.people.size === 0) this.here.delete(roomId);
    this.movedHere(roomId, room, person, false);
  }

  /** Somebody who follows a room is writing. */
  typing({ roomId, connection }: Following): void {
    const person = { id: connection.actor.id, username: connection.username };
    this.tellOthers('typing', roomId, person, { room: roomId, user: person });
    if (this.others.size === 0) return;
    this.news.isTyping(roomId, person);
    this.wake();
  }

  private movedHere(roomId: string, room: RoomHere, person: Person, online: boolean): void {
    if (!this.others.isThere(roomId, person.id)) this.tellOfMoving(roomId, person, online);
    // Of a room with too many people there is one thing to be told: that it is one.
    if (this.others.size === 0 || room.people.size > MOST_FOR_PRESENCE + 1) return;
    this.news.roomChanged(roomId);
    this.wake();
  }

  private movedElsewhere(roomId: string, person: Person, online: boolean): void {
    if (!this.here.get(roomId)?.people.has(person.id)) this.tellOfMoving(roomId, person, online);
  }

  private tellOfMoving(roomId: string, { id, username }: Person, online: boolean): void {
    if (this.crowded(roomId)) return;
    const user = { id, username };
    this.tellOthers('presence', roomId, user, { room: roomId, user, online });
  }

  private tellWhoIsThere({ roomId, connection }: Following, room: RoomHere): void {
    if (this.crowded(roomId)) return;
    const present = new Map<string, Person>();
    for (const people of [this.others.peopleIn(roomId), room.people.values()])
      for (const { id, username } of people) present.set(id, { id, username });
    present.delete(connection.actor.id);
    for (const user of present.values()) connection.send('presence', { room: roomId, user, online: true });
  }

  private tellOthers(event: 'presence' | 'typing', roomId: string, person: Person, data: object): void {
    const frame = encode(event, data);
    for (const { live, connection } of this.here.get(roomId)?.followers ?? [])
      if (live && connection.actor.id !== person.id) connection.sendBytes(frame);
  }

  private crowded(roomId: string): boolean {
    const here = this.here.get(roomId)?.followers.size ?? 0;
    return here + this.others.countIn(roomId) > MOST_FOR_PRESENCE;
  }

  // The other replicas --------------------------------------------------------------------------------------------------

  private toTell(roomId: string): Person[] | null {
    const people = this.here.get(roomId)?.people;
    if (!people) return [];
    return people.size > MOST_FOR_PRESENCE ? null : [...people.values()];
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
    if (this.others.take(announcement, performance.now())) this.news.ask(from);
    // Whoever is new here may not have been told what happened while it was not known.
    if (asks.includes(this.id) || this.others.size > known) this.roundAsked = true;
    if (this.muchToTell) this.wake();
    for (const { room, person } of typing) this.tellOthers('typing', room, person, { room, user: person });
  }

  /** Tells what there is to tell, never more often than `spacing` and never less often than `heartbeat`. */
  private async keepAnnouncing(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.somethingToTell();
      await sleep(presenceTimes.spacing, undefined, { signal }).catch(() => undefined);
      this.forgetSilent();
      if (signal.aborted || !this.channel.open) continue;
      if (this.roundDue) this.beginRound();
      await this.channel.tell(this.news.next());
    }
  }

  private somethingToTell(): Promise<void> {
    if (this.channel.open && this.muchToTell) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, presenceTimes.heartbeat);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.stopping.signal.aborted) this.wake();
    });
  }

  /** Silence says something only while this replica hears itself: the database, or this process, may have stood still. */
  private forgetSilent(): void {
    const now = performance.now();
    if (now - this.heardMyself > presenceTimes.heartbeat * 2) this.others.excuseSilence(now);
    else this.others.forgetSilent(now - presenceTimes.lease);
    if (this.others.size === 0) this.news.clear();
  }

  /** Whether there is more to tell than that this replica is there. */
  private get muchToTell(): boolean {
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
