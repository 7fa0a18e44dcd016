import { expect, it } from 'vitest';
import { endure } from './endurance.testing.js';
import { report, wrongs } from './report.testing.js';
import { faultKinds } from './schedule.testing.js';

it('one fault of each kind loses, doubles and disorders nothing', async () => {
  const endured = await endure({ seed: 1, faults: faultKinds.length, pace: 0.15 });
  expect(wrongs(endured), report(endured)).toEqual([]);
  expect(endured.verdict.acknowledged, report(endured)).toBeGreaterThan(20);
}, 120_000);
