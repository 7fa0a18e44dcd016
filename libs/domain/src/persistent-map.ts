/**
 * An immutable map whose latest version changes in constant time, while every earlier version stays valid, so that
 * decisions can be made on a state that may still be discarded.
 *
 * All versions of a line share one table. It keeps, for each key, the values it has had and which change put them there;
 * a version sees the changes up to its own. Changing an earlier version begins a new line with a table of its own.
 */
export class PersistentMap<V> {
  private constructor(
    private readonly table: Table<V>,
    /** Number of the last change that this version sees. */
    private readonly latest: number,
    readonly size: number,
  ) {}

  static readonly empty: PersistentMap<never> = PersistentMap.from<never>([]);

  static from<V>(entries: Iterable<readonly [string, V]>): PersistentMap<V> {
    const table = tableOf(entries);
    return new PersistentMap<V>(table, 0, table.values.size);
  }

  get(key: string): V | undefined {
    let value = this.table.values.get(key);
    while (value && value.change > this.latest) value = value.before;
    return value?.value;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  set(key: string, value: V): PersistentMap<V> {
    return this.change(key, value, this.has(key) ? this.size : this.size + 1);
  }

  delete(key: string): PersistentMap<V> {
    return this.has(key) ? this.change(key, undefined, this.size - 1) : this;
  }

  *entries(): IterableIterator<[string, V]> {
    for (const key of this.table.values.keys()) {
      const value = this.get(key);
      if (value !== undefined) yield [key, value];
    }
  }

  private change(key: string, value: V | undefined, size: number): PersistentMap<V> {
    const table = this.canGrow ? this.table : tableOf(this.entries());
    table.changes += 1;
    table.values.set(key, { value, change: table.changes, before: table.values.get(key) });
    return new PersistentMap<V>(table, table.changes, size);
  }

  /** Whether the next change can use the same table: this version is the latest there, and old values do not prevail. */
  private get canGrow(): boolean {
    const { table, latest, size } = this;
    const past = table.begun + table.changes - size;
    return size > 0 && table.changes === latest && past <= size + SPARE;
  }
}

/** Values of the past that a small table may keep before it is rebuilt without them. */
const SPARE = 32;

/** A key's value since a change; undefined: the change removed the key. */
interface Value<V> {
  readonly value: V | undefined;
  readonly change: number;
  readonly before: Value<V> | undefined;
}

interface Table<V> {
  readonly values: Map<string, Value<V>>;
  /** The initial entries of the table, and changes since. */
  readonly begun: number;
  changes: number;
}

function tableOf<V>(entries: Iterable<readonly [string, V]>): Table<V> {
  const values = new Map<string, Value<V>>();
  for (const [key, value] of entries) values.set(key, { value, change: 0, before: undefined });
  return { values, begun: values.size, changes: 0 };
}
