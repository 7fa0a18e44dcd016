import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Sql } from 'postgres';
import { eventKey, keyNameOf, openText, peek, sealText } from './envelope.js';
import type { StoredEvent } from './event-store.js';
import { migrate } from './migrate.js';

/** Provides the keys that seal personal fields, under the names that envelope.ts makes. */
export interface KeyRing {
  /** The keys with these names. Missing ones are created, and stored before the promise resolves. */
  obtain(names: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
  /** The keys with these names that exist; a destroyed key stays absent. */
  find(names: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
}

/** Unwrapped keys kept in memory; each takes about 250 bytes. */
const MOST_CACHED_KEYS = 50_000;

/** Keys in the schema `vault`, each wrapped with the master key, so that a copy of the database alone is not enough. */
export class PostgresKeyRing implements KeyRing {
  private readonly cache = new LRUCache<string, Buffer>({ max: MOST_CACHED_KEYS });

  /** @param master 32 bytes kept outside the database. */
  private constructor(
    private readonly sql: Sql,
    private readonly master: Buffer,
  ) {}

  /** Creates the table, and fails if the vault was set up with another master key. */
  static async open(sql: Sql, master: Buffer): Promise<PostgresKeyRing> {
    await migrate(sql, 'vault', 'keys', [
      `create table vault.keys (name text primary key, wrapped text not null, created_at timestamptz not null default now())`,
    ]);
    const ring = new PostgresKeyRing(sql, master);
    await ring.obtain(['master-key-check']).catch((error) => {
      if (!(error instanceof KeyDoesNotOpen)) throw error;
      throw new Error(
        'The master key is not the one that this database was set up with. Restore the right one; nothing was changed.',
      );
    });
    return ring;
  }

  async obtain(names: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    const found = new Map(await this.find(names));
    // Sorted, so that processes that create the same keys do not deadlock.
    const missing = [...new Set(names)].filter((name) => !found.has(name)).sort();
    if (missing.length === 0) return found;
    const made = missing.map((name) => sealText(randomBytes(32).toString('base64'), this.master, name));
    await this.sql`
      insert into vault.keys (name, wrapped) select * from unnest(${missing}::text[], ${made}::text[])
      on conflict (name) do nothing`;
    // Another process may have created the same key first; the one in the table counts.
    for (const [name, key] of await this.find(missing)) found.set(name, key);
    return found;
  }

  async find(names: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    const found = new Map<string, Buffer>();
    const unknown = new Set<string>();
    for (const name of names) {
      const key = this.cache.get(name);
      if (key) found.set(name, key);
      else unknown.add(name);
    }
    if (unknown.size === 0) return found;
    const rows = await this.sql<{ name: string; wrapped: string }[]>`
      select name, wrapped from vault.keys where name = any(${[...unknown]}::text[])`;
    for (const { name, wrapped } of rows) {
      const key = this.unwrap(name, wrapped);
      this.cache.set(name, key);
      found.set(name, key);
    }
    return found;
  }

  private unwrap(name: string, wrapped: string): Buffer {
    const key = openText(wrapped, this.master, name);
    if (key === null) throw new KeyDoesNotOpen(`The key ${name} does not open with this master key.`);
    return Buffer.from(key, 'base64');
  }
}

/** What opens `data.sealed` of this one event; null when there is nothing sealed, or the key was destroyed. */
export async function ownKeyOfEvent(keys: KeyRing, { stream, sealed }: StoredEvent): Promise<Buffer | null> {
  const envelope = peek(sealed);
  const name = envelope.data.sealed === undefined ? null : keyNameOf(stream, envelope);
  const key = name === null ? undefined : (await keys.find([name])).get(name);
  return key ? eventKey(key, envelope.id) : null;
}

class KeyDoesNotOpen extends Error {}
