import { type Projection, readModels } from '@verbatim/projections';
import type { Sql } from 'postgres';
import { type BigLog, bigLog, liveSchema, onDatabaseOf, rebuildReadModels, rebuiltBigLog } from '../big-log.js';
import type { Row, Section } from '../table.js';

/** How fast all read models are rebuilt from the log, beside the database copying the resulting rows. */
export async function rebuiltReadModels(): Promise<Section[]> {
  const log = await bigLog();
  const withoutSearch = await withoutProjections(readModels.search, async () =>
    besideCopy(log, await rebuildReadModels(log)),
  );
  // Last, because it leaves the read models that the service needs.
  const all = await besideCopy(log, (await rebuiltBigLog()).rebuildSeconds);
  return [
    {
      title: `rebuilding all read models from ${log.events} events, once`,
      floor: 'COPY of the same rows from a file into the same tables with the same indexes',
      rows: [...rows('all read models', log, all), ...rows('without search', log, withoutSearch)],
      notes: all.tables,
    },
  ];
}

interface Measured {
  /** Seconds. */
  readonly rebuild: number;
  readonly copy: number;
  /** Each table with its indexes. */
  readonly tables: readonly string[];
}

const rows = (what: string, { events }: BigLog, { rebuild, copy }: Measured): Row[] => [
  { figure: `${what}, events/s`, verbatim: events / rebuild, floor: events / copy },
  { figure: `${what}, s`, verbatim: rebuild, floor: copy },
];

/** What it would cost if there were none of these read models. */
async function withoutProjections<T>(
  group: { projections: readonly Projection[] },
  work: () => Promise<T>,
): Promise<T> {
  const { projections } = group;
  group.projections = [];
  try {
    return await work();
  } finally {
    group.projections = projections;
  }
}

function besideCopy({ folder }: BigLog, rebuild: number): Promise<Measured> {
  return onDatabaseOf(folder, async ({ sql }) => {
    await dropRetired(sql);
    const schema = await liveSchema(sql);
    return { rebuild, copy: await copy(sql, schema), tables: await tablesWithIndexes(sql, schema) };
  });
}

/** Seconds that it takes to copy all rows of a schema from files into a schema of the same form. */
async function copy(sql: Sql, schema: string): Promise<number> {
  await sql.unsafe('drop schema if exists bench cascade; create schema bench');
  const [{ folder } = { folder: '' }] = await sql<
    { folder: string }[]
  >`select current_setting('data_directory') as folder`;
  const tables = await tablesOf(sql, schema);
  for (const table of tables) {
    await sql.unsafe(`create table bench.${table} (like ${schema}.${table} including all)`);
    await sql.unsafe(`copy ${schema}.${table} to '${folder}/${table}.copy'`);
  }
  await sql.unsafe('checkpoint');
  const begun = performance.now();
  for (const table of tables) await sql.unsafe(`copy bench.${table} from '${folder}/${table}.copy'`);
  const took = (performance.now() - begun) / 1_000;
  await sql.unsafe('drop schema bench cascade');
  return took;
}

/** So that the disk does not fill up, and nothing is vacuumed that is not in use. */
async function dropRetired(sql: Sql): Promise<void> {
  const retired = await sql<{ n: number }[]>`delete from desk.read_schemas where state <> 'live' returning n`;
  for (const { n } of retired) await sql.unsafe(`drop schema read_${n} cascade`);
}

const tablesOf = async (sql: Sql, schema: string): Promise<string[]> =>
  (await sql`select tablename from pg_tables where schemaname = ${schema} order by 1`).map(
    ({ tablename }) => tablename,
  );

async function tablesWithIndexes(sql: Sql, schema: string): Promise<string[]> {
  const tables = await sql<{ name: string; indexes: string }[]>`
    select tablename as name, string_agg(split_part(indexdef, ' USING ', 2), ', ' order by indexdef) as indexes
      from pg_indexes where schemaname = ${schema} group by 1 order by 1`;
  return tables.map(({ name, indexes }) => `${name}: ${indexes}`);
}
