import { PersistentMap } from './persistent-map.js';

/** Entries kept per generation; a window holds at most two generations. */
const GENERATION = 512;

/**
 * An immutable memory of the most recent events, bounded regardless of their number. It keeps two
 * generations; when the young one is full, the old one is dropped. It is complete after `since`.
 */
export class RecentWindow<V> {
  private constructor(
    private readonly young: PersistentMap<V>,
    private readonly old: PersistentMap<V>,
    private readonly youngSince: bigint,
    /** Revision after which the window is complete; -1 while nothing was dropped. */
    readonly since: bigint,
  ) {}

  static readonly empty: RecentWindow<never> = new RecentWindow<never>(
    PersistentMap.empty,
    PersistentMap.empty,
    -1n,
    -1n,
  );

  get size(): number {
    return this.young.size + this.old.size;
  }

  get(key: string): V | undefined {
    return this.young.get(key) ?? this.old.get(key);
  }

  /** Each key once, with its latest value. */
  *entries(): IterableIterator<[string, V]> {
    yield* this.young.entries();
    for (const entry of this.old.entries()) if (!this.young.has(entry[0])) yield entry;
  }

  /** Records a value from the event at `revision`; calls `dropped` with each key that leaves the window. */
  set(key: string, value: V, revision: bigint, dropped?: (key: string) => void): RecentWindow<V> {
    if (this.young.size < GENERATION) {
      return new RecentWindow(this.young.set(key, value), this.old, this.youngSince, this.since);
    }
    if (dropped) for (const [gone] of this.old.entries()) dropped(gone);
    const young = (PersistentMap.empty as PersistentMap<V>).set(key, value);
    return new RecentWindow(young, this.young, revision - 1n, this.youngSince);
  }

  toJSON(): RecentWindowJson<V> {
    const { young, old, youngSince, since } = this;
    return { young: [...young.entries()], old: [...old.entries()], youngSince: `${youngSince}`, since: `${since}` };
  }

  static fromJSON<V>(json: RecentWindowJson<V>): RecentWindow<V> {
    return new RecentWindow(
      PersistentMap.from(json.young),
      PersistentMap.from(json.old),
      BigInt(json.youngSince),
      BigInt(json.since),
    );
  }
}

export interface RecentWindowJson<V> {
  readonly young: [string, V][];
  readonly old: [string, V][];
  readonly youngSince: string;
  readonly since: string;
}
