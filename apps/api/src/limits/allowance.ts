import type { Rate } from './rate.js';

/** What was spent and is to be told to the other replicas. */
export interface Ledger {
  note(allowance: Allowance): void;
}

/**
 * How much somebody may still do of something: a bucket of `rate.count` tokens that fills up over `rate.seconds`. Kept as
 * the time at which it will be full again, so that it takes one number and no timer (the generic cell rate algorithm,
 * ITU-T I.371).
 */
export class Allowance {
  private fullAt = 0;
  /** Tokens taken since they were last told to others. */
  private untold = 0;
  /** Milliseconds in which one token comes back. */
  private readonly interval: number;
  private readonly tolerance: number;

  constructor(
    { count, seconds }: Rate,
    /** Under which name all replicas know it; without one it is this replica's own. */
    readonly key: string = '',
    private readonly ledger: Ledger | null = null,
  ) {
    this.interval = (seconds * 1_000) / count;
    this.tolerance = count === Number.POSITIVE_INFINITY ? count : seconds * 1_000 - this.interval;
  }

  /** Takes a token. Answers 0, or else the milliseconds after which there will be one. */
  take(now = performance.now()): number {
    const empty = this.fullAt - now;
    if (empty > this.tolerance) return Math.ceil(empty - this.tolerance);
    this.fullAt = (empty > 0 ? this.fullAt : now) + this.interval;
    if (this.ledger && this.untold++ === 0) this.ledger.note(this);
    return 0;
  }

  /** Milliseconds until a token can be taken, 0 if there is one. Takes none. */
  wait(now = performance.now()): number {
    const empty = this.fullAt - now;
    return empty > this.tolerance ? Math.ceil(empty - this.tolerance) : 0;
  }

  /** Takes so many tokens, even if there are fewer: what something costs is known only when it has been done. */
  charge(tokens: number, now = performance.now()): void {
    if (tokens <= 0) return;
    this.fullAt = Math.max(this.fullAt, now) + tokens * this.interval;
    if (this.ledger && this.untold === 0) this.ledger.note(this);
    this.untold += tokens;
  }

  /** Milliseconds that what was taken since the last time takes to come back. */
  tell(): number {
    const { untold } = this;
    this.untold = 0;
    return untold * this.interval;
  }

  /** All replicas together have taken so much that it will be full again only after so many milliseconds. */
  learn(milliseconds: number, now = performance.now()): void {
    this.fullAt = Math.max(this.fullAt, now + milliseconds);
  }
}
