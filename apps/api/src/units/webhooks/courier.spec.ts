import { expect, it } from 'vitest';
import { pauseAfter } from './courier.js';

it('pauses grow to an hour, each with a random factor between a half and one', () => {
  const seconds = (failures: number, chance: number) => pauseAfter(failures, chance) / 1_000;
  expect([1, 2, 3, 4].map((failures) => seconds(failures, 1))).toEqual([1, 2, 4, 8]);
  expect([1, 2, 3, 4].map((failures) => seconds(failures, 0))).toEqual([0.5, 1, 2, 4]);
  for (const failures of [13, 40, 4_000]) expect(seconds(failures, 1)).toBe(3_600);
});
