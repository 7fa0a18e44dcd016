import { expect, it } from 'vitest';
import { shared } from './shared-answer.js';

it('concurrent callers share one answer, later ones get a new one', async () => {
  let asked = 0;
  const ask = shared(async () => ++asked);
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1]);
  expect(await ask()).toBe(2);
});

it('a failure reaches all waiting callers, and the next call tries again', async () => {
  let failures = 1;
  const ask = shared(async () => {
    if (failures-- > 0) throw new Error('away');
    return 'here';
  });
  expect(await Promise.allSettled([ask(), ask()])).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
  expect(await ask()).toBe('here');
});
