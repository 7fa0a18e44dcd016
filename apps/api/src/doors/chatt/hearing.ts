import type { CommandBus, QueryBus } from '@nestjs/cqrs';
import { isRejection, nameKey, type Rejection } from '@verbatim/domain';
import {
  HasLeftQuery,
  type RoomAtHand,
  RoomAtHandQuery,
  RoomsWithinReachQuery,
} from '../../application/rooms/reach-queries.js';
import { JoinRoomCommand } from '../../application/rooms/room-commands.js';
import type { Semaphore } from '../../limits/semaphore.js';
import type { Following } from '../../live/following.js';
import { type LiveRooms, liveLimits } from '../../live/live-rooms.js';
import type { Subscriber } from '../../live/subscriber.js';
import type { Context } from '../../write-side/mailbox.js';
import type { Grant } from './dialect.js';
import type { RoomFinder } from './room-finder.js';
import { type RoomTopics, topicName } from './room-topics.js';
import type { KeptSubscription } from './session-ledger.js';
import { Filter, textTopic } from './topics.js';

export const hearingLimits = {
  /** Subscriptions of a session, and filters of one packet; and characters of a filter. */
  filters: 200,
  filterLength: 1_024,
  /** Rooms that a client enters at the same time. */
  enteringAtOnce: 8,
  /** Topics of which it is remembered whether a client wants them. */
  topics: 2_000,
} as const;

export interface HearingParts {
  readonly commands: CommandBus;
  readonly queries: QueryBus;
  readonly live: LiveRooms;
  readonly finder: RoomFinder;
  readonly topics: RoomTopics;
  /** Joining rooms, by all clients together. */
  readonly joining: Semaphore;
  readonly newContext: () => Context;
}

interface Subscribed {
  readonly filter: Filter;
  readonly qos: 0 | 1;
  /** Not to what the client publishes itself. */
  readonly others: boolean;
}

/** The database or the event store did not answer: what was asked may be asked again. */
export class NotNow extends Error {}

/**
 * What a client hears: its subscriptions, and the rooms that it follows for them. Whoever subscribes to all rooms enters the
 * public ones, as they could with any other client; nobody can read a room without being in it.
 */
export class Hearing {
  private readonly filters = new Map<string, Subscribed>();
  private readonly rooms = new Set<string>();
  private readonly remembered = new Map<string, 0 | 1 | null>();

  constructor(
    private readonly parts: HearingParts,
    private readonly subscriber: Subscriber,
    /** Where rooms were left, for sessions that go on. */
    private readonly places: ReadonlyMap<string, bigint>,
  ) {}

  get subscriptions(): KeptSubscription[] {
    return [...this.filters.values()].map(({ filter, qos, others }) => ({
      filter: filter.text,
      qos,
      ...(others ? { others } : {}),
    }));
  }

  /** Whether there is a subscription to what others publish only. */
  get toOthers(): boolean {
    return [...this.filters.values()].some(({ others }) => others);
  }

  /** Adds a subscription, or replaces it. `others`: not to what this client publishes itself. */
  add(text: string, qos: number, others = false): Grant {
    const filter = text.length <= hearingLimits.filterLength ? Filter.read(text) : 'malformed';
    if (typeof filter === 'string') return filter;
    if (this.filters.size >= hearingLimits.filters && !this.filters.has(text)) return 'tooMany';
    const granted = qos === 0 ? 0 : 1;
    this.filters.set(text, { filter, qos: granted, others });
    this.remembered.clear();
    return granted;
  }

  /** For each of these, whether there was such a subscription. */
  removeAll(texts: readonly string[]): boolean[] {
    const existed = texts.map((text) => this.filters.delete(text));
    this.remembered.clear();
    for (const roomId of this.rooms) if (!this.wants(roomId)) this.leave(roomId);
    return existed;
  }

  /** The QoS at which the client wants what is published at this topic; null: it does not. */
  qosOf(topic: string): 0 | 1 | null {
    const known = this.remembered.get(topic);
    if (known !== undefined) return known;
    const best = this.bestOf(topic, () => true);
    if (this.remembered.size >= hearingLimits.topics) this.remembered.clear();
    this.remembered.set(topic, best);
    return best;
  }

  /** Likewise for what the client has published itself. */
  qosOfOwn(topic: string): 0 | 1 | null {
    return this.bestOf(topic, ({ others }) => !others);
  }

  private bestOf(topic: string, counts: (one: Subscribed) => boolean): 0 | 1 | null {
    let best: 0 | 1 | null = null;
    for (const one of this.filters.values())
      if ((best === null || one.qos > best) && counts(one) && one.filter.matches(topic)) best = one.qos;
    return best;
  }

  /** Whether the texts of a room have to be acknowledged. */
  acknowledges(roomId: string): boolean {
    const topic = this.parts.topics.of(roomId);
    return topic !== null && this.qosOf(textTopic(topic)) === 1;
  }

