import { type Rejection, reject } from '@verbatim/domain';
import { Refusal } from '../doors/refusal.js';

/** The rejection of what comes too soon; it may be repeated after so many milliseconds. */
export const tooSoon = (retryAfterMs: number): Rejection =>
  reject('TooSoon', 'That was too much in a short time. Try again later.', Math.ceil(retryAfterMs));

/** The rejection for a wait in milliseconds, as an allowance returns it; null if there is nothing to wait for. */
export const limitedFor = (waitMs: number): Rejection | null => (waitMs > 0 ? tooSoon(waitMs) : null);

/** The same for doors. */
export const limited = (retryAfterMs: number): Refusal => Refusal.of(tooSoon(retryAfterMs));

/** Goes on if there is nothing to wait for. */
export function within(retryAfterMs: number): void {
  if (retryAfterMs > 0) throw limited(retryAfterMs);
}
