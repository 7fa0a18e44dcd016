import type { Sql } from 'postgres';

/** Every table of every schema, as text. */
export async function logicalDump(sql: Sql): Promise<string> {
  const tables = await sql<{ schema: string; name: string }[]>`
    select table_schema as schema, table_name as name from information_schema.tables
    where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`;
  const parts: string[] = [];
  for (const { schema, name } of tables) {
    const rows = await sql`select t::text as row from ${sql(schema)}.${sql(name)} t`;
    for (const { row } of rows) parts.push(`${schema}.${name} ${row}`);
  }
  return parts.join('\n');
}
