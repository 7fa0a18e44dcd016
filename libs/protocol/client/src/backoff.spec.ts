import { describe, expect, it } from 'vitest';
import { pause, pauseAfter, within } from './backoff.js';

describe('the pause after failures', () => {
  const backoff = { first: 250, most: 10_000 };
  const longest = (failures: number) => pauseAfter(failures, backoff, () => 1);

  it('is bounded by twice as much each time, up to a limit', () => {
    expect([0, 1, 2, 3, 4, 6, 7, 1_000].map(longest)).toEqual([0, 250, 500, 1_000, 2_000, 8_000, 10_000, 10_000]);
  });

  it('is anything below its bound', () => {
    expect(pauseAfter(3, backoff, () => 0)).toBe(0);
    expect(pauseAfter(3, backoff, () => 0.5)).toBe(500);
  });
});

describe('pausing', () => {
  it('ends at once when its signal is aborted, also before it began', async () => {
    const ending = new AbortController();
    const paused = pause(60_000, ending.signal);
    ending.abort('enough');
    await expect(paused).rejects.toBe('enough');
    await expect(pause(60_000, ending.signal)).rejects.toBe('enough');
  });
});

describe('a limit of time', () => {
  const untilAborted = (signal: AbortSignal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

  it('ends what takes longer, and what nobody wants any more', async () => {
    await expect(within(1, undefined, untilAborted)).rejects.toMatchObject({ name: 'TimeoutError' });
    const ending = new AbortController();
    const work = within(60_000, ending.signal, untilAborted);
    ending.abort('enough');
    await expect(work).rejects.toBe('enough');
  });
});
