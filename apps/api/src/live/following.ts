import type { Face } from '@verbatim/domain';
import type { LiveEvent } from './live-event.js';
import type { Subscriber } from './subscriber.js';

/** Live events buffered for one subscriber while it catches up; beyond that they are read from the store instead. */
export const MAX_HELD = 2_000;

/**
 * One subscriber following one room. Live events are buffered while the history is being sent. If there are too many,
 * they are dropped and read from the store later, so memory stays bounded and nothing is duplicated or lost.
 */
export class Following {
  /** `live` once the history has been sent. */
  private state: 'catching-up' | 'live' | 'ended' = 'catching-up';
  private held: LiveEvent[] = [];
  private overflowed = false;
  face: Face = 'member';
  /** Whether others were notified that this person follows the room. */
  announced = false;
  private judgedAt: bigint | null = null;
  /** The right to read must be checked again before anything live is sent. */
  private stale = false;
  /** Revision of the last event sent; the client knows everything up to it. */
  sent = -1n;
  readonly subscriber: Subscriber;

  constructor(
    readonly follower: Follower,
    readonly roomId: string,
  ) {
    this.subscriber = follower.subscriber;
  }

  get live(): boolean {
    return this.state === 'live';
  }

  get ended(): boolean {
    return this.state === 'ended';
  }

  /** Whether the person's server role has changed since the right to read was last decided. */
  get isStale(): boolean {
    return this.stale;
  }

  /** Records that the right to read was decided on the room's state at `revision`. */
  judge(face: Face, revision: bigint): void {
    this.face = face;
    this.judgedAt = revision;
    this.stale = false;
  }

  /** Whether the right to read was decided before `revision` was known. The feed may be ahead of the room's state. */
  judgedBefore(revision: bigint): boolean {
    return this.judgedAt !== null && this.judgedAt < revision;
  }

  /** Buffers live events until the right to read has been decided again. Returns whether it was live until now. */
  suspend(): boolean {
    const wasLive = this.live;
    this.stale = true;
    if (wasLive) this.state = 'catching-up';
    return wasLive;
  }

  hold(events: readonly LiveEvent[]): void {
    if (this.overflowed) return;
    const { follower } = this;
    if (follower.eventsHeld + events.length > MAX_HELD) {
      this.overflowed = true;
      this.dropHeld();
    } else {
      this.held.push(...events);
      follower.eventsHeld += events.length;
    }
  }

  /**
   * Call when everything up to `sent` has been sent. Goes live and returns the buffered events, or null when more history
   * has to be read or the right to read has to be decided again.
   */
  goLive(): LiveEvent[] | null {
    if (this.stale) return null;
    if (this.overflowed) {
      this.overflowed = false;
      return null;
    }
    this.state = 'live';
    return this.dropHeld().filter((event) => event.revision > this.sent);
  }

  end(): void {
    this.state = 'ended';
    this.dropHeld();
  }

  private dropHeld(): LiveEvent[] {
    const { held } = this;
    this.held = [];
    this.follower.eventsHeld -= held.length;
    return held;
  }
}

/** A subscriber that follows rooms, and what we keep in memory for it. */
export class Follower {
  /** By room id. */
  readonly followings = new Map<string, Following>();
  /** Events buffered for all rooms that are catching up. */
  eventsHeld = 0;
  /** Followings that are catching up, or were when they ended. */
  catchingUp = 0;
  private turn: Promise<void> = Promise.resolve();

  constructor(readonly subscriber: Subscriber) {}

  /**
   * Runs tasks one at a time, so at most one page of history per subscriber is in memory, however many rooms it follows.
   */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work);
    this.turn = done.then(noResult, noResult);
    return done;
  }
}

const noResult = (): void => undefined;
