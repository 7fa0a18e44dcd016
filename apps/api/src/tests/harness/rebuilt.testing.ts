import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Sql } from 'postgres';

type Tables = Record<string, readonly object[]>;

const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));

/** All rows of all read models, as updated live and as rebuilt by the command line. */
export async function rebuiltBeside(
  sql: Sql,
  environment: Readonly<Record<string, string>>,
): Promise<{ before: Tables; after: Tables }> {
  const grown = await liveSchema(sql);
  await promisify(execFile)(process.execPath, [cli, 'projections', 'rebuild'], {
    env: { ...process.env, ...environment },
  });
  const rebuilt = await liveSchema(sql);
  if (rebuilt === grown) throw new Error('the rebuild has switched nothing');
  return { before: await allRows(sql, grown), after: await allRows(sql, rebuilt) };
}

async function liveSchema(sql: Sql): Promise<string> {
  const [row] = await sql<{ n: number }[]>`select n from desk.read_schemas where state = 'live'`;
  return `read_${row?.n}`;
}

/** Every table's rows as JSON, in an order that depends on the rows alone. */
async function allRows(sql: Sql, schema: string): Promise<Tables> {
  const tables = await sql<
    { name: string }[]
  >`select tablename as name from pg_tables where schemaname = ${schema} order by 1`;
  const all: Tables = {};
  for (const { name } of tables) {
    all[name] =
      await sql`select to_jsonb(t) as row from ${sql(schema)}.${sql(name)} t order by to_jsonb(t)::text collate "C"`;
  }
  return all;
}
