import { randomBytes } from 'node:crypto';
import { arrayParameters } from '@verbatim/event-store';
import type { Logger } from 'pino';
import postgres, { type Sql, type TransactionSql } from 'postgres';
import type { Migration } from '../../composition/migration.js';
import type { Config } from '../../config.js';
import { migrateTables } from '../migrate-tables.js';

/** The source or the target cannot be used; nothing was changed. The message says what to do. */
export class CopyRefused extends Error {}

export interface Table {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
  readonly bytes: number;
}

/** Schemas that mark a database that is being filled. They are removed in the transaction that completes it. */
export const markers = ['verbatim_copy', 'verbatim_restore'] as const;
export type Marker = (typeof markers)[number];
/** Held on the target while it is filled. */
const COPY_LOCK = 7_216_010;
/** Schemas of a service. Those of `read_<n>` and `cache` are built from the others. */
export const SOURCES = ['log', 'vault', 'desk'];
/** Tables whose rows belong to one database. */
const NOT_COPIED = ['log.migrations', 'vault.migrations', 'desk.migrations', 'desk.read_schemas', 'desk.releases'];

/** One connection to the source or the target. */
export const client = (url: string): Sql =>
  postgres(url, {
    ...{ max: 1, max_lifetime: null, connect_timeout: 10, fetch_types: false },
    ...{ types: { array: arrayParameters }, onnotice: () => undefined },
    connection: { application_name: 'verbatim copy' },
  });

/**
 * Ensures that the target is empty and that nothing else fills it until its connection ends. Removes what an interrupted
 * copy left; with `resume`, an unfinished restore keeps its log.
 */
export async function claim(target: Sql, marker: Marker, resume = false): Promise<void> {
  const [state] = await target<{ locked: boolean; encoding: string }[]>`
    select pg_try_advisory_lock(${COPY_LOCK}) as locked, current_setting('server_encoding') as encoding`;
  if (!state?.locked) throw new CopyRefused('Another copy into this database is in progress.');
  if (state.encoding !== 'UTF8')
    throw new CopyRefused(`The encoding of the target is ${state.encoding}. Create it with encoding UTF8.`);
  const there = await ourSchemas(target);
  const unfinished = there.includes(marker);
  if (unfinished && resume) await clear(target, (schema) => schema !== 'log' && schema !== marker);
  else if (unfinished && !(await hasEvents(target))) await clear(target);
  else if (there.length > 0)
    throw new CopyRefused(
      `The target is not empty: it has the schemas ${there.join(', ')}. Create an empty database and copy into that.`,
    );
  await target`create schema if not exists ${target(marker)}`;
}

const ourSchemas = async (sql: Sql | TransactionSql): Promise<string[]> =>
  (
    await sql<{ name: string }[]>`
      select nspname as name from pg_namespace
       where nspname = any(${[...SOURCES, 'cache', 'ephemeral', ...markers]}::text[]) or nspname ~ '^read_[0-9]+$' order by 1`
  ).map(({ name }) => name);

async function hasEvents(sql: Sql): Promise<boolean> {
  const [{ there } = { there: false }] = await sql`select to_regclass('log.events') is not null as there`;
  return there && (await sql`select from log.events limit 1`).length > 0;
}

export async function clear(target: Sql, which: (schema: string) => boolean = () => true): Promise<void> {
  for (const schema of await ourSchemas(target)) if (which(schema)) await target`drop schema ${target(schema)} cascade`;
}

export interface TablesOptions {
  readonly config: Config;
  readonly log: Logger;
  /** The tables of doors and units. */
  readonly further: readonly Migration[];
}

/** Has the service itself create its tables, so that none can be forgotten. Their content is replaced later. */
export async function makeTables(url: string, { config, log, further }: TablesOptions): Promise<void> {
  await migrateTables(
    {
      config: { ...config, EVENT_STORE_URL: undefined, ...temporaryKeys() },
      database: { url, directUrl: url, lost: new Promise(() => undefined), stop: async () => undefined },
      log,
    },
    further,
    { filling: true },
  );
}

/** A throwaway master key: nothing encrypted under it is kept. */
const temporaryKeys = () => ({ MASTER_KEY: randomBytes(32).toString('base64'), MASTER_KEY_BEFORE: undefined });

export async function migrationsOf(sql: TransactionSql, schema: string): Promise<string | null> {
  const [{ there } = { there: false }] = await sql`select to_regclass(${`${schema}.migrations`}) is not null as there`;
  if (!there) return null;
  const steps = await sql<{ component: string; step: number }[]>`
    select component, step from ${sql(schema)}.migrations order by component collate "C", step`;
  return steps.map(({ component, step }) => `${component} ${step}`).join('\n');
}

/** Tables with foreign keys come last. References are never more than one level deep. */
export async function tablesOf(sql: TransactionSql, schemas: readonly string[]): Promise<Table[]> {
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

/** Removes the rows that creating the tables has put into these schemas, and the marker of an unfinished copy. */
export async function emptyTarget(to: TransactionSql, schemas: readonly string[]): Promise<void> {
  const own = await tablesOf(to, [...schemas, 'cache']);
  await to.unsafe(
    `truncate ${own
      .filter(({ name }) => name !== 'migrations')
      .map(quoted)
      .join(', ')}`,
  );
  await to`delete from desk.read_schemas`;
  for (const marker of markers) await to`drop schema if exists ${to(marker)} cascade`;
}

/**
 * Rejects when the database refuses a COPY at its very end, for example because its disk is full. The stream of postgres.js does not
 * report that, because the query has already resolved with the stream.
 */
export function refusalOf(copying: unknown): Promise<never> {
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

export async function countRows(table: Pick<Table, 'schema' | 'name'>, sql: TransactionSql): Promise<number> {
  const [row] = await sql.unsafe<{ count: number }[]>(`select count(*)::float8 as count from ${quoted(table)}`);
  return row?.count ?? 0;
}

export const quoted = ({ schema, name }: Pick<Table, 'schema' | 'name'>): string => `"${schema}"."${name}"`;
