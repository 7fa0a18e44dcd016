import { describe, expect, it } from 'vitest';
import { type Fault, faultKinds, scheduleOf, sides } from './schedule.testing.js';

const MINUTES = 60_000;
const end = ({ at, lasts }: Fault) => at + lasts;

describe('a schedule of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(scheduleOf({ seed: 7, count: 200 })).toEqual(scheduleOf({ seed: 7, count: 200 }));
    expect(scheduleOf({ seed: 7, count: 200 })).not.toEqual(scheduleOf({ seed: 8, count: 200 }));
  });

  it('has every kind equally often, on both sides, all the way through', () => {
    for (let seed = 0; seed < 50; seed++) {
      const faults = scheduleOf({ seed, count: 200 });
      for (const part of [faults.slice(0, 104), faults.slice(96)])
        for (const kind of faultKinds) expect(part.filter((fault) => fault.kind === kind)).toHaveLength(13);
      for (const side of sides) expect(faults.filter((fault) => fault.side === side).length).toBeGreaterThan(50);
    }
  });

  it('takes about a quarter of an hour for 200, and has some at a time', () => {
    for (let seed = 0; seed < 50; seed++) {
      const faults = scheduleOf({ seed, count: 200 });
      expect(Math.max(...faults.map(end))).toBeLessThan(17 * MINUTES);
      const together = faults.filter((fault, i) => faults.slice(0, i).some((earlier) => end(earlier) > fault.at));
      expect(together.length).toBeGreaterThan(20);
    }
  });

  it('comes in order, and never kills what is dead or stops what is stopped', () => {
    for (let seed = 0; seed < 50; seed++) {
      const faults = scheduleOf({ seed, count: 200 });
      expect(faults.map(({ at }) => at)).toEqual(faults.map(({ at }) => at).sort((a, b) => a - b));
      for (const side of sides) {
        const ofProcess = faults.filter((fault) => fault.side === side && fault.kind.startsWith('replica'));
        for (const [i, fault] of ofProcess.slice(1).entries()) expect(fault.at).toBeGreaterThan(end(ofProcess[i]!));
      }
    }
  });

  it('sets clocks wrong by a day at most, both ways', () => {
    for (let seed = 0; seed < 50; seed++) {
      for (const side of sides) {
        let clock = 0;
        const jumps = scheduleOf({ seed, count: 400 }).filter((fault) => fault.side === side && fault.by !== 0);
        for (const { kind, by } of jumps) {
          if (kind !== 'clock jumped') continue;
          clock += by;
          expect(Math.abs(clock)).toBeLessThanOrEqual(24 * 60 * MINUTES);
          expect(Math.abs(by)).toBeGreaterThanOrEqual(MINUTES);
        }
        expect(jumps.some(({ by }) => by < 0) && jumps.some(({ by }) => by > 0)).toBe(true);
      }
    }
  });

  it('leaves out what cannot be made here', () => {
    const kinds = new Set(scheduleOf({ seed: 1, count: 50, without: ['disk full'] }).map(({ kind }) => kind));
    expect(kinds.size).toBe(faultKinds.length - 1);
    expect(kinds.has('disk full')).toBe(false);
  });
});
