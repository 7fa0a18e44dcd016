import { expect, it } from 'vitest';
import { endure } from './endurance.testing.js';
import { report, wrongs } from './report.testing.js';
import { storeFaultKinds } from './schedule.testing.js';

it('with the log in KurrentDB, one fault of each kind loses, doubles and disorders nothing', async () => {
  const faults = storeFaultKinds.length;
  const endured = await endure({ seed: 1, faults, pace: 0.15, kinds: storeFaultKinds, store: 'kurrentdb' });
  expect(wrongs(endured), report(endured)).toEqual([]);
  expect(endured.verdict.acknowledged, report(endured)).toBeGreaterThan(20);
}, 120_000);
