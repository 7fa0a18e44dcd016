import {
  faceOf,
  isRejection,
  maySpeak,
  onlyReads,
  parseStream,
  type Reader,
  type Recorded,
  type Rejection,
  type RoomEvent,
  type RoomState,
  readerOf,
  reject,
  roomStream,
} from '@verbatim/domain';
import type { Time } from '../clock.js';
import { byStream, type Feed } from '../feed/feed.js';
import type { KeyedQueue } from '../feed/keyed-queue.js';
import type { Reads } from '../limits/reads.js';
import type { Directory } from '../storage/directory.js';
import type { OpenLog } from '../storage/open-log.js';
import type { Tracing } from '../telemetry/tracing.js';
import type { Rooms } from '../write-side/entities.js';
import type { Inspections, Purpose } from '../write-side/inspections.js';
import { EncodedRun } from './encoded-run.js';
import { Follower, Following } from './following.js';
import { type LiveEvent, type Person, toLiveEvent, withReplaced } from './live-event.js';
import type { Presence } from './presence/presence.js';
import { type MessageFactsSource, replacedTexts } from './replaced-texts.js';
import type { RemovalReason, Subscriber } from './subscriber.js';

export const liveLimits = {
  /** Rooms that a subscriber may follow at a time. */
  rooms: 1_000,
  /** Events that a client may be behind; beyond that it pages through the history instead. */
  behind: 100_000n,
  /** Runs of events, over all rooms, that wait for their authors' names. */
  waitingRuns: 10_000,
} as const;

/** Events of history read at a time, and the bytes of their sealed texts. */
const PAGE = 200;
const PAGE_BYTES = 589_824;
/** Rooms whose authors are looked up concurrently. */
const LOOK_UPS = 8;
/** Consecutive failures, about ten seconds, after which the followers of a room have to reconnect. */
const LOOK_UP_ATTEMPTS = 8;

/** How following started. */
export interface FollowingStarted {
  /** The newest revision of the room. */
  readonly revision: bigint;
  /** False: the gap is too long to be sent, and the room is not followed. */
  readonly recovered: boolean;
}

/** Delivers room events to the subscribers that follow the rooms. */
export class LiveRooms {
  private readonly followings = new Map<string, Set<Following>>();
  private readonly followers = new Map<Subscriber, Follower>();
  /** Events by authors whose names are not in memory, by room. Later events of the same room queue behind them. */
  private readonly unnamed: KeyedQueue<readonly Recorded[]>;

  constructor(
    private readonly log: OpenLog,
    private readonly rooms: Rooms,
    private readonly directory: Directory,
    private readonly facts: MessageFactsSource,
    private readonly presence: Presence,
    private readonly inspections: Inspections,
    private readonly time: Time,
    private readonly reads: Reads,
    feed: Pick<Feed, 'queue'>,
    private readonly tracing?: Pick<Tracing, 'done'>,
  ) {
    this.unnamed = feed.queue({
      name: 'names of authors',
      capacity: liveLimits.waitingRuns,
      atOnce: LOOK_UPS,
      attempts: LOOK_UP_ATTEMPTS,
      handle: (roomId, runs) => this.deliverNamed(roomId, runs.flat()),
      giveUp: (roomId) => this.interrupt(roomId),
    });
  }

  // Live --------------------------------------------------------------------------------------------------------------

  /** A sink of the feed. */
  handle(events: readonly Recorded[]): void {
    for (const [stream, run] of byStream(events)) {
      const { category, id } = parseStream(stream);
      if (category !== 'room' || !this.followings.get(id)?.size) continue;
      const people = this.unnamed.has(id) ? null : this.directory.cached(run.map((event) => event.actor));
      if (people) this.deliver(id, run, people);
      else this.unnamed.enqueue(id, run, (run[0] as Recorded).position);
    }
  }

