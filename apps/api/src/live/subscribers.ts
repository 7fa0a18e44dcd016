import { parseStream, type Recorded, type ServerRole, type UserState } from '@verbatim/domain';
import type { Feed } from '../feed/feed.js';
import type { KeyedQueue } from '../feed/keyed-queue.js';
import type { Users } from '../write-side/entities.js';
import type { LiveRooms } from './live-rooms.js';
import type { Subscriber } from './subscriber.js';
import type { Watchers } from './watchers.js';

/** Provides `SecondFactorRule`. */
export const SECOND_FACTOR_RULE = Symbol('second factor rule');

/** Knows whose role requires a second factor. */
export interface SecondFactorRule {
  demands(role: ServerRole): boolean;
  /** Whether the account lacks a second factor that its role requires. */
  lacking(state: UserState): boolean;
}

/** Accounts looked up concurrently after a role change, and how many may wait for it. */
const LOOK_UPS = 4;
const MAX_WAITING = 1_000;
/** Consecutive failures, about three seconds, after which the subscribers of an account have to reconnect. */
const LOOK_UP_ATTEMPTS = 6;

/** The subscribers of all doors. Changes to an account take effect on its subscribers at once. */
export class Subscribers {
  private readonly open = new Set<Subscriber>();
  private readonly roleChanges: KeyedQueue<null>;

  constructor(
    private readonly users: Pick<Users, 'current'>,
    private readonly rooms: Pick<LiveRooms, 'reconsider' | 'leave'>,
    private readonly watchers: Pick<Watchers, 'unwatch'>,
    private readonly secondFactor: SecondFactorRule,
    feed: Pick<Feed, 'queue'>,
  ) {
    this.roleChanges = feed.queue({
      name: 'second factors of changed roles',
      capacity: MAX_WAITING,
      atOnce: LOOK_UPS,
      attempts: LOOK_UP_ATTEMPTS,
      handle: (userId) => this.checkSecondFactor(userId),
      giveUp: (userId) => this.interrupt(userId),
    });
  }

  /** A door calls this once it knows who the subscriber is, and `remove` when the subscriber has ended. */
  add(subscriber: Subscriber): void {
    this.open.add(subscriber);
  }

  /** Ends everything that the subscriber follows and watches. */
  remove(subscriber: Subscriber): void {
    this.open.delete(subscriber);
    this.rooms.leave(subscriber);
    this.watchers.unwatch(subscriber);
  }

  /** A sink of the feed. */
  handle(events: readonly Recorded[]): void {
    for (const event of events) {
      if (!changesSubscribers(event.type)) continue;
      const userId = parseStream(event.stream).id;
      for (const subscriber of this.of(userId)) this.apply(event, subscriber);
      if (event.type === 'UserRoleChanged' && this.secondFactor.demands(event.data.role) && this.has(userId))
        this.roleChanges.enqueue(userId, null, event.position);
    }
  }

  /** Called when `handle` failed: everyone concerned is checked again when they reconnect. */
  rescue(events: readonly Recorded[]): void {
    for (const event of events) if (changesSubscribers(event.type)) this.interrupt(parseStream(event.stream).id);
  }

  private apply(event: Recorded, subscriber: Subscriber): void {
    if (event.type === 'UserSuspended' || event.type === 'UserDeactivated') subscriber.close('revoked');
    else if (event.type === 'SessionRevoked' && event.data.sessionId === subscriber.sessionId)
      subscriber.close('revoked');
    else if (event.type === 'TokenRevoked' && event.data.tokenId === subscriber.sessionId) subscriber.close('revoked');
    else if (event.type === 'TotpDisabled' && this.secondFactor.demands(subscriber.actor.role))
      subscriber.close('unauthenticated');
    else if (event.type === 'UserRoleChanged') {
      subscriber.actor = { id: subscriber.actor.id, role: event.data.role };
      this.rooms.reconsider(subscriber);
    }
  }

  private async checkSecondFactor(userId: string): Promise<void> {
    if (!this.has(userId)) return;
    const { state } = await this.users.current(userId);
    if (this.secondFactor.lacking(state)) for (const subscriber of this.of(userId)) subscriber.close('unauthenticated');
  }

  private interrupt(userId: string): void {
    for (const subscriber of this.of(userId)) subscriber.close('drain');
  }

  private has(userId: string): boolean {
    return this.of(userId).length > 0;
  }

  private of(userId: string): readonly Subscriber[] {
    const found: Subscriber[] = [];
    for (const subscriber of this.open) if (subscriber.actor.id === userId) found.push(subscriber);
    return found;
  }
}

const changesSubscribers = (type: string): boolean => changing.has(type);
const changing: ReadonlySet<string> = new Set([
  ...['UserSuspended', 'UserDeactivated', 'SessionRevoked', 'TokenRevoked', 'UserRoleChanged', 'TotpDisabled'],
]);
