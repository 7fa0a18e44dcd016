import { LRUCache } from 'lru-cache';
import type { Sql } from 'postgres';
import { openText, ownKeyName, sealText } from './envelope.js';
import type { KeyRing } from './key-ring.js';
import { migrate } from './migrate.js';

/** The folded state of a stream at a revision; `hash` is that of the event at this revision. */
export interface Snapshot {
  readonly revision: bigint;
  readonly hash: string;
  readonly state: string;
}

/** Epochs kept in memory, more than there are mailboxes. */
const MOST_EPOCHS = 100_000;

/**
 * Folded states that spare a cold start the reading of a whole stream. They may be lost at any time. A snapshot is
 * sealed under the stream's own key, which makes it as private as the events and reveals a damaged one;
 * one that was made by other rules (`rules`) is ignored.
 */
export class Snapshots {
  /** The epoch of each stream when its snapshot was last looked for: what was folded since then is of this epoch or a later one. */
  private readonly epochs = new LRUCache<string, string>({ max: MOST_EPOCHS });

  private constructor(
    private readonly sql: Sql,
    private readonly keys: KeyRing,
  ) {}

  static async open(sql: Sql, keys: KeyRing): Promise<Snapshots> {
    await migrate(sql, 'cache', 'snapshots', [
      `create table cache.snapshots (
         stream text primary key, rules text not null, revision bigint not null, hash text not null, sealed text not null)`,
      'alter table cache.snapshots add column epoch bigint not null default 0',
    ]);
    return new Snapshots(sql, keys);
  }

  async load(stream: string, rules: string): Promise<Snapshot | null> {
    const [row] = await this.sql<{ rules: string; revision: string; hash: string; sealed: string; epoch: string }[]>`
      select rules, revision, hash, sealed, epoch from cache.snapshots where stream = ${stream}`;
    this.epochs.set(stream, row?.epoch ?? '0');
    if (row?.rules !== rules) return null;
    const key = (await this.keys.find([ownKeyName(stream)])).get(ownKeyName(stream));
    const state = key ? openText(row.sealed, key, associated(stream, rules, row.revision, row.hash)) : null;
    return state === null ? null : { revision: BigInt(row.revision), hash: row.hash, state };
  }

  /** Keeps the newer one when two processes save at the same time, and none that was folded before `erase`. */
  async save(stream: string, rules: string, { revision, hash, state }: Snapshot): Promise<void> {
    const key = (await this.keys.obtain([ownKeyName(stream)])).get(ownKeyName(stream));
    const epoch = this.epochs.get(stream) ?? '0';
    if (!key) return;
    const sealed = sealText(state, key, associated(stream, rules, `${revision}`, hash));
    await this.sql`
      insert into cache.snapshots as kept (stream, rules, revision, hash, sealed, epoch)
      values (${stream}, ${rules}, ${`${revision}`}, ${hash}, ${sealed}, ${epoch})
      on conflict (stream) do update
        set rules = excluded.rules, revision = excluded.revision, hash = excluded.hash, sealed = excluded.sealed
        where kept.epoch = excluded.epoch and (kept.rules <> excluded.rules or kept.revision < excluded.revision)`;
  }

  /** Deletes snapshots for good: what any process has folded of these streams so far is not saved again. */
  async erase(streams: readonly string[]): Promise<void> {
    await this.sql`
      insert into cache.snapshots as kept (stream, rules, revision, hash, sealed, epoch)
      select stream, '', -1, '', '', 1 from unnest(${[...streams]}::text[]) as erased (stream)
      on conflict (stream) do update
        set rules = '', revision = -1, hash = '', sealed = '', epoch = kept.epoch + 1`;
  }
}

const associated = (stream: string, rules: string, revision: string, hash: string): string =>
  `snapshot|${stream}|${rules}|${revision}|${hash}`;
