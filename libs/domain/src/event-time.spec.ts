import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLOCK_TOLERANCE_MS, type EventTime, eventTime } from './event-time.js';

const BEGINNING = Date.parse('2026-01-31T12:00:00.000Z');
const iso = (ms: number): string => new Date(BEGINNING + ms).toISOString();

/** The times of a stream whose events are recorded at these readings of a clock, in milliseconds. */
function timesOf(readings: readonly number[]): EventTime[] {
  let last = '';
  return readings.map((reading) => {
    const time = eventTime(iso(reading), last);
    last = time.at;
    return time;
  });
}
const anyReadings = (span: number) => fc.array(fc.integer({ min: 0, max: span }), { minLength: 1, maxLength: 50 });

describe('the time of an event', () => {
  it('is that of the clock, which goes on', () => {
    expect(timesOf([0, 5, 5, 70_000])).toEqual([{ at: iso(0) }, { at: iso(5) }, { at: iso(5) }, { at: iso(70_000) }]);
  });

  it('never falls while clocks differ by less than the tolerance', () => {
    fc.assert(
      fc.property(anyReadings(CLOCK_TOLERANCE_MS), (readings) => {
        const times = timesOf(readings);
        expect(times.every(({ clockBackMs }) => clockBackMs === undefined)).toBe(true);
        expect(times.map(({ at }) => at)).toEqual(times.map(({ at }) => at).sort());
      }),
    );
  });

  it('is never far from the clock, wherever the clock has been, and each fall is recorded', () => {
    fc.assert(
      fc.property(anyReadings(10 ** 12), (readings) => {
        let before = '';
        for (const [i, { at, clockBackMs }] of timesOf(readings).entries()) {
          const ahead = Date.parse(at) - Date.parse(iso(readings[i] ?? 0));
          expect(ahead).toBeGreaterThanOrEqual(0);
          expect(ahead).toBeLessThanOrEqual(CLOCK_TOLERANCE_MS);
          expect(clockBackMs).toBe(at < before ? Date.parse(before) - Date.parse(at) : undefined);
          before = at;
        }
      }),
    );
  });
});
