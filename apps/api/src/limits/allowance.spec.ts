import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Allowance } from './allowance.js';
import { readRate, unlimited } from './rate.js';

describe('an allowance of 3 in 6 seconds', () => {
  const allowance = () => new Allowance({ count: 3, seconds: 6 });

  it('allows three at once, and then one every two seconds', () => {
    const some = allowance();
    expect([some.spend(1_000), some.spend(1_000), some.spend(1_000)]).toEqual([0, 0, 0]);
    expect(some.spend(1_000)).toBe(2_000);
    expect(some.spend(2_500)).toBe(500);
    expect(some.spend(3_000)).toBe(0);
    expect(some.spend(3_000)).toBe(2_000);
  });

  it('is full again after six', () => {
    const some = allowance();
    for (let i = 0; i < 3; i++) some.spend(0);
    expect([6_000, 6_000, 6_000, 6_000].map((now) => some.spend(now))).toEqual([0, 0, 0, 2_000]);
  });

  it('allows one after the announced wait', () => {
    const times = fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 50 });
    fc.assert(
      fc.property(times, (pauses) => {
        const some = allowance();
        let now = 0;
        for (const pause of pauses) {
          now += pause;
          const wait = some.spend(now);
          if (wait === 0) continue;
          now += wait;
          expect(some.spend(now)).toBe(0);
        }
      }),
    );
  });

  it('never allows more than three plus what was refilled', () => {
    const times = fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 50 });
    fc.assert(
      fc.property(times, (pauses) => {
        const some = allowance();
        let now = 0;
        let given = 0;
        for (const pause of pauses) {
          now += pause;
          if (some.spend(now) === 0) given++;
        }
        expect(given).toBeLessThanOrEqual(3 + now / 2_000);
      }),
    );
  });

  it('refills what others spent', () => {
    const some = allowance();
    some.adjust(12_000, 0);
    expect(some.spend(0)).toBe(8_000);
    expect(some.spend(8_000)).toBe(0);
  });

  it('can be overdrawn by costs known afterwards, and then blocks until they are refilled', () => {
    const some = allowance();
    some.charge(2.5, 0);
    expect(some.wait(0)).toBe(1_000);
    some.charge(5, 500);
    expect([some.wait(500), some.spend(500)]).toEqual([10_500, 10_500]);
    expect([some.wait(11_000), some.spend(11_000), some.wait(11_000)]).toEqual([0, 0, 2_000]);
  });

  it('reports charges', () => {
    const noted: Allowance[] = [];
    const some = new Allowance({ count: 3, seconds: 6 }, 'x', { note: (it) => noted.push(it) });
    some.charge(0.5, 0);
    some.charge(0.25, 0);
    some.charge(0, 0);
    expect(noted).toEqual([some]);
    expect(some.report()).toBe(1_500);
  });

  it('reports once what was spent', () => {
    const noted: Allowance[] = [];
    const some = new Allowance({ count: 3, seconds: 6 }, 'x', { note: (it) => noted.push(it) });
    for (let i = 0; i < 5; i++) some.spend(0);
    expect(noted).toEqual([some]);
    expect([some.report(), some.report()]).toEqual([6_000, 0]);
    some.spend(9_000);
    expect(noted).toHaveLength(2);
  });
});

it('an unlimited allowance always allows', () => {
  const some = new Allowance(unlimited);
  for (let i = 0; i < 1_000; i++) expect(some.spend(0)).toBe(0);
  some.charge(1_000_000, 0);
  expect(some.wait(0)).toBe(0);
});

it.each([
  ['100/10', { count: 100, seconds: 10 }],
  ['0/10', undefined],
  ['10/0', undefined],
  ['10', undefined],
  ['1.5/10', undefined],
  ['-1/10', undefined],
])('the setting %j is read as %j', (text, rate) => {
  expect(readRate(text)).toEqual(rate);
});
