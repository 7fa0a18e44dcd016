import type { Rate } from './rate.js';

/** Collects spending to be reported to the other replicas. */
export interface Ledger {
  note(allowance: Allowance): void;
}

/**
 * A token bucket: `rate.count` tokens, refilled over `rate.seconds`. It is stored as the time at which it will be full again,
 * which takes one number and no timer (the generic cell rate algorithm, ITU-T I.371).
 */
export class Allowance {
  private fullAt = 0;
  /** Tokens spent since the last report to the ledger. */
  private unreported = 0;
  /** Milliseconds until one token is refilled. */
  private readonly interval: number;
  private readonly tolerance: number;

  constructor(
    { count, seconds }: Rate,
    /** The key shared by all replicas; empty: local to this replica. */
    readonly key: string = '',
    private readonly ledger: Ledger | null = null,
  ) {
    this.interval = (seconds * 1_000) / count;
    this.tolerance = count === Number.POSITIVE_INFINITY ? count : seconds * 1_000 - this.interval;
  }

  /** Spends a token. Returns 0, or the milliseconds until one is available. */
  spend(now = performance.now()): number {
    const empty = this.fullAt - now;
    if (empty > this.tolerance) return Math.ceil(empty - this.tolerance);
    this.fullAt = (empty > 0 ? this.fullAt : now) + this.interval;
    if (this.ledger && this.unreported++ === 0) this.ledger.note(this);
    return 0;
  }

  /** Milliseconds until a token is available, 0 if one is. Spends none. */
  wait(now = performance.now()): number {
    const empty = this.fullAt - now;
    return empty > this.tolerance ? Math.ceil(empty - this.tolerance) : 0;
  }

  /** Spends tokens, even more than are available, for costs known only afterwards. */
  charge(tokens: number, now = performance.now()): void {
    if (tokens <= 0) return;
    this.fullAt = Math.max(this.fullAt, now) + tokens * this.interval;
    if (this.ledger && this.unreported === 0) this.ledger.note(this);
    this.unreported += tokens;
  }

  /** The tokens spent since the last call, as milliseconds of refilling. */
  report(): number {
    const { unreported } = this;
    this.unreported = 0;
    return unreported * this.interval;
  }

  /** Applies the spending of all replicas: the bucket is full again in no less than this many milliseconds. */
  adjust(milliseconds: number, now = performance.now()): void {
    this.fullAt = Math.max(this.fullAt, now + milliseconds);
  }
}
