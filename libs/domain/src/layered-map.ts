/**
 * An immutable map that is cheap to change: a change copies a small layer of recent changes, and only when that layer
 * has outgrown the square root of the map is everything merged anew. So folding n events costs n·√n small steps at
 * worst, and every earlier state stays valid, which lets decisions be made on a state that may still be discarded.
 */
export class LayeredMap<V> {
  private constructor(
    private readonly base: ReadonlyMap<string, V>,
    private readonly layer: ReadonlyMap<string, V | undefined>,
    readonly size: number,
  ) {}

  static readonly empty: LayeredMap<never> = new LayeredMap<never>(
    new Map<string, never>(),
    new Map<string, never>(),
    0,
  );

  static from<V>(entries: Iterable<readonly [string, V]>): LayeredMap<V> {
    const base = new Map(entries);
    return new LayeredMap<V>(base, new Map(), base.size);
  }

  get(key: string): V | undefined {
    return this.layer.has(key) ? this.layer.get(key) : this.base.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  set(key: string, value: V): LayeredMap<V> {
    return this.change(key, value, this.has(key) ? this.size : this.size + 1);
  }

  delete(key: string): LayeredMap<V> {
    return this.has(key) ? this.change(key, undefined, this.size - 1) : this;
  }

  *entries(): IterableIterator<[string, V]> {
    for (const [key, value] of this.base) if (!this.layer.has(key)) yield [key, value];
    for (const [key, value] of this.layer) if (value !== undefined) yield [key, value];
  }

  private change(key: string, value: V | undefined, size: number): LayeredMap<V> {
    const layer = new Map(this.layer).set(key, value);
    const changed = new LayeredMap<V>(this.base, layer, size);
    return layer.size > 16 && layer.size ** 2 > this.base.size ? LayeredMap.from(changed.entries()) : changed;
  }
}
