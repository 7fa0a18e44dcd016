import type { Face } from '@verbatim/domain';
import type { LiveEvent } from './live-event.js';
import type { Subscriber } from './subscriber.js';

/** Events held back for one subscriber while the past is read; beyond that they are read from the store instead. */
export const MAX_HELD = 2_000;

/**
 * One subscriber following one room. While the past is being sent, events that happen meanwhile are held back. If there
 * are too many, they are dropped and read from the store later, so memory stays bounded and nothing is sent twice or left out.
 */
export class Following {
  /** `live` once the past has been sent. */
  private state: 'catching-up' | 'live' | 'ended' = 'catching-up';
  private held: LiveEvent[] = [];
  private overflowed = false;
  face: Face = 'member';
  /** Whether others were notified that this person follows the room. */
  announced = false;
  private judgedAt: bigint | null = null;
  /** What the person may read must be decided again before anything live is sent. */
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

  /** Whether the person's role on the server has changed since it was last decided what they may read. */
  get isStale(): boolean {
    return this.stale;
  }

  /** It was decided on the room's state at `revision` what may be read. */
  judge(face: Face, revision: bigint): void {
    this.face = face;
    this.judgedAt = revision;
    this.stale = false;
  }

  /**
   * Whether the decision what may be read was made before `revision` was known. The feed may reach an event later than
   * the room's state does.
   */
  judgedBefore(revision: bigint): boolean {
    return this.judgedAt !== null && this.judgedAt < revision;
  }

  /** Holds back live events until it was decided again what may be read. Returns whether it was live until now. */
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
   * To be called when everything up to `sent` has been sent. Goes live and returns the events held back since; null when
   * more of the past has to be read or the right to read has to be decided again.
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

/** A subscriber that follows rooms, and what is kept in memory for it. */
export class Follower {
  /** By room. */
  readonly followings = new Map<string, Following>();
  /** Events held back for all rooms whose past is still being sent. */
  eventsHeld = 0;
  /** Followings whose past is being sent, or was being sent when they ended. */
  catchingUp = 0;
  private turn: Promise<void> = Promise.resolve();

  constructor(readonly subscriber: Subscriber) {}

  /** Does one thing after another, so that at most one page of the past is in memory for a subscriber, however many rooms it follows. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work);
    this.turn = done.then(noResult, noResult);
    return done;
  }
}

const noResult = (): void => undefined;