  /**
   * Called when `handle` failed: closes the subscribers that may have missed something. They reconnect and resume before
   * the gap.
   */
  rescue(events: readonly Recorded[]): void {
    for (const [stream] of byStream(events)) {
      const { category, id } = parseStream(stream);
      if (category === 'room') this.interrupt(id);
    }
  }

  private interrupt(roomId: string): void {
    for (const { subscriber } of this.followings.get(roomId) ?? []) subscriber.close('drain');
  }

  private async deliverNamed(roomId: string, run: readonly Recorded[]): Promise<void> {
    this.deliver(roomId, run, await this.directory.people(run.map((event) => event.actor)));
  }

  private deliver(roomId: string, run: readonly Recorded[], people: ReadonlyMap<string, Person>): void {
    const followings = this.followings.get(roomId);
    if (!followings) return;
    const [began, followers] = [Date.now(), followings.size];
    const live = withReplaced(run.map((event) => toLiveEvent(event, people, false)));
    // A removed member gets the removal and nothing after it, so runs are split after such events.
    let start = 0;
    for (const [i, event] of run.entries()) {
      if (!changesReaders(event.type)) continue;
      this.sendToAll(roomId, followings, live.slice(start, i + 1));
      this.changeReaders(followings, event as Recorded<RoomEvent>);
      start = i + 1;
    }
    this.sendToAll(roomId, followings, live.slice(start));
    this.tracing?.done('deliver', run, began, { 'verbatim.followers': followers });
  }

  /** Events are encoded once per encoder and face; everyone with that face gets the same bytes. */
  private sendToAll(roomId: string, followings: ReadonlySet<Following>, events: readonly LiveEvent[]): void {
    if (events.length === 0) return;
    const run = new EncodedRun(roomId, events);
    for (const following of followings) {
      if (following.live && following.sent === run.after) run.sendTo(following);
      else this.sendLater(following, run);
    }
  }

  /** For a subscriber whose position is not exactly the start of the run. */
  private sendLater(following: Following, { after, events }: EncodedRun): void {
    if (!following.live) {
      following.hold(events);
    } else if (following.sent < after) {
      // Should be impossible. If it happens, resuming is better than a silent gap.
      following.subscriber.close('drain');
    } else {
      // Catching up was already ahead of the feed.
      this.send(
        following,
        events.filter((event) => event.revision > following.sent),
      );
    }
  }

  private changeReaders(followings: ReadonlySet<Following>, event: Recorded<RoomEvent>): void {
    if (event.type !== 'MemberLeft' && event.type !== 'MemberRemoved' && event.type !== 'MemberRoleChanged') return;
    for (const following of followings) {
      if (following.subscriber.actor.id !== event.data.userId || !following.judgedBefore(event.revision)) continue;
      if (event.type !== 'MemberRoleChanged') {
        this.expel(following, event.type === 'MemberLeft' ? 'left' : 'removed');
      } else if (following.face !== 'auditor') {
        following.face = faceOf(event.data.role, false);
      }
    }
  }

  private expel(following: Following, reason: RemovalReason): void {
    this.remove(following);
    const { subscriber, roomId } = following;
    const bytes = subscriber.encoder.removed(roomId, reason);
    if (bytes) subscriber.write(bytes);
  }

  /**
   * The subscriber's server role has changed. From now on it gets nothing live until its right to read each room has been
   * decided again.
   */
  reconsider(subscriber: Subscriber): void {
    for (const following of this.followedBy(subscriber)) {
      if (!following.suspend()) continue;
      this.catchUp(following).then(
        (rejection) => rejection && subscriber.close('drain'),
        () => subscriber.close('drain'),
      );
    }
  }

  // Following ---------------------------------------------------------------------------------------------------------

