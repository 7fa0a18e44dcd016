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

export const subscriptionLimits = {
  /** Subscriptions of a session, filters of one packet, and characters of a filter. */
  filters: 200,
  filterLength: 1_024,
  /** Rooms that a client joins at the same time. */
  enteringAtOnce: 8,
  /** Topics whose QoS is cached. */
  topics: 2_000,
} as const;

export interface SubscriptionsParts {
  readonly commands: CommandBus;
  readonly queries: QueryBus;
  readonly live: LiveRooms;
  readonly finder: RoomFinder;
  readonly topics: RoomTopics;
  /** Limits joins in progress, over all clients. */
  readonly joining: Semaphore;
  readonly newContext: () => Context;
}

interface Subscribed {
  readonly filter: Filter;
  readonly qos: 0 | 1;
  /** Without the client's own publications (No Local). */
  readonly others: boolean;
}

/** The database or the event store did not answer. The client may try again. */
export class NotNow extends Error {}

/**
 * A client's subscriptions and the rooms it follows for them. Only members can read a room, so subscribing to all rooms joins the
 * public ones.
 */
export class Subscriptions {
  private readonly filters = new Map<string, Subscribed>();
  private readonly rooms = new Set<string>();
  private readonly remembered = new Map<string, 0 | 1 | null>();

  constructor(
    private readonly parts: SubscriptionsParts,
    private readonly subscriber: Subscriber,
    /** How far each room was acknowledged, for resumed sessions. */
    private readonly places: ReadonlyMap<string, bigint>,
  ) {}

  get all(): KeptSubscription[] {
    return [...this.filters.values()].map(({ filter, qos, others }) => ({
      filter: filter.text,
      qos,
      ...(others ? { others } : {}),
    }));
  }

  /** Whether any subscription leaves out the client's own publications. */
  get toOthers(): boolean {
    return [...this.filters.values()].some(({ others }) => others);
  }

  /** Adds or replaces a subscription. `others`: without the client's own publications. */
  add(text: string, qos: number, others = false): Grant {
    const filter = text.length <= subscriptionLimits.filterLength ? Filter.read(text) : 'malformed';
    if (typeof filter === 'string') return filter;
    if (this.filters.size >= subscriptionLimits.filters && !this.filters.has(text)) return 'tooMany';
    const granted = qos === 0 ? 0 : 1;
    this.filters.set(text, { filter, qos: granted, others });
    this.remembered.clear();
    return granted;
  }

  /** Returns whether each subscription existed. */
  removeAll(texts: readonly string[]): boolean[] {
    const existed = texts.map((text) => this.filters.delete(text));
    this.remembered.clear();
    for (const roomId of this.rooms) if (!this.wants(roomId)) this.leave(roomId);
    return existed;
  }

  /** The QoS for a topic; null if no subscription matches. */
  qosOf(topic: string): 0 | 1 | null {
    const known = this.remembered.get(topic);
    if (known !== undefined) return known;
    const best = this.bestOf(topic, () => true);
    if (this.remembered.size >= subscriptionLimits.topics) this.remembered.clear();
    this.remembered.set(topic, best);
    return best;
  }

  /** The same for the client's own publications. */
  qosOfOwn(topic: string): 0 | 1 | null {
    return this.bestOf(topic, ({ others }) => !others);
  }

  private bestOf(topic: string, counts: (one: Subscribed) => boolean): 0 | 1 | null {
    let best: 0 | 1 | null = null;
    for (const one of this.filters.values())
      if ((best === null || one.qos > best) && counts(one) && one.filter.matches(topic)) best = one.qos;
    return best;
  }

  /** Whether the texts of a room are sent at QoS 1. */
  acknowledges(roomId: string): boolean {
    const topic = this.parts.topics.of(roomId);
    return topic !== null && this.qosOf(textTopic(topic)) === 1;
  }

  /** Follows the rooms that these subscriptions match. The caller has to catch up with the result. */
  async follow(texts: readonly string[]): Promise<Following[]> {
    const wanted = [...new Set(texts)].flatMap((text) => this.filters.get(text)?.filter ?? []);
    const found: Following[] = [];
    if (wanted.some(({ forAllRooms }) => forAllRooms)) {
      const query = new RoomsWithinReachQuery(this.subscriber.actor.id, liveLimits.rooms);
      const within = accepted(await this.parts.queries.execute(query)) ?? [];
      for (let i = 0; i < within.length && this.subscriber.open; i += subscriptionLimits.enteringAtOnce) {
        const some = within.slice(i, i + subscriptionLimits.enteringAtOnce);
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

  /** A room has changed and may match a subscription now. It is followed after revision `after`. */
  async consider(roomId: string, after: bigint, mayEnter: boolean): Promise<Following | null> {
    const room = await this.look(roomId);
    if (!this.wantsName(topicName(roomId, room))) return null;
    // A new room has no former members.
    if (room.isMember || (mayEnter && room.isOpenToAll && after === 0n)) return this.enter(roomId, after);
    if (!mayEnter || !room.isOpenToAll) return null;
    const before = accepted(await this.parts.queries.execute(new HasLeftQuery(roomId, this.subscriber.actor.id)));
    return before?.hasLeft ? null : this.enter(roomId, after);
  }

  /** The person is no longer in the room. */
  forget(roomId: string): void {
    if (this.rooms.delete(roomId)) this.parts.topics.release(roomId);
  }

  /** Call when the client has disconnected. */
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
    // A client too far behind continues from now.
    const following = (await follow(start)) ?? (await follow(undefined));
    if (following === null || isRejection(following)) {
      this.forget(roomId);
      if (following?.rejected === 'Unavailable') throw new NotNow(following.detail);
      return null;
    }
    return following;
  }

  /** Joins an open room. Returns whether the person is a member. */
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

/** Null if refused. Throws NotNow if another attempt may succeed. */
function accepted<T extends object>(outcome: T | Rejection): T | null {
  if (!isRejection(outcome)) return outcome;
  if (outcome.rejected === 'Unavailable') throw new NotNow(outcome.detail);
  return null;
}

function notNow(error: unknown): never {
  throw new NotNow('The service did not answer.', { cause: error });
}
