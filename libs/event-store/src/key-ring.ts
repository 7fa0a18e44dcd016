import { randomBytes } from 'node:crypto';
import type { Sql } from 'postgres';
import { openText, sealText } from './envelope.js';
import { migrate } from './migrate.js';

/** Gives the keys that seal personal fields, by the names that envelope.ts makes. */
export interface KeyRing {
  /** The keys of these names; those that do not exist yet are made, durably, before the promise resolves. */
  obtain(names: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
  /** The keys of these names as far as they exist: a destroyed key stays absent. */
  find(names: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
}

/** Opened keys kept in memory; a key takes about 200 bytes. */
const REMEMBERED = 50_000;

/** Keys in the schema `vault`, each wrapped by the master key, so that a copy of the database alone opens nothing. */
export class PostgresKeyRing implements KeyRing {
  private readonly known = new Map<string, Buffer>();

  /** @param master 32 bytes kept outside the database. */
  private constructor(
    private readonly sql: Sql,
    private readonly master: Buffer,
  ) {}

  /** Makes the table, and refuses a master key other than the one the vault was begun with. */
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
    // In one order everywhere, so that two processes making the same keys never wait for each other.
    const missing = [...new Set(names)].filter((name) => !found.has(name)).sort();
    if (missing.length === 0) return found;
    const made = missing.map((name) => sealText(randomBytes(32).toString('base64'), this.master, name));
    await this.sql`
      insert into vault.keys (name, wrapped) select * from unnest(${missing}::text[], ${made}::text[])
      on conflict (name) do nothing`;
    // Another process may have made the same key first, so what counts is what stands in the table.
    for (const [name, key] of await this.find(missing)) found.set(name, key);
    return found;
  }

  async find(names: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    const found = new Map<string, Buffer>();
    const unknown = new Set<string>();
    for (const name of names) {
      const key = this.known.get(name);
      if (key) found.set(name, key);
      else unknown.add(name);
    }
    if (unknown.size === 0) return found;
    const rows = await this.sql<{ name: string; wrapped: string }[]>`
      select name, wrapped from vault.keys where name = any(${[...unknown]}::text[])`;
    for (const { name, wrapped } of rows) {
      const key = this.unwrap(name, wrapped);
      this.remember(name, key);
      found.set(name, key);
    }
    return found;
  }

  private unwrap(name: string, wrapped: string): Buffer {
    const key = openText(wrapped, this.master, name);
    if (key === null) throw new KeyDoesNotOpen(`The key ${name} does not open with this master key.`);
    return Buffer.from(key, 'base64');
  }

  private remember(name: string, key: Buffer): void {
    if (this.known.size >= REMEMBERED) {
      const oldest = this.known.keys().next();
      if (!oldest.done) this.known.delete(oldest.value);
    }
    this.known.set(name, key);
  }
}

class KeyDoesNotOpen extends Error {}