  /**
   * Starts to follow after revision `after` (absent: from now on). `started` is called before anything else is written
   * about the room; then call `catchUp` with the following. Null when the gap is too long. Live events are buffered
   * first; only then is the right to read decided, on a state at least as new as the feed. So no one gets a message
   * written after their removal. Reading by a non-member is recorded before anything is sent.
   */
  async follow(
    subscriber: Subscriber,
    roomId: string,
    after: bigint | undefined,
    purpose: Purpose,
    started: (start: FollowingStarted) => void,
  ): Promise<Following | null | Rejection> {
    if (!subscriber.open) return reject('Conflict', 'The connection is being closed.');
    this.unfollow(subscriber, roomId);
    const follower = this.followerOf(subscriber);
    if (follower.catchingUp >= liveLimits.rooms)
      return reject('Unavailable', 'Too much of the past is waiting to be sent on this connection.');
    if (follower.followings.size >= liveLimits.rooms)
      return reject('Invalid', `A connection follows at most ${liveLimits.rooms} rooms.`);
    const following = new Following(follower, roomId);
    this.add(following);
    try {
      const room = await this.admit(following, after, purpose);
      if (isRejection(room)) {
        this.remove(following);
        return room;
      }
      if (following.ended)
        return reject('Conflict', 'Another request to follow or unfollow this room came in between.');
      const { revision, reader } = room;
      const asked = after ?? revision;
      const start = asked < reader.from - 1n ? reader.from - 1n : asked;
      const recovered = start <= revision && revision - start <= liveLimits.behind;
      started({ revision, recovered });
      following.sent = start;
      if (recovered) return following;
      this.remove(following);
      return null;
    } catch (error) {
      this.remove(following);
      throw error;
    }
  }

  private async admit(following: Following, after: bigint | undefined, purpose: Purpose) {
    const room = await this.readable(following, after);
    if (isRejection(room) || room.reader.member) return room;
    const recorded = await this.inspections.record(following.roomId, following.subscriber.actor, 'live', purpose);
    return isRejection(recorded) ? recorded : this.readable(following, after);
  }

  /**
   * Sends the history and goes live, without gaps or duplicates, as fast as the client reads. On a rejection, close the
   * client so that it reconnects and resumes.
   */
  async catchUp(following: Following): Promise<Rejection | null> {
    const { follower } = following;
    follower.catchingUp += 1;
    try {
      const rejection = await this.sendUntilLive(following);
      if (!rejection || following.ended) return null;
      this.remove(following);
      return rejection;
    } catch (error) {
      if (following.ended) return null;
      this.remove(following);
      throw error;
    } finally {
      follower.catchingUp -= 1;
    }
  }

  private async sendUntilLive(following: Following): Promise<Rejection | null> {
    for (;;) {
      const room = await this.readable(following);
      if (isRejection(room)) {
        if (following.isStale && !following.ended) this.expel(following, 'revoked');
        return room;
      }
      const rejection = await this.sendPast(following, room.revision);
      if (rejection || following.ended) return rejection;
      const held = following.goLive();
      if (!held) continue;
      this.send(following, withReplaced(held));
      this.announce(following, room.reader);
      return null;
    }
  }

  /** Others are notified about members, but not about people who follow from outside. */
  private announce(following: Following, reader: Reader): void {
    if (!reader.member || following.announced) return;
    following.announced = true;
    this.presence.entered(following, this.followings.get(following.roomId) ?? new Set());
  }

  private async readable(following: Following, after = -1n) {
    const room = await this.rooms.current(following.roomId);
    const reader = this.judge(following, room);
    if (!isRejection(reader) && after <= room.revision) return { ...room, reader };
    // Another process may have added members or sent events that this process has not seen yet.
    const newest = await this.rooms.newest(following.roomId);
    const newestReader = this.judge(following, newest);
    return isRejection(newestReader) ? newestReader : { ...newest, reader: newestReader };
  }

  /** Decides what the subscriber may read, on a state of the room. */
  private judge(following: Following, { state, revision }: { state: RoomState; revision: bigint }): Reader | Rejection {
    const reader = readerOf(state, following.subscriber.actor);
    if (!isRejection(reader)) following.judge(reader.face, revision);
    return reader;
  }

