import type { Sql } from 'postgres';

/**
 * What changes without anybody doing something: samples are taken by the clock, a key is made when it is first needed, failed sign-ins are
 * counted, and the events that there are get signed.
 */
const BY_ITSELF = ['load_history', 'keys', 'sign_in_attempts', 'log_trees', 'log_tiles', 'log_checkpoints'];

/** How many rows each table of the log, of the secrets and of private state has. */
export async function rowsKept(sql: Sql): Promise<Record<string, number>> {
  const tables = await sql<{ name: string }[]>`
    select format('%I.%I', table_schema, table_name) as name from information_schema.tables
    where table_schema in ('log', 'vault', 'desk') and table_name <> all(${BY_ITSELF}::text[])
    order by name`;
  const rows: Record<string, number> = {};
  for (const { name } of tables) {
    const [row] = await sql.unsafe<{ count: number }[]>(`select count(*)::int as count from ${name}`);
    rows[name] = row?.count ?? 0;
  }
  return rows;
}
