import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PersistentMap } from './persistent-map.js';

/** Puts a value under a key, or takes the key away. */
type Change = readonly [key: string, value: number | null];
const changes = (keys: number) =>
  fc.array(fc.tuple(fc.nat(keys).map(String), fc.option(fc.nat(), { freq: 4 })), { maxLength: 400, size: 'max' });

const persistent = (map: PersistentMap<number>, [key, value]: Change) =>
  value === null ? map.delete(key) : map.set(key, value);
const plain = (map: ReadonlyMap<string, number>, [key, value]: Change) => {
  const changed = new Map(map);
  if (value === null) changed.delete(key);
  else changed.set(key, value);
  return changed;
};
const expectSame = (map: PersistentMap<number>, model: ReadonlyMap<string, number>, keys: readonly string[]) => {
  expect(map.size).toBe(model.size);
  expect([...map.entries()].sort()).toEqual([...model].sort());
  expect(keys.map((key) => map.get(key))).toEqual(keys.map((key) => model.get(key)));
  expect(keys.map((key) => map.has(key))).toEqual(keys.map((key) => model.has(key)));
};

describe('a persistent map', () => {
  it.each([5, 50, 1_000])('holds what a Map would hold, and so does every earlier one (%i keys)', (keys) => {
    fc.assert(
      fc.property(changes(keys), fc.integer({ min: 20, max: 100 }), (all, every) => {
        let map: PersistentMap<number> = PersistentMap.empty;
        let model: ReadonlyMap<string, number> = new Map();
        const earlier: (readonly [PersistentMap<number>, ReadonlyMap<string, number>])[] = [];
        for (const [i, change] of all.entries()) {
          if (i % every === 0) earlier.push([map, model]);
          map = persistent(map, change);
          model = plain(model, change);
        }
        for (const [then, thenModel] of [...earlier, [map, model] as const]) {
          expectSame(then, thenModel, ['none', ...all.map(([key]) => key)]);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('begins with given entries, of which the last of a key counts', () => {
    const map = PersistentMap.from([
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ]);
    expectSame(
      map.delete('b').set('c', 4),
      new Map([
        ['a', 3],
        ['c', 4],
      ]),
      ['a', 'b', 'c'],
    );
    expectSame(
      map,
      new Map([
        ['a', 3],
        ['b', 2],
      ]),
      ['a', 'b', 'c'],
    );
  });

  it('keeps values that count as false', () => {
    const map = PersistentMap.from<unknown>([['zero', 0]])
      .set('false', false)
      .set('null', null)
      .set('empty', '');
    expect(['zero', 'false', 'null', 'empty', 'none'].map((key) => map.has(key))).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
    expect(map.size).toBe(4);
  });

  it('stays right when it is large', () => {
    let map: PersistentMap<number> = PersistentMap.empty;
    for (let i = 0; i < 10_000; i++) map = map.set(`${i}`, i);
    const full = map;
    for (let i = 0; i < 10_000; i += 2) map = map.delete(`${i}`);
    expect([full.size, map.size]).toEqual([10_000, 5_000]);
    expect([full.get('9998'), map.get('9998'), map.get('9999')]).toEqual([9_998, undefined, 9_999]);
  });
});
