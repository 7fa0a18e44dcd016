import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecentWindow } from './recent-window.js';

/** What a window may hold at most: two generations. */
const MOST = 1_024;

/** A window after many events, with everything ever said and everything that left the window. */
class FilledWindow {
  window: RecentWindow<number> = RecentWindow.empty;
  readonly last = new Map<string, { value: number; revision: bigint }>();
  readonly dropped = new Set<string>();
  private revision = 0n;

  /** Says `count` new things or things about `keys` known ones; every third event is about something else. */
  say(count: number, keys: number): void {
    for (let i = 0; i < count; i++) {
      this.revision += i % 3 === 2 ? 2n : 1n;
      const key = keys === 0 ? `new ${this.revision}` : `known ${i % keys}`;
      const value = Number(this.revision);
      this.window = this.window.set(key, value, this.revision, (gone) => this.dropped.add(gone));
      this.last.set(key, { value, revision: this.revision });
    }
  }
}

const talks = fc.array(fc.tuple(fc.nat(900), fc.constantFrom(0, 0, 3, 600)), { maxLength: 8, size: 'max' });
const holdsFor = (check: (filled: FilledWindow) => void) =>
  fc.assert(
    fc.property(talks, (all) => {
      const filled = new FilledWindow();
      for (const [count, keys] of all) filled.say(count, keys);
      check(filled);
    }),
    { numRuns: 40 },
  );

describe('a window on recent events', () => {
  it('remembers everything said after `since`, and nothing that was overtaken', () => {
    holdsFor(({ window, last }) => {
      const wrong = [...last].filter(([key, { value, revision }]) => {
        const remembered = window.get(key);
        return remembered !== value && (remembered !== undefined || revision > window.since);
      });
      expect(wrong).toEqual([]);
      expect(window.get('never said')).toBeUndefined();
    });
  });

  it('is complete until something was dropped, and never larger than two generations', () => {
    holdsFor(({ window, last, dropped }) => {
      expect(window.size).toBeLessThanOrEqual(MOST);
      expect(window.since === -1n).toBe(dropped.size === 0);
      if (window.since === -1n) expect([...last.keys()].filter((key) => window.get(key) === undefined)).toEqual([]);
    });
  });

  it('reports every key that leaves it', () => {
    holdsFor(({ window, last, dropped }) => {
      const gone = [...last.keys()].filter((key) => window.get(key) === undefined);
      expect(gone.filter((key) => !dropped.has(key))).toEqual([]);
    });
  });

  it('is the same after it was written and read', () => {
    holdsFor((filled) => {
      const read = RecentWindow.fromJSON<number>(JSON.parse(JSON.stringify(filled.window)));
      expect(read.toJSON()).toEqual(filled.window.toJSON());
      expect([read.since, read.size]).toEqual([filled.window.since, filled.window.size]);
      const further = [filled.window, read].map((window) => {
        let later = window;
        for (let i = 0; i < 1_500; i++) later = later.set(`later ${i}`, i, 100_000n + BigInt(i));
        return later.toJSON();
      });
      expect(further[1]).toEqual(further[0]);
    });
  });

  it('stays as it was when another goes on from it', () => {
    const filled = new FilledWindow();
    filled.say(700, 0);
    const { window } = filled;
    const before = JSON.stringify(window);
    filled.say(3_000, 0);
    expect(JSON.stringify(window)).toBe(before);
  });

  it('keeps values that count as false, also when they overtake others', () => {
    let window: RecentWindow<boolean> = RecentWindow.empty;
    window = window.set('a', true, 0n);
    for (let i = 1; i <= 600; i++) window = window.set(`${i}`, true, BigInt(i));
    window = window.set('a', false, 601n);
    expect(window.get('a')).toBe(false);
  });
});
