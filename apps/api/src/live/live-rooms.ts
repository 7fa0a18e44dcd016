import {
  type Face,
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
  roomStream,
  sameForMembers,
} from '@verbatim/domain';
import type { ServerData } from '@verbatim/protocol';
import type { Time } from '../clock.js';
import { accepted, Refusal } from '../doors/refusal.js';
import { type Connection, connectionLimits } from '../doors/websocket/connection.js';
import { byStream } from '../feed/feed.js';
import type { Reads } from '../limits/reads.js';
import type { Directory } from '../storage/directory.js';
import type { OpenLog } from '../storage/open-log.js';
import type { Rooms } from '../write-side/entities.js';
import type { Inspections, Purpose } from '../write-side/inspections.js';
import { Following } from './following.js';
import { type EventFrame, eventFrames, type LiveEvent, withReplaced } from './live-event.js';
import type { Presence } from './presence/presence.js';
import { type MessageFactsSource, replacedTexts } from './replaced-texts.js';

/** Events that a client may be behind; past this it pages through the history instead. */
const MOST_BEHIND = 100_000n;
/** Events of the past read at a time, and the bytes of their sealed texts. */
const PAGE = 200;
const PAGE_BYTES = 589_824;

/** Brings what happens in rooms to those who follow them. */
export class LiveRooms {
  private readonly followers = new Map<string, Set<Following>>();
  private readonly followings = new Map<Connection, Map<string, Following>>();

  constructor(
    private readonly log: OpenLog,
    private readonly rooms: Rooms,
    private readonly directory: Directory,
    private readonly facts: MessageFactsSource,
    private readonly presence: Presence,
    private readonly inspections: Inspections,
    private readonly time: Time,
    private readonly reads: Reads,
  ) {}

  // Live --------------------------------------------------------------------------------------------------------------

