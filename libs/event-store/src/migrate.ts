import type { Sql, TransactionSql } from 'postgres';

/** Any number that nothing else in the database locks. */
const MIGRATION_LOCK = 7_216_001;

/** Statements, or what takes more than SQL. */
export type MigrationStep = string | ((tx: TransactionSql) => Promise<void>);

/**
 * Makes a schema and brings the tables of one `component` in it to today's shape: runs those of the ordered `steps` that
 * have not run on this database yet, each once, all in one transaction. Several processes may start at the same time.
 * A step that has been released is never edited; changes are new steps at the end.
 */
export async function migrate(
  sql: Sql,
  schema: string,
  component: string,
  steps: readonly MigrationStep[],
): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${MIGRATION_LOCK})`;
    await tx`set local client_min_messages = warning`;
    await tx`create schema if not exists ${tx(schema)}`;
    await tx`
      create table if not exists ${tx(schema)}.migrations (
        component text, step int, done_at timestamptz not null default now(), primary key (component, step))`;
    const [{ done } = { done: 0 }] = await tx<{ done: number }[]>`
      select count(*)::int as done from ${tx(schema)}.migrations where component = ${component}`;
    for (const [step, work] of steps.entries()) {
      if (step < done) continue;
      await (typeof work === 'string' ? tx.unsafe(work) : work(tx));
      await tx`insert into ${tx(schema)}.migrations (component, step) values (${component}, ${step})`;
    }
  });
}