  /** Sends the history up to the revision at which the right to read was decided, and nothing after it. */
  private async sendPast(following: Following, through: bigint): Promise<Rejection | null> {
    const { follower, subscriber } = following;
    const wanted = () => !following.ended && !following.isStale && subscriber.open;
    while (following.sent < through && wanted()) {
      const rejection = await follower.inTurn(async () => {
        while (subscriber.congested && !following.ended) await subscriber.drained();
        if (!wanted()) return null;
        const reader = this.reads.account(subscriber.actor.id);
        return this.reads.part(reader, () => this.sendPage(following, through), wanted);
      });
      if (rejection) return rejection;
    }
    return null;
  }

  private async sendPage(following: Following, through: bigint): Promise<Rejection | null> {
    const { subscriber, roomId, sent } = following;
    if (following.ended) return null;
    const left = through - sent;
    const limit = left < BigInt(PAGE) ? Number(left) : PAGE;
    const events = await this.log.read(roomStream(roomId), sent + 1n, limit, PAGE_BYTES);
    const replaced = await replacedTexts(this.facts, roomId, await this.rooms.current(roomId), events);
    if (isRejection(replaced)) return replaced;
    const people = await this.directory.people(events.map((event) => event.actor));
    if (following.ended || following.isStale) return null;
    const past = events.map((event) => toLiveEvent(event, people, replaced.has(event.revision)));
    for (const piece of subscriber.encoder.events(roomId, past, following.face)) {
      // Texts may be redacted before there is room for the rest, so the rest is read again then.
      if (subscriber.congested) return null;
      subscriber.write(piece.bytes, piece);
      following.sent = piece.through;
    }
    return null;
  }

  private send(following: Following, events: readonly LiveEvent[]): void {
    const last = events.at(-1);
    if (!last) return;
    const { subscriber, roomId, face } = following;
    for (const piece of subscriber.encoder.events(roomId, events, face)) subscriber.write(piece.bytes, piece);
    following.sent = last.revision;
  }

  unfollow(subscriber: Subscriber, roomId: string): void {
    const following = this.followers.get(subscriber)?.followings.get(roomId);
    if (following) this.remove(following);
  }

  /** The subscriber has disconnected. */
  leave(subscriber: Subscriber): void {
    for (const following of this.followedBy(subscriber)) this.remove(following);
    this.followers.delete(subscriber);
  }

  private followedBy(subscriber: Subscriber): readonly Following[] {
    return [...(this.followers.get(subscriber)?.followings.values() ?? [])];
  }

  private followerOf(subscriber: Subscriber): Follower {
    const follower = this.followers.get(subscriber) ?? new Follower(subscriber);
    this.followers.set(subscriber, follower);
    return follower;
  }

  private add(following: Following): void {
    following.follower.followings.set(following.roomId, following);
    const followings = this.followings.get(following.roomId);
    if (followings) followings.add(following);
    else this.followings.set(following.roomId, new Set([following]));
  }

  private remove(following: Following): void {
    if (following.ended) return;
    following.end();
    const { follower, roomId } = following;
    follower.followings.delete(roomId);
    const followings = this.followings.get(roomId);
    followings?.delete(following);
    if (followings?.size === 0) this.followings.delete(roomId);
    if (following.announced) this.presence.left(following);
  }

  // Typing ------------------------------------------------------------------------------------------------------------

  /** Notifies the other followers of the room that this person is typing, unless they may not post there. */
  async typing(subscriber: Subscriber, roomId: string): Promise<Rejection | null> {
    const own = this.followers.get(subscriber)?.followings.get(roomId);
    if (subscriber.actor.role === 'auditor') return onlyReads;
    if (!own?.announced) return reject('NotAMember', 'Follow the room first.');
    const { state } = await this.rooms.current(roomId);
    const allowed = maySpeak(subscriber.actor, state, this.time.now().toISOString());
    if (allowed && own.announced && !own.ended) this.presence.typing(own);
    return null;
  }
}

const changesReaders = (type: string): boolean =>
  type === 'MemberLeft' || type === 'MemberRemoved' || type === 'MemberRoleChanged';
