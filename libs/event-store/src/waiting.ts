import { setTimeout as sleep } from 'node:timers/promises';
import { StoreClosed } from './event-store.js';
import type { TroubleLog } from './trouble-log.js';

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

/**
 * The outcome of `work`, or a rejection with `late()` after so many milliseconds. A process that was too busy to look at
 * an answer in time still takes it: the answer is looked for once more before `work` counts as late.
 */
export function settledInTime<T>(work: Promise<T>, milliseconds: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => setImmediate(() => reject(late()))), milliseconds);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/**
 * Asks until there is an answer; for reading on behalf of callers who are not to know about lost connections. Rejects
 * with StoreClosed when `signal` aborts.
 */
export async function insist<T>(question: () => Promise<T>, log: TroubleLog, signal: AbortSignal): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await question();
    } catch (error) {
      if (error instanceof StoreClosed || signal.aborted) throw new StoreClosed();
      log.warn({ err: error, failures }, 'The log could not be read; trying again.');
      await pauseBeforeRetry(failures, signal);
    }
  }
}
