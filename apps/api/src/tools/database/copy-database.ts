import { pipeline } from 'node:stream/promises';
import type { TransactionSql } from 'postgres';
import {
  CopyRefused,
  claim,
  clear,
  client,
  countRows,
  emptyTarget,
  makeTables,
  migrationsOf,
  quoted,
  refusalOf,
  SOURCES,
  type Table,
  type TablesOptions,
  tablesOf,
} from './target-database.js';

export interface CopyProgress {
  /** Bytes already copied, and an estimate of the total. */
  readonly bytes: number;
  readonly total: number;
  /** The table that is being copied, such as `log.events`. */
  readonly table: string;
}

export interface CopyResult {
  readonly tables: number;
  readonly rows: number;
  readonly events: number;
  /** When the snapshot was taken; later writes are not in the copy. */
  readonly at: Date;
  /** Whether a service was connected to the source at that time. */
  readonly inUse: boolean;
}

export interface CopyOptions extends TablesOptions {
  readonly onProgress: (progress: CopyProgress) => void;
}

/**
 * Copies everything that a service keeps in a database into an empty one: the schemas `log`, `vault` and `desk`, from one
 * snapshot of the source. The target gets all rows in one transaction, or none. Rows are streamed, so memory does not grow
 * with the data. The source is only read, and a service may keep using it.
 *
 * @throws CopyRefused when the target is not empty or the source belongs to another release.
 */
export async function copyDatabase(from: string, to: string, options: CopyOptions): Promise<CopyResult> {
  const target = client(to);
  try {
    await claim(target, 'verbatim_copy');
    try {
      await makeTables(to, options);
      return await copyRows(from, to, options);
    } catch (error) {
      await clear(target).catch(() => undefined);
      throw error;
    }
  } finally {
    // Closing the connection releases the lock.
    await target.end({ timeout: 5 });
  }
}

async function copyRows(fromUrl: string, toUrl: string, options: CopyOptions): Promise<CopyResult> {
  const [source, target] = [client(fromUrl), client(toUrl)];
  let cause: unknown;
  // A stream that was cut short leaves its connection waiting for a reader, and so would a rollback.
  const giveUp = async (error: unknown): Promise<never> => {
    cause ??= error;
    await Promise.all([source.end({ timeout: 0 }), target.end({ timeout: 0 })]);
    throw error;
  };
  try {
    return await source.begin('isolation level repeatable read read only', (from) =>
      target.begin((to) => copySnapshot(from, to, options).catch(giveUp)).catch(giveUp),
    );
  } catch (error) {
    throw cause ?? error;
  } finally {
    await Promise.all([source.end({ timeout: 5 }), target.end({ timeout: 5 })]);
  }
}

async function copySnapshot(
  from: TransactionSql,
  to: TransactionSql,
  { config, onProgress }: CopyOptions,
): Promise<CopyResult> {
  for (const sql of [from, to]) {
    await sql`select set_config(name, '0', true) from unnest(array['statement_timeout', 'idle_in_transaction_session_timeout']) name`;
  }
  const [{ at, inUse } = { at: new Date(), inUse: false }] = await from<{ at: Date; inUse: boolean }[]>`
    select now() as at, exists (
      select from pg_stat_activity where datname = current_database() and application_name like 'verbatim%'
         and application_name <> 'verbatim copy') as "inUse"`;
  // With a separate event store, the log is not in this database.
  const schemas = config.EVENT_STORE_URL ? SOURCES.filter((schema) => schema !== 'log') : SOURCES;
  await refuseOtherRelease(from, to, schemas);
  const tables = await tablesOf(from, schemas);
  await emptyTarget(to, SOURCES);

  const total = tables.reduce((sum, { bytes }) => sum + bytes, 0);
  let [bytes, rows, events] = [0, 0, 0];
  for (const table of tables) {
    const name = `${table.schema}.${table.name}`;
    const count = (chunk: Buffer) => {
      bytes += chunk.length;
      onProgress({ bytes, total: Math.max(total, bytes), table: name });
    };
    await copyTable(table, from, to, count);
    const [expected, copied] = [await countRows(table, from), await countRows(table, to)];
    if (expected !== copied) throw new Error(`${name} has ${expected} rows in the source and ${copied} in the copy.`);
    rows += copied;
    if (name === 'log.events') events = copied;
  }
  return { tables: tables.length, rows, events, at, inUse };
}

/** Rows fit only tables of the same shape, so both databases must have the same migrations. */
async function refuseOtherRelease(from: TransactionSql, to: TransactionSql, schemas: readonly string[]) {
  for (const schema of schemas) {
    const [there, wanted] = [await migrationsOf(from, schema), await migrationsOf(to, schema)];
    if (there === null)
      throw new CopyRefused(`There is nothing to copy: the source has no schema ${schema} of this service.`);
    if (there !== wanted)
      throw new CopyRefused(
        `The schema ${schema} of the source belongs to another release. Start this release on it once, then copy.`,
      );
  }
}

async function copyTable(table: Table, from: TransactionSql, to: TransactionSql, count: (chunk: Buffer) => void) {
  const columns = table.columns.map((column) => `"${column}"`).join(', ');
  const reading = await from.unsafe(`copy ${quoted(table)} (${columns}) to stdout`).readable();
  const copying = to.unsafe(`copy ${quoted(table)} (${columns}) from stdin`);
  const refused = refusalOf(copying);
  const writing = await copying.writable();
  async function* counted(chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      count(chunk);
      yield chunk;
    }
  }
  await Promise.race([pipeline(reading, counted, writing), refused]);
  // A stream that ended with much unread data leaves its connection paused; postgres.js resumes it only on a read.
  reading._read(0);
}
