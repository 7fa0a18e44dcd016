import { expect, it } from 'vitest';
import { endure } from './endurance.testing.js';
import { report, timesMade, wrongs } from './report.testing.js';
import { type FaultKind, storeFaultKinds } from './schedule.testing.js';

/** Half of the faults are those of the event store. 200 take about a quarter of an hour. */
const faults = Number(process.env.FAULTS || 200);
const seed = Number(process.env.FAULTS_SEED || Date.now() % 2 ** 32);
const pace = Number(process.env.FAULTS_PACE || 1);

const others = ['replica killed', 'replica stopped', 'database killed', 'database cut', 'clients cut'] as const;
/** In turn as often as all kinds of the event store together. */
const kinds: readonly FaultKind[] = [...storeFaultKinds, ...others, ...others.slice(0, 3)];

it(`with the log in KurrentDB, ${faults} faults lose, double and disorder nothing (FAULTS_SEED=${seed})`, async () => {
  const print = (text: string) => process.stdout.write(`${text}\n`);
  const endured = await endure({ seed, faults, pace, kinds, store: 'kurrentdb', record: true, log: print });
  print(report(endured));
  expect(wrongs(endured)).toEqual([]);
  expect(endured.verdict.acknowledged).toBeGreaterThan(faults);
  const made = storeFaultKinds.reduce((sum, kind) => sum + timesMade(endured, kind), 0);
  expect(made).toBeGreaterThanOrEqual(Math.floor(faults / 2));
});
