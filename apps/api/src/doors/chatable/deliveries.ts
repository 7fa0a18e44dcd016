import type { QueryBus } from '@nestjs/cqrs';
import { isRejection, parseStream, type Recorded } from '@verbatim/domain';
import { LRUCache } from 'lru-cache';
import { GetPairQuery } from '../../application/rooms/direct-rooms.js';
import type { Feed } from '../../feed/feed.js';
import type { KeyedQueue } from '../../feed/keyed-queue.js';
import type { LiveRooms } from '../../live/live-rooms.js';
import type { Subscriber } from '../../live/subscriber.js';
import { context } from './context.js';

/** Rooms whose participants are remembered; about 200 bytes each. */
const ROOMS_REMEMBERED = 100_000;
/** Conversations that one connection follows at a time; the one that has been silent the longest is replaced. */
const FOLLOWED = 200;
/** Messages that wait for the participants of their room, and concurrent look-ups of rooms. */
const WAITING = 10_000;
const LOOK_UPS = 8;
/** Failures in a row, about ten seconds, after which everyone has to reconnect. */
const ATTEMPTS = 8;

/**
 * Delivers the messages of direct rooms to the connections of their recipients. A connection starts to follow a conversation
 * with its first message, so that opening a connection costs nothing, however many conversations there are.
 */
export class Deliveries {
  private readonly connections = new Map<string, Set<Subscriber>>();
  private readonly followed = new Map<Subscriber, Followed>();
  /** The two people of a room; empty for rooms that are not direct. */
  private readonly pairs = new LRUCache<string, readonly string[]>({ max: ROOMS_REMEMBERED });
  /** Later messages of the same room wait behind the first. */
  private readonly unknown: KeyedQueue<Recorded>;

  constructor(
    private readonly live: LiveRooms,
    private readonly queries: QueryBus,
    feed: Pick<Feed, 'queue'>,
    private readonly mostFollowed = FOLLOWED,
  ) {
    this.unknown = feed.queue({
      name: 'rooms of direct messages',
      capacity: WAITING,
      atOnce: LOOK_UPS,
      attempts: ATTEMPTS,
      handle: async (roomId, events) => {
        const pair = (await this.queries.execute(new GetPairQuery(roomId))) ?? [];
        this.pairs.set(roomId, pair);
        for (const event of events) this.deliver(roomId, pair, event);
      },
      giveUp: () => this.rescue(),
    });
  }

  add(connection: Subscriber): void {
    const { id } = connection.actor;
    const others = this.connections.get(id);
    if (others) others.add(connection);
    else this.connections.set(id, new Set([connection]));
    this.followed.set(connection, new Map());
  }

  remove(connection: Subscriber): void {
    const { id } = connection.actor;
    const all = this.connections.get(id);
    all?.delete(connection);
    if (all?.size === 0) this.connections.delete(id);
    this.followed.delete(connection);
  }

  /** A sink of the feed, after the one that delivers to existing followers. */
  handle(events: readonly Recorded[]): void {
    for (const event of events) {
      const { category, id } = parseStream(event.stream);
      if (category !== 'room') continue;
      if (event.type === 'MemberJoined') this.noteJoined(id, event.data.userId);
      if (event.type === 'MemberLeft' || event.type === 'MemberRemoved') this.noteGone(id, event.data.userId);
      if (event.type !== 'MessagePosted' || this.connections.size === 0) continue;
      const pair = this.unknown.has(id) ? undefined : this.pairs.get(id);
      if (pair) this.deliver(id, pair, event);
      else this.unknown.enqueue(id, event, event.position);
    }
  }

  /** Something may have been missed: everyone has to reconnect, and finds it in the threads. */
  rescue(): void {
    for (const connection of this.followed.keys()) connection.close('drain');
  }

  private noteJoined(roomId: string, userId: string): void {
    const pair = this.pairs.get(roomId);
    if (pair && pair.length > 0 && !pair.includes(userId)) this.pairs.set(roomId, [...pair, userId]);
  }

  /** People stop following a conversation that they leave, and follow it again when they come back. */
  private noteGone(roomId: string, userId: string): void {
    for (const connection of this.connections.get(userId) ?? []) this.followed.get(connection)?.delete(roomId);
  }

  private deliver(roomId: string, pair: readonly string[], { actor, revision }: Recorded): void {
    for (const userId of pair) {
      if (userId === actor) continue;
      for (const connection of this.connections.get(userId) ?? []) this.follow(connection, roomId, revision);
    }
  }

  private follow(connection: Subscriber, roomId: string, revision: bigint): void {
    const followed = this.followed.get(connection);
    if (!followed) return;
    const known = followed.get(roomId);
    const entry = known ?? { live: false };
    // Sorted: the latest are last.
    followed.delete(roomId);
    followed.set(roomId, entry);
    if (!known) void this.begin(connection, roomId, revision, entry).catch(() => connection.close('drain'));
  }

  private async begin(connection: Subscriber, roomId: string, revision: bigint, entry: Entry): Promise<void> {
    const purpose = { context: context() };
    const following = await this.live.follow(connection, roomId, revision - 1n, purpose, () => undefined);
    if (following === null) return connection.close('drain');
    const refused = isRejection(following) ? following : await this.live.catchUp(following);
    const followed = this.followed.get(connection);
    // They may have left and come back in the meantime.
    if (followed?.get(roomId) !== entry) return;
    if (refused?.rejected === 'NotFound' || refused?.rejected === 'NotAMember') followed.delete(roomId);
    else if (refused) connection.close('drain');
    else entry.live = true;
    this.makeRoom(connection, followed);
  }

  /** Stops following the conversations that have been silent the longest, unless one still has data to send. */
  private makeRoom(connection: Subscriber, followed: Followed): void {
    for (const [roomId, { live }] of followed) {
      if (followed.size <= this.mostFollowed) return;
      if (!live) continue;
      followed.delete(roomId);
      this.live.unfollow(connection, roomId);
    }
  }
}

/** The conversations that a connection follows, by room, the one that was silent the longest first. */
type Followed = Map<string, Entry>;

interface Entry {
  /** Whether everything so far has been sent. */
  live: boolean;
}
