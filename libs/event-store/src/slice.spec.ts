import { expect, it } from 'vitest';
import { Slice } from './slice.js';

/** Works for so many milliseconds, and lets others have their turn in between. */
async function work(milliseconds: number, slice = new Slice()): Promise<void> {
  for (let left = milliseconds; left > 0; left--) {
    const end = performance.now() + 1;
    while (performance.now() < end);
    if (slice.isOver) await slice.next();
  }
}

it('however much work is under way, the event loop turns between two slices of it', async () => {
  let done = false;
  let turns = 0;
  const turn = () => {
    turns += 1;
    if (!done) setImmediate(turn);
  };
  setImmediate(turn);
  await Promise.all([work(40), work(40), work(40)]);
  done = true;
  // 120 ms of work in slices of 2 to 3 ms, with many turns between any two.
  expect(turns).toBeGreaterThan(100);
});

it('work that is soon done is not interrupted', () => {
  expect(new Slice().isOver).toBe(false);
});
