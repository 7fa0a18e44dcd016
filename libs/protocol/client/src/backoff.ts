/** How pauses between attempts grow, in milliseconds. */
export interface Backoff {
  /** The longest pause after the first failure. */
  readonly first: number;
  /** The longest pause of all. */
  readonly most: number;
}

/**
 * Milliseconds to pause after so many failures in a row: anything from 0 to a bound that doubles each time (exponential
 * backoff with full jitter), so that many clients that lost a server do not all reconnect at once.
 */
export function pauseAfter(failures: number, { first, most }: Backoff, random = Math.random): number {
  if (failures <= 0) return 0;
  return random() * Math.min(most, first * 2 ** Math.min(failures - 1, 30));
}

/** Resolves after this many milliseconds; rejects with the signal's reason when it is aborted. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** Gives `work` a signal that is aborted after this many milliseconds, or when `signal` is. */
export async function within<T>(
  milliseconds: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const ending = new AbortController();
  const stop = () => ending.abort(signal?.reason);
  const timer = setTimeout(() => ending.abort(new DOMException('It took too long.', 'TimeoutError')), milliseconds);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await work(ending.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}
