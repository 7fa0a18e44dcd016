import { createHash } from 'node:crypto';
import { isFault } from './fault.js';
import { type Tile, tilePath } from './tiles.js';
import type { TileReader } from './tree-reader.js';

const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

/** The definitions of RFC 6962 section 2.1, word for word. */
export const naive = {
  root(entries: readonly Uint8Array[]): Buffer {
    if (entries.length === 0) return sha256();
    if (entries.length === 1) return sha256(Buffer.from([0]), entries[0] as Uint8Array);
    const k = split(entries.length);
    return sha256(Buffer.from([1]), naive.root(entries.slice(0, k)), naive.root(entries.slice(k)));
  },

  path(m: number, entries: readonly Uint8Array[]): Buffer[] {
    if (entries.length <= 1) return [];
    const k = split(entries.length);
    return m < k
      ? [...naive.path(m, entries.slice(0, k)), naive.root(entries.slice(k))]
      : [...naive.path(m - k, entries.slice(k)), naive.root(entries.slice(0, k))];
  },

  consistency: (m: number, entries: readonly Uint8Array[]): Buffer[] => (m === 0 ? [] : subProof(m, entries, true)),
};

function subProof(m: number, entries: readonly Uint8Array[], whole: boolean): Buffer[] {
  if (m === entries.length) return whole ? [] : [naive.root(entries)];
  const k = split(entries.length);
  return m <= k
    ? [...subProof(m, entries.slice(0, k), whole), naive.root(entries.slice(k))]
    : [...subProof(m - k, entries.slice(k), false), naive.root(entries.slice(0, k))];
}

function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** The `i`-th entry of the trees of these tests. */
export const entry = (i: number): Buffer => createHash('sha256').update(`entry ${i}`).digest();

export const entriesFrom = (start: number, count: number): Buffer[] =>
  Array.from({ length: count }, (_, i) => entry(start + i));

/** Tiles as a log would store and serve them. */
export class StoredTiles {
  readonly byPath = new Map<string, Buffer>();

  store(tiles: readonly Tile[]): void {
    for (const tile of tiles) this.byPath.set(tilePath(tile), tile.bytes);
  }

  readonly read: TileReader = async (tiles) => tiles.map((tile) => this.byPath.get(tilePath(tile)) ?? null);
}

/** The value, for tests in which a fault is a failure. */
export function sound<T>(value: T): Exclude<T, { fault: unknown }> {
  if (isFault(value)) throw new Error(`${value.fault}: ${value.detail}`);
  return value as Exclude<T, { fault: unknown }>;
}
