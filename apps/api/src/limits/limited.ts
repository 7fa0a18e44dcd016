import { type Rejection, reject } from '@verbatim/domain';

/** The rejection of a request that exceeds a limit. `retryAfterMs`: milliseconds until it may succeed. */
export const limited = (retryAfterMs: number): Rejection =>
  reject('TooSoon', 'That was too much in a short time. Try again later.', Math.ceil(retryAfterMs));

/** The rejection for a wait in milliseconds, as `Allowance.spend` returns it; null if there is nothing to wait for. */
export const limitedFor = (waitMs: number): Rejection | null => (waitMs > 0 ? limited(waitMs) : null);
