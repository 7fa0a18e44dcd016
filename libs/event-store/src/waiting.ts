import { setTimeout as sleep } from 'node:timers/promises';

const firstPause = 50;
const longestPause = 5_000;

/**
 * Waits before another try: about 50 ms after the first failure (`failures` = 0), then twice as long each time up to
 * 5 s, at random between half of that and all of it so that processes do not come back in step. Ends early when
 * `signal` aborts.
 */
export async function pauseBeforeRetry(failures: number, signal: AbortSignal): Promise<void> {
  const pause = Math.min(longestPause, firstPause * 2 ** failures) * (0.5 + Math.random() / 2);
  await sleep(pause, undefined, { signal }).catch(() => {});
}

/** Waits for `work`, but no longer than `milliseconds`; what became of it is not the question here. */
export async function atMost(milliseconds: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([work, sleep(milliseconds, undefined, { signal: timer.signal })]).catch(() => {});
  timer.abort();
}
