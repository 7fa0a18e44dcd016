import type { Following } from './following.js';
import type { Subscriber } from './subscriber.js';

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
