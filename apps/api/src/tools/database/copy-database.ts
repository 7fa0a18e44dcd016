import { randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { arrayParameters } from '@verbatim/event-store';
import type { Logger } from 'pino';
import postgres, { type Sql, type TransactionSql } from 'postgres';
import type { Migration } from '../../composition/migration.js';
import type { Config } from '../../config.js';
import { openTools } from '../tools.js';

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

export interface CopyOptions {
  readonly config: Config;
  readonly log: Logger;
  /** The tables of doors and units. */
  readonly migrations?: readonly Migration[];
  readonly onProgress: (progress: CopyProgress) => void;
}

/** The source or the target cannot be used, and nothing was changed. The message says what to do. */
export class CopyRefused extends Error {}

interface Table {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
  readonly bytes: number;
}

/** Marks a target whose copy is incomplete. It is removed in the transaction that copies the rows. */
const MARKER = 'verbatim_copy';
/** Held on the target during a copy. */
const COPY_LOCK = 7_216_010;
/** Schemas of a service. Those of `read_<n>` and `cache` are built from the others. */
const SOURCES = ['log', 'vault', 'desk'];
/** Rows that each database has of its own. */
const NOT_COPIED = ['log.migrations', 'vault.migrations', 'desk.migrations', 'desk.read_schemas'];

/**
 * Copies everything that a service keeps in a database into an empty one: the schemas `log`, `vault` and `desk`, as they
 * are in one snapshot of the source. The target gets all rows in one transaction, or none. Rows are streamed, so memory
 * does not grow with the data. The source is only read, and a service may keep using it.
 *
 * @throws CopyRefused when the target is not empty or the source belongs to another release.
 */
export async function copyDatabase(from: string, to: string, options: CopyOptions): Promise<CopyResult> {
  const target = client(to);
  try {
    await claim(target);
    try {
      await makeTables(to, options);
      return await copyRows(from, to, options);
    } catch (error) {
      await clear(target).catch(() => undefined);
      throw error;
    }
  } finally {
    // The lock goes with the connection.
    await target.end({ timeout: 5 });
  }
}

const client = (url: string): Sql =>
  postgres(url, {
    ...{ max: 1, max_lifetime: null, connect_timeout: 10, fetch_types: false },
    ...{ types: { array: arrayParameters }, onnotice: () => undefined },
    connection: { application_name: 'verbatim copy' },
  });

/** Makes sure that the target is empty and that no other copy is filling it. What an interrupted copy left is removed. */
async function claim(target: Sql): Promise<void> {
  const [state] = await target<{ locked: boolean; encoding: string }[]>`
    select pg_try_advisory_lock(${COPY_LOCK}) as locked, current_setting('server_encoding') as encoding`;
  if (!state?.locked) throw new CopyRefused('Another copy into this database is in progress.');
  if (state.encoding !== 'UTF8')
    throw new CopyRefused(`The encoding of the target is ${state.encoding}. Create it with encoding UTF8.`);
  const there = await ourSchemas(target);
  if (there.includes(MARKER) && !(await hasEvents(target))) await clear(target);
  else if (there.length > 0)
    throw new CopyRefused(
      `The target is not empty: it has the schemas ${there.join(', ')}. Create an empty database and copy into that.`,
    );
  await target`create schema ${target(MARKER)}`;
}

const ourSchemas = async (sql: Sql | TransactionSql): Promise<string[]> =>
  (
    await sql<{ name: string }[]>`
      select nspname as name from pg_namespace
       where nspname = any(${[...SOURCES, 'cache', 'ephemeral', MARKER]}::text[]) or nspname ~ '^read_[0-9]+$' order by 1`
  ).map(({ name }) => name);

async function hasEvents(sql: Sql): Promise<boolean> {
  const [{ there } = { there: false }] = await sql`select to_regclass('log.events') is not null as there`;
  return there && (await sql`select from log.events limit 1`).length > 0;
}

async function clear(target: Sql): Promise<void> {
  for (const schema of await ourSchemas(target)) await target`drop schema ${target(schema)} cascade`;
}

/** Has the service itself create its tables, so that none can be forgotten. Their content is replaced later. */
async function makeTables(url: string, { config, log, migrations }: CopyOptions): Promise<void> {
  const tools = await openTools({
    config: { ...config, EVENT_STORE_URL: undefined, MASTER_KEY: randomBytes(32).toString('base64') },
    database: { url, directUrl: url, lost: new Promise(() => undefined), stop: async () => undefined },
    log,
    migrations,
  });
  await tools.close();
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
  // With an event store of its own, the log is not in this database.
  const schemas = config.EVENT_STORE_URL ? SOURCES.filter((schema) => schema !== 'log') : SOURCES;
  await refuseOtherRelease(from, to, schemas);
  const tables = await tablesOf(from, schemas);
  await emptyTarget(to);

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

async function migrationsOf(sql: TransactionSql, schema: string): Promise<string | null> {
  const [{ there } = { there: false }] = await sql`select to_regclass(${`${schema}.migrations`}) is not null as there`;
  if (!there) return null;
  const steps = await sql<{ component: string; step: number }[]>`
    select component, step from ${sql(schema)}.migrations order by component collate "C", step`;
  return steps.map(({ component, step }) => `${component} ${step}`).join('\n');
}

/** Tables that refer to others come last. None refers to one that refers to another. */
async function tablesOf(sql: TransactionSql, schemas: readonly string[]): Promise<Table[]> {
  const tables = await sql<Table[]>`
    select n.nspname as schema, c.relname as name, greatest(c.relpages, 0) * 8192::float8 as bytes,
           (select jsonb_agg(a.attname order by a.attnum) from pg_attribute a
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname = any(${[...schemas]}::text[])
       and not n.nspname || '.' || c.relname = any(${NOT_COPIED}::text[])
     order by exists (select from pg_constraint f where f.conrelid = c.oid and f.confrelid <> c.oid and f.contype = 'f'),
           n.nspname, c.relname`;
  return [...tables];
}

/** Removes what the start of the service has put into the target, its read models and the marker of an unfinished copy. */
async function emptyTarget(to: TransactionSql): Promise<void> {
  const own = await tablesOf(to, [...SOURCES, 'cache']);
  await to.unsafe(
    `truncate ${own
      .filter(({ name }) => name !== 'migrations')
      .map(quoted)
      .join(', ')}`,
  );
  await to`delete from desk.read_schemas`;
  for (const schema of await ourSchemas(to)) {
    if (schema === MARKER || schema.startsWith('read_')) await to`drop schema ${to(schema)} cascade`;
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

/**
 * Rejects when the database refuses a COPY at its very end, for example because its disk is full. The stream of postgres.js does not
 * report that, because the query has already resolved with the stream.
 */
function refusalOf(copying: unknown): Promise<never> {
  const query = copying as { reject: (error: Error) => void };
  const { reject } = query;
  const refused = new Promise<never>((_, refuse) => {
    query.reject = (error) => {
      reject(error);
      refuse(error);
    };
  });
  refused.catch(() => undefined);
  return refused;
}

async function countRows(table: Table, sql: TransactionSql): Promise<number> {
  const [row] = await sql.unsafe<{ count: number }[]>(`select count(*)::float8 as count from ${quoted(table)}`);
  return row?.count ?? 0;
}

const quoted = ({ schema, name }: Table): string => `"${schema}"."${name}"`;
