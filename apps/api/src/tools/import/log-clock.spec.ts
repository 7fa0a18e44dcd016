import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Stamp, timesOf } from './log-clock.js';

/** `12:34` is a time of day; null is a line without one. */
const stamp = (time: string | null): Stamp | null => {
  if (time === null) return null;
  const [hours, minutes] = time.split(':').map(Number) as [number, number];
  return { seconds: (hours * 60 + minutes) * 60 };
};

/** Day and time in UTC. */
const times = (stamps: readonly (string | Stamp | null)[], date: string | null = '2011-12-30', timeZone = 'UTC') =>
  timesOf(
    stamps.map((each) => (typeof each === 'string' ? stamp(each) : each)),
    { date, timeZone },
  )?.map((at) => at.slice(8, 16).replace('T', ' '));

describe('the clock of a log', () => {
  it.each([
    [
      'passes midnight when it falls back by many hours',
      ['23:59', '00:00', '12:00', '08:59'],
      '30 23:59, 31 00:00, 31 12:00, 01 08:59',
    ],
    [
      'stays on the day when a line is a few minutes early',
      ['12:00', '11:57', '12:01'],
      '30 12:00, 30 11:57, 30 12:01',
    ],
    [
      'stays on the day in the hour repeated at the end of summer time',
      ['02:59', '02:00', '02:59', '03:00'],
      '30 02:59, 30 02:00, 30 02:59, 30 03:00',
    ],
    [
      'counts a midnight once when lines around it are out of order',
      ['23:59', '00:00', '23:58', '00:01'],
      '30 23:59, 31 00:00, 30 23:58, 31 00:01',
    ],
    [
      'repeats the time of the line before',
      [null, '06:10', null, '06:11', null],
      '30 06:10, 30 06:10, 30 06:10, 30 06:11, 30 06:11',
    ],
    ['begins at midnight where no line has a time', [null, null], '30 00:00, 30 00:00'],
  ])('%s', (_, stamps, expected) => {
    expect(times(stamps)?.join(', ')).toBe(expected);
  });

  it('uses the days in the log', () => {
    const day = (month: number, number: number, seconds?: number): Stamp => {
      return { date: { year: 2011, month, day: number }, ...(seconds !== undefined && { seconds }) };
    };
    expect(times([day(5, 1, 86_340), '00:10', day(5, 9), null, '23:00', day(5, 9, 60)], null)).toEqual([
      ...['01 23:59', '02 00:10', '09 00:00', '09 00:00', '09 23:00', '09 00:01'],
    ]);
    expect(times(['00:10'], null)).toBeUndefined();
  });

  it('finds the year of a day without one', () => {
    const on = (month: number, day: number): Stamp => ({ date: { month, day }, seconds: 0 });
    const years = timesOf([on(12, 31), on(1, 1), on(12, 31), on(6, 1), on(11, 30), on(2, 28)], {
      ...{ date: '2011-12-30', timeZone: 'UTC' },
    })?.map((at) => at.slice(0, 4));
    expect(years).toEqual(['2011', '2012', '2011', '2012', '2012', '2013']);
  });

  it.each([
    [
      'Europe/Berlin',
      '2005-10-30',
      ['01:30', '02:30', '02:59', '02:00', '02:30', '03:00'],
      '29 23:30, 30 00:30, 30 00:59, 30 01:00, 30 01:30, 30 02:00',
    ],
    ['Europe/Berlin', '2005-03-27', ['01:59', '02:30', '03:00'], '27 00:59, 27 01:30, 27 01:00'],
    [
      'America/Sao_Paulo',
      '2018-02-17',
      ['23:30', '23:59', '23:00', '23:59', '00:00'],
      '18 01:30, 18 01:59, 18 02:00, 18 02:59, 18 03:00',
    ],
    ['America/Havana', '2019-11-03', ['00:59', '00:00', '01:00'], '03 04:59, 03 05:00, 03 06:00'],
    ['Australia/Lord_Howe', '2019-04-07', ['01:59', '01:30', '02:00'], '06 14:59, 06 15:00, 06 15:30'],
    ['Asia/Kathmandu', '2019-04-07', ['00:00', '12:00'], '06 18:15, 07 06:15'],
  ])('reads the clocks of %s on %s', (timeZone, date, stamps, expected) => {
    expect(times(stamps, date, timeZone)?.join(', ')).toBe(expected);
  });

  it('recovers the time of every line of a log without long gaps, in any zone', () => {
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Tehran', 'Pacific/Chatham');
    const start = fc.integer({ min: Date.UTC(1999, 0, 1) / 60_000, max: Date.UTC(2024, 0, 1) / 60_000 });
    const gaps = fc.array(fc.integer({ min: 0, max: 25 }), { minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(zone, start, gaps, (timeZone, first, pauses) => {
        let now = first;
        const instants = [first, ...pauses.map((minutes) => (now += minutes))].map((minute) => minute * 60_000);
        const wall = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
        const walls = instants.map((instant) => wall.format(instant));
        const stamps = walls.map((each) => stamp(each.slice(11, 16)));
        const date = walls[0]?.slice(0, 10) ?? '';
        const found = timesOf(stamps, { date, timeZone })?.map((at) => Date.parse(at)) ?? [];
        // A log that begins within a repeated hour does not show which of the two it was.
        const shift = (found[0] ?? 0) - (instants[0] ?? 0);
        if (shift !== 0) return expect(Math.abs(shift)).toBeLessThanOrEqual(3_600_000);
        expect(found).toEqual(instants);
      }),
    );
  });
});
