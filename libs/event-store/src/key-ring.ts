import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { PendingQuery, Row, Sql } from 'postgres';
import { CHECK_KEY, DAY, PERSON, RETIRED, RootKeys, type RootKeysOptions, STREAM, type Wrapped } from './root-keys.js';

/** Provides the keys that seal personal fields, under the names that envelope.ts makes. */
export interface KeyRing {
  /** The keys with these names. Missing ones are created, and stored before the promise resolves. */
  obtain(names: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
  /** The keys with these names that exist; a destroyed key stays absent. */
  find(names: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
  /**
   * What else may open events that the keys with their names do not open: keys of single events, by the ids of these, and
   * keys that are being taken apart, by name.
   */
  spare(names: readonly string[], eventIds: readonly string[]): Promise<SpareKeys>;
  /** Drops what this process remembers of keys whose names begin so; all of them, if absent. */
  forget(beginning?: string): void;
}

/** See `KeyRing.spare`. */
export interface SpareKeys {
  readonly events: ReadonlyMap<string, Buffer>;
  readonly retired: ReadonlyMap<string, Buffer>;
}

/** Which keys are meant: those of a stream, of a person, or of a person in a stream, and of these days, if there are any. */
export interface KeyScope {
  readonly stream?: string;
  readonly person?: string;
  readonly from?: string;
  readonly to?: string;
}

/** A stream, and the first day of which it has a key: there is nothing older that could still be read. */
export interface OldestKey {
  readonly stream: string;
  readonly day: string | null;
}

/** Unwrapped keys kept in memory; each takes about 250 bytes. */
const MOST_CACHED_KEYS = 50_000;

/** Keys in the schema `vault`, each wrapped with a root key, so that a copy of the database alone is not enough. */
export class PostgresKeyRing implements KeyRing {
  private readonly cache = new LRUCache<string, Buffer>({ max: MOST_CACHED_KEYS });
  /** How often keys were forgotten: one that was on its way then is not remembered. */
  private forgettings = 0;

  private constructor(
    private readonly sql: Sql,
    readonly roots: RootKeys,
  ) {
    roots.onLock(() => this.forget());
  }

  /** @param roots the root keys of this database, or what opens them. */
  static async open(sql: Sql, roots: RootKeys | RootKeysOptions | Buffer): Promise<PostgresKeyRing> {
    const ring = new PostgresKeyRing(sql, roots instanceof RootKeys ? roots : await RootKeys.open(sql, roots));
    await ring.obtain([CHECK_KEY]);
    return ring;
  }

  /** @param onlyIf a condition in SQL, without which missing keys are not created but stay absent */
  async obtain(names: readonly string[], onlyIf?: PendingQuery<Row[]>): Promise<ReadonlyMap<string, Buffer>> {
    const known = await this.find(names);
    if (names.every((name) => known.has(name))) return known;
    const found = new Map(known);
    // Sorted, so that processes that create the same keys do not deadlock.
    const missing = [...new Set(names)].filter((name) => !found.has(name)).sort();
    const made = missing.map((label) => ({ text: randomBytes(32).toString('base64'), label }));
    await this.roots.sealed(
      made,
      (keys) => this.sql`
        insert into vault.keys (name, wrapped, root)
        select name, wrapped, ${rootOf(keys)}::integer from unnest(${missing}::text[], ${textsOf(keys)}::text[]) as made (name, wrapped)
        ${onlyIf ? this.sql`where ${onlyIf}` : this.sql``}
        on conflict (name) do nothing`,
    );
    // Another process may have created the same key first; the one in the table counts.
    for (const [name, key] of await this.find(missing)) found.set(name, key);
    return found;
  }

  async find(names: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    this.roots.assertUsable();
    const found = new Map<string, Buffer>();
    const unknown: string[] = [];
    for (const name of names) {
      const key = this.cache.get(name);
      if (key) found.set(name, key);
      else unknown.push(name);
    }
    if (unknown.length === 0) return found;
    const before = this.forgettings;
    const rows = await this.sql<(Wrapped & { name: string })[]>`
      select name, wrapped, root from vault.keys where name = any(${[...new Set(unknown)]}::text[])`;
    await this.roots.obtain(rows.map(({ root }) => root));
    for (const row of rows) {
      const { name } = row;
      const key = this.unwrap(name, row);
      if (before === this.forgettings) this.cache.set(name, key);
      found.set(name, key);
    }
    return found;
  }

  async spare(names: readonly string[], eventIds: readonly string[]): Promise<SpareKeys> {
    const retired = names.map((name) => `${RETIRED}${name}`);
    const [events, keys] = await Promise.all([
      this.sql<(Wrapped & { event_id: string })[]>`
        select event_id, wrapped, root from vault.event_keys where event_id = any(${[...eventIds]}::text[])`,
      this.sql<(Wrapped & { name: string })[]>`
        select name, wrapped, root from vault.keys where name = any(${retired}::text[])`,
    ]);
    await this.roots.obtain([...events, ...keys].map(({ root }) => root));
    return {
      events: new Map(events.map((row) => [row.event_id, this.unwrap(row.event_id, row)])),
      retired: new Map(
        keys.map((row) => {
          const plain = row.name.slice(RETIRED.length);
          return [plain, this.unwrap(plain, row)];
        }),
      ),
    };
  }

  forget(beginning = ''): void {
    this.forgettings++;
    for (const name of this.cache.keys()) if (name.startsWith(beginning)) this.cache.delete(name);
  }

  /** Names of keys in a scope, whole ones and those of which only keys of single events are left. */
  async namesIn({ stream, person, from, to }: KeyScope, most: number): Promise<string[]> {
    const { sql } = this;
    const part = (column: string, is: string) => sql`and ${sql.unsafe(column)} = ${is}`;
    // Only keys of one day end in a day.
    const span =
      from && to ? sql`and right(name, 10) ~ '^[0-9-]{10}$' and ${sql.unsafe(DAY)} between ${from} and ${to}` : sql``;
    const within = sql`
      true ${stream === undefined ? sql`` : part(STREAM, stream)} ${person === undefined ? sql`` : part(PERSON, person)} ${span}`;
    const rows = await sql<{ name: string }[]>`
      select name from vault.keys where ${within} union select name from vault.event_keys where ${within} limit ${most}`;
    return rows.map(({ name }) => name);
  }

  /** Streams with keys whose names begin so, in order after a stream, at most so many, each with its oldest day. */
  async oldestOf(beginning: string, after: string, most: number): Promise<OldestKey[]> {
    const { sql } = this;
    const [stream, day] = [sql.unsafe(STREAM), sql.unsafe(DAY)];
    const oldest = (table: string) => sql`
      (select right(k.name, 10) from ${sql(`vault.${table}`)} k
        where ${stream} = walk.stream and right(k.name, 10) ~ '^[0-9-]{10}$' order by ${day} limit 1)`;
    // Leaps from stream to stream along the index, however many keys each of them has.
    return sql<OldestKey[]>`
      with recursive walk (stream) as (
        (select ${stream} from vault.keys where ${stream} > ${after > beginning ? after : beginning}::text
          order by ${stream} limit 1)
        union all
        select (select ${stream} from vault.keys where ${stream} > walk.stream order by ${stream} limit 1)
        from walk where starts_with(walk.stream, ${beginning}))
      select stream, least(${oldest('keys')}, ${oldest('event_keys')}) as day from walk
      where starts_with(stream, ${beginning}) limit ${most}`;
  }

  /** Destroys keys for good, with all keys of single events that were kept of them. */
  async destroy(names: readonly string[]): Promise<void> {
    const all = [...names, ...names.map((name) => `${RETIRED}${name}`)];
    await this.sql`
      with single as (delete from vault.event_keys where name = any(${[...names]}::text[]))
      delete from vault.keys where name = any(${all}::text[])`;
    this.forgettings++;
    for (const name of names) this.cache.delete(name);
  }

  /**
   * Takes a key out of use: under its name there will be another one, and it opens what it has sealed until `takeApart`.
   * Nothing happens if that was done before and not finished. Returns the retired key, or null if there is none.
   */
  async retire(name: string): Promise<Buffer | null> {
    await this.sql`
      update vault.keys set name = ${`${RETIRED}${name}`} where name = ${name}
        and not exists (select from vault.keys where name = ${`${RETIRED}${name}`})`;
    this.forgettings++;
    this.cache.delete(name);
    return (await this.spare([name], [])).retired.get(name) ?? null;
  }

  /** Keeps the keys of single events in place of a retired key, which is destroyed, and destroys those of `erased` events. */
  async takeApart(name: string, kept: ReadonlyMap<string, Buffer>, erased: readonly string[]): Promise<void> {
    const ids = [...kept.keys()];
    const texts = ids.map((id) => ({ text: (kept.get(id) as Buffer).toString('base64'), label: id }));
    await this.roots.sealed(
      texts,
      (keys) => this.sql`
        with kept as (
          insert into vault.event_keys (event_id, name, wrapped, root)
          select id, ${name}, wrapped, ${rootOf(keys)}::integer from unnest(${ids}::text[], ${textsOf(keys)}::text[]) as kept (id, wrapped)
          on conflict do nothing),
        gone as (delete from vault.event_keys where event_id = any(${[...erased]}::text[]))
        delete from vault.keys where name = ${`${RETIRED}${name}`}`,
    );
  }

  private unwrap(name: string, row: Wrapped): Buffer {
    const key = this.roots.unwrap(row, name);
    if (key === null) throw new Error(`The key ${name} does not open with this master key.`);
    return Buffer.from(key, 'base64');
  }
}

const textsOf = (keys: readonly Wrapped[]): string[] => keys.map(({ wrapped }) => wrapped);
/** They are sealed together, with one root key. */
const rootOf = (keys: readonly Wrapped[]): number => keys[0]?.root ?? 0;