  /** Follows the rooms that these subscriptions ask for, while the client is there. What is returned has to be caught up with. */
  async follow(texts: readonly string[]): Promise<Following[]> {
    const wanted = [...new Set(texts)].flatMap((text) => this.filters.get(text)?.filter ?? []);
    const found: Following[] = [];
    if (wanted.some(({ forAllRooms }) => forAllRooms)) {
      const query = new RoomsWithinReachQuery(this.subscriber.actor.id, liveLimits.rooms);
      const within = accepted(await this.parts.queries.execute(query)) ?? [];
      for (let i = 0; i < within.length && this.subscriber.open; i += hearingLimits.enteringAtOnce) {
        const some = within.slice(i, i + hearingLimits.enteringAtOnce);
        const entered = await Promise.all(some.map(({ id }) => this.enter(id)));
        found.push(...entered.filter((following) => following !== null));
      }
    }
    for (const room of new Set(wanted.map((filter) => filter.room))) {
      if (!this.subscriber.open) break;
      if (room === null) continue;
      const roomId = accepted(await this.parts.finder.find(room))?.roomId ?? null;
      const following = roomId === null ? null : await this.enter(roomId);
      if (following) found.push(following);
    }
    return found;
  }

  /** Something has happened to a room after which the client may want it. `after`: the revision up to which nothing is missed. */
  async consider(roomId: string, after: bigint, mayEnter: boolean): Promise<Following | null> {
    const room = await this.look(roomId);
    if (!this.wantsName(topicName(roomId, room))) return null;
    // Nobody has left a room that has just begun.
    if (room.isMember || (mayEnter && room.isOpenToAll && after === 0n)) return this.enter(roomId, after);
    if (!mayEnter || !room.isOpenToAll) return null;
    const before = accepted(await this.parts.queries.execute(new HasLeftQuery(roomId, this.subscriber.actor.id)));
    return before?.hasLeft ? null : this.enter(roomId, after);
  }

  /** The person is not in the room any more. */
  forget(roomId: string): void {
    if (this.rooms.delete(roomId)) this.parts.topics.release(roomId);
  }

  /** To be called when the client has gone. */
  close(): void {
    for (const roomId of [...this.rooms]) this.forget(roomId);
  }

  private leave(roomId: string): void {
    this.parts.live.unfollow(this.subscriber, roomId);
    this.forget(roomId);
  }

  private async enter(roomId: string, after?: bigint): Promise<Following | null> {
    const { live, topics, newContext } = this.parts;
    if (this.rooms.has(roomId) || !(await this.join(roomId))) return null;
    topics.hold(roomId, await this.look(roomId));
    this.rooms.add(roomId);
    if (!this.wants(roomId)) {
      this.forget(roomId);
      return null;
    }
    const start = this.acknowledges(roomId) ? (this.places.get(roomId) ?? after) : after;
    const purpose = { context: newContext() };
    const follow = (from: bigint | undefined) =>
      live.follow(this.subscriber, roomId, from, purpose, () => undefined).catch(notNow);
    // Whoever is too far behind goes on from now.
    const following = (await follow(start)) ?? (await follow(undefined));
    if (following === null || isRejection(following)) {
      this.forget(roomId);
      if (following?.rejected === 'Unavailable') throw new NotNow(following.detail);
      return null;
    }
    return following;
  }

  /** Whether the person is in the room, or has entered it now. */
  private async join(roomId: string): Promise<boolean> {
    const { commands, joining, newContext } = this.parts;
    const { actor } = this.subscriber;
    const { isMember, isOpenToAll } = await this.look(roomId);
    if (isMember || !isOpenToAll || actor.role === 'auditor') return isMember;
    const joined = await joining
      .run(() => commands.execute(new JoinRoomCommand(roomId, actor, {}, newContext())))
      .catch(notNow);
    return accepted(joined) !== null;
  }

  private look(roomId: string): Promise<RoomAtHand> {
    return this.parts.queries.execute(new RoomAtHandQuery(roomId, this.subscriber.actor.id)).catch(notNow);
  }

  private wants(roomId: string): boolean {
    const topic = this.parts.topics.of(roomId);
    return topic !== null && this.wantsName(topic);
  }

  private wantsName(topic: string): boolean {
    const key = nameKey(topic);
    return [...this.filters.values()].some(({ filter }) => filter.forAllRooms || filter.room === key);
  }
}

/** Null if it was refused for good; throws NotNow if it may be asked again. */
function accepted<T extends object>(outcome: T | Rejection): T | null {
  if (!isRejection(outcome)) return outcome;
  if (outcome.rejected === 'Unavailable') throw new NotNow(outcome.detail);
  return null;
}

function notNow(error: unknown): never {
  throw new NotNow('The service did not answer.', { cause: error });
}