  /** A sink of the feed. */
  async take(events: readonly Recorded[]): Promise<void> {
    const failures: unknown[] = [];
    for (const [stream, run] of byStream(events)) {
      const { category, id } = parseStream(stream);
      const followers = category === 'room' ? this.followers.get(id) : undefined;
      if (!followers?.size) continue;
      try {
        await this.bring(id, followers, run);
      } catch (error) {
        failures.push(error);
        // Whoever missed this must not go on as if there was nothing: coming back, they resume before it.
        for (const { connection } of followers) connection.close('drain');
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  private async bring(roomId: string, followers: ReadonlySet<Following>, run: readonly Recorded[]): Promise<void> {
    const people = await this.directory.people(run.map((event) => event.actor));
    const live = withReplaced(run.map((event) => toLive(event, people, false)));
    // Whoever is removed hears of it and of nothing after it, so a run is told in pieces that end with such events.
    let start = 0;
    for (const [i, event] of run.entries()) {
      if (!changesReaders(event.type)) continue;
      this.tell(roomId, followers, live.slice(start, i + 1));
      this.changeReaders(followers, event as Recorded<RoomEvent>);
      start = i + 1;
    }
    this.tell(roomId, followers, live.slice(start));
  }

  /** Each frame is encoded once per face and its bytes go to everyone who sees that face. */
  private tell(roomId: string, followers: ReadonlySet<Following>, events: readonly LiveEvent[]): void {
    const first = events[0];
    const last = events.at(-1);
    if (!first || !last) return;
    const oneForMembers = events.every(({ event }) => sameForMembers(event));
    const frames: Partial<Record<Face, EventFrame[]>> = {};
    for (const following of followers) {
      if (!following.live) {
        following.hold(events);
      } else if (following.sent + 1n === first.revision) {
        const face = oneForMembers && following.face !== 'auditor' ? 'member' : following.face;
        const told = frames[face] ?? eventFrames(roomId, events, face);
        frames[face] = told;
        for (const { bytes } of told) following.connection.sendBytes(bytes);
        following.sent = last.revision;
      } else if (following.sent + 1n < first.revision) {
        // This cannot be; if it is, resuming is better than a gap that nobody notices.
        following.connection.close('drain');
      } else {
        // Reading the past had already come further than the feed.
        this.send(
          following,
          events.filter((event) => event.revision > following.sent),
        );
      }
    }
  }

  private changeReaders(followers: ReadonlySet<Following>, event: Recorded<RoomEvent>): void {
    if (event.type !== 'MemberLeft' && event.type !== 'MemberRemoved' && event.type !== 'MemberRoleChanged') return;
    for (const following of followers) {
      if (following.connection.actor.id !== event.data.userId || !following.judgedBefore(event.revision)) continue;
      if (event.type !== 'MemberRoleChanged') {
        this.expel(following, event.type === 'MemberLeft' ? 'left' : 'removed');
      } else if (following.face !== 'auditor') {
        following.face = faceOf(event.data.role, false);
      }
    }
  }

  private expel(following: Following, reason: ServerData<'removed'>['reason']): void {
    this.remove(following);
    following.connection.send('removed', { room: following.roomId, reason });
  }

  /** A person's role on the server has changed: what they may read is decided anew. */
  async reconsider(connection: Connection): Promise<void> {
    for (const following of this.followedBy(connection)) {
      const room = await this.rooms.current(following.roomId);
      if (isRejection(this.judge(following, room))) this.expel(following, 'revoked');
    }
  }

  // Following ---------------------------------------------------------------------------------------------------------

  /**
   * Begins to follow after revision `after` (absent: from now on) and answers so; `catchUp` has to come next. Null when
   * the gap is too long. Holding back live events begins first, then the right to read is decided on a state at least
   * as new as the feed, so nobody gets a message that came after their removal. Who is not in the room leaves a record
   * before anything is sent.
   */
  async follow(
    connection: Connection,
    roomId: string,
    after: bigint | undefined,
    purpose: Purpose,
    ref?: string | number,
  ): Promise<Following | null> {
    this.unfollow(connection, roomId);
    if (connection.catchingUp >= connectionLimits.rooms) {
      throw new Refusal('unavailable', 'Too much of the past is waiting to be sent on this connection.');
    }
    if (this.followedBy(connection).length >= connectionLimits.rooms) {
      throw new Refusal('invalid_request', `A connection follows at most ${connectionLimits.rooms} rooms.`);
    }
    const following = new Following(connection, roomId);
    this.add(following);
    try {
      let room = await this.readable(following, after);
      if (!room.reader.member) {
        accepted(await this.inspections.record(roomId, connection.actor, 'live', purpose));
        room = await this.readable(following, after);
      }
      if (following.ended) throw new Refusal('conflict', 'Another frame about following this room came in between.');
      const reader = room.reader;
      const asked = after ?? room.revision;
      const start = asked < reader.from - 1n ? reader.from - 1n : asked;
      const recovered = start <= room.revision && room.revision - start <= MOST_BEHIND;
      connection.send('following', { room: roomId, revision: Number(room.revision), recovered }, ref);
      following.sent = start;
      if (recovered) return following;
      this.remove(following);
      return null;
    } catch (error) {
      this.remove(following);
      throw error;
    }
  }

  /**
   * Sends the past and goes live, without gap or duplicate. It takes as long as the client takes, so the frame that
   * asked for it is answered before, and whoever waits for this must not keep the client's other frames waiting.
   */
  async catchUp(following: Following): Promise<void> {
    const { connection } = following;
    connection.catchingUp += 1;
    try {
      for (;;) {
        const room = await this.readable(following);
        await this.sendPast(following, room);
        if (following.ended) return;
        const held = following.goLive();
        if (!held) continue;
        this.send(following, withReplaced(held));
        return this.announce(following, room.reader);
      }
    } catch (error) {
      if (following.ended) return;
      this.remove(following);
      throw error;
    } finally {
      connection.catchingUp -= 1;
    }
  }

  /** The others hear of those who are in the room, and not of who looks in from outside. */
  private announce(following: Following, reader: Reader): void {
    if (!reader.member) return;
    following.announced = true;
    this.presence.entered(following, this.followers.get(following.roomId) ?? new Set());
  }

  private async readable(following: Following, after = -1n) {
    const room = await this.rooms.current(following.roomId);
    const reader = this.judge(following, room);
    if (!isRejection(reader) && after <= room.revision) return { ...room, reader };
    // At another process one may have joined, or heard of events, that this one does not know of yet.
    const newest = await this.rooms.newest(following.roomId);
    const newestReader = this.judge(following, newest);
    if (isRejection(newestReader)) throw Refusal.of(newestReader);
    return { ...newest, reader: newestReader };
  }

  /** Decides on a state of the room what the follower may read. */
  private judge(following: Following, { state, revision }: { state: RoomState; revision: bigint }): Reader | Rejection {
    const reader = readerOf(state, following.connection.actor);
    if (!isRejection(reader)) following.judge(reader.face, revision);
    return reader;
  }

  /** Sends the past up to the revision at which the right to read was decided, and not a word of what came after. */
  private async sendPast(following: Following, { revision }: { revision: bigint }): Promise<void> {
    const { connection } = following;
    while (following.sent < revision && !following.ended && connection.open) {
      await connection.inTurn(async () => {
        while (connection.crowded && !following.ended) await connection.someSent();
        const wanted = () => !following.ended && connection.open;
        const reader = this.reads.account(connection.actor.id);
        if (wanted()) await this.reads.part(reader, () => this.sendPage(following, revision), wanted);
      });
    }
  }

  private async sendPage(following: Following, through: bigint): Promise<void> {
    const { connection, roomId, sent } = following;
    if (following.ended) return;
    const left = through - sent;
    const limit = left < BigInt(PAGE) ? Number(left) : PAGE;
    const events = await this.log.read(roomStream(roomId), sent + 1n, limit, PAGE_BYTES);
    const replaced = accepted(await replacedTexts(this.facts, roomId, await this.rooms.current(roomId), events));
    const people = await this.directory.people(events.map((event) => event.actor));
    const past = events.map((event) => toLive(event, people, replaced.has(event.revision)));
    if (following.ended) return;
    for (const { bytes, through } of eventFrames(roomId, past, following.face)) {
      // By the time there is room for the rest, some of its texts may have been taken back: it is read anew then.
      if (connection.crowded) return;
      connection.sendBytes(bytes);
      following.sent = through;
    }
  }

  private send(following: Following, events: readonly LiveEvent[]): void {
    const last = events.at(-1);
    if (!last) return;
    for (const { bytes } of eventFrames(following.roomId, events, following.face))
      following.connection.sendBytes(bytes);
    following.sent = last.revision;
  }

  unfollow(connection: Connection, roomId: string): void {
    const following = this.followings.get(connection)?.get(roomId);
    if (following) this.remove(following);
  }

  /** The connection has ended. */
  leave(connection: Connection): void {
    for (const following of this.followedBy(connection)) this.remove(following);
  }

  private followedBy(connection: Connection): readonly Following[] {
    return [...(this.followings.get(connection)?.values() ?? [])];
  }

  private add(following: Following): void {
    const own = this.followings.get(following.connection);
    if (own) own.set(following.roomId, following);
    else this.followings.set(following.connection, new Map([[following.roomId, following]]));
    const followers = this.followers.get(following.roomId);
    if (followers) followers.add(following);
    else this.followers.set(following.roomId, new Set([following]));
  }

  private remove(following: Following): void {
    if (following.ended) return;
    following.end();
    const own = this.followings.get(following.connection);
    own?.delete(following.roomId);
    if (own?.size === 0) this.followings.delete(following.connection);
    const followers = this.followers.get(following.roomId);
    followers?.delete(following);
    if (followers?.size === 0) this.followers.delete(following.roomId);
    if (following.announced) this.presence.left(following);
  }

  // Typing --------------------------------------------------------------------------------------------------------------

  /** Tells the others who follow the room that this person is writing, unless the room would not let them post it. */
  async typing(connection: Connection, roomId: string): Promise<void> {
    const own = this.followings.get(connection)?.get(roomId);
    if (connection.actor.role === 'auditor') throw Refusal.of(onlyReads);
    if (!own?.announced) throw new Refusal('not_a_member', 'Follow the room first.');
    const { state } = await this.rooms.current(roomId);
    const allowed = maySpeak(connection.actor, state, this.time.now().toISOString());
    if (allowed && own.announced && !own.ended) this.presence.typing(own);
  }
}

const changesReaders = (type: string): boolean =>
  type === 'MemberLeft' || type === 'MemberRemoved' || type === 'MemberRoleChanged';

const toLive = (event: Recorded, people: Awaited<ReturnType<Directory['people']>>, replaced: boolean): LiveEvent => ({
  event,
  revision: event.revision,
  actor: event.actor === null ? null : (people.get(event.actor) ?? { id: event.actor, username: '' }),
  replaced,
});
