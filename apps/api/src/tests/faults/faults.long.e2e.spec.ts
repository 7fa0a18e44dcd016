import { expect, it } from 'vitest';
import { endure } from './endurance.testing.js';
import { report, timesMade, wrongs } from './report.testing.js';
import { faultKinds } from './schedule.testing.js';

/** FAULTS=200 takes about a quarter of an hour; FAULTS_SEED makes the faults of an earlier run once more. */
const faults = Number(process.env.FAULTS || 200);
const seed = Number(process.env.FAULTS_SEED || Date.now() % 2 ** 32);

it(`${faults} faults lose, double and disorder nothing (FAULTS_SEED=${seed})`, async () => {
  const print = (text: string) => process.stdout.write(`${text}\n`);
  const endured = await endure({ seed, faults, record: true, log: print });
  print(report(endured));
  expect(wrongs(endured)).toEqual([]);
  expect(endured.verdict.acknowledged).toBeGreaterThan(faults);
  const kinds = endured.leftOut ? faultKinds.filter((kind) => kind !== 'disk full') : faultKinds;
  for (const kind of kinds) expect(timesMade(endured, kind), kind).toBeGreaterThanOrEqual(Math.floor(faults / 20));
});
