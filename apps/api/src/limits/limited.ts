import { Refusal } from '../doors/refusal.js';

/** The refusal of what comes too soon; there will be room for it after so many milliseconds. */
export const limited = (retryAfterMs: number): Refusal =>
  new Refusal('rate_limited', 'That was too much in a short time. Try again later.', {
    retryAfterMs: Math.ceil(retryAfterMs),
  });

/** Goes on if there is nothing to wait for. */
export function within(retryAfterMs: number): void {
  if (retryAfterMs > 0) throw limited(retryAfterMs);
}
