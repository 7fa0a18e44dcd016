import { setTimeout as pause } from 'node:timers/promises';
import type { Sql, TransactionSql } from 'postgres';

/** Any number that nothing else in the database locks. */
const MIGRATION_LOCK = 7_216_001;

/**
 * Milliseconds that a step waits for a table in use, and times that it is tried. Meanwhile everybody else waits behind it, so it
 * gives way soon: running processes of an older release go on.
 */
const LOCK_PATIENCE_MS = 2_000;
const TRIES = 30;
const LOCK_NOT_AVAILABLE = '55P03';

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
  for (let tries = 1; ; tries++) {
    try {
      await sql.begin((tx) => takeSteps(tx, schema, component, steps));
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE || tries === TRIES) throw error;
      await pause(LOCK_PATIENCE_MS / 4);
    }
  }
}

async function takeSteps(tx: TransactionSql, schema: string, component: string, steps: readonly MigrationStep[]) {
  await tx`select pg_advisory_xact_lock(${MIGRATION_LOCK})`;
  await tx`set local client_min_messages = warning`;
  await tx`create schema if not exists ${tx(schema)}`;
  await tx`
    create table if not exists ${tx(schema)}.migrations (
      component text, step int, done_at timestamptz not null default now(), primary key (component, step))`;
  const [{ done } = { done: 0 }] = await tx<{ done: number }[]>`
    select count(*)::int as done from ${tx(schema)}.migrations where component = ${component}`;
  if (done >= steps.length) return;
  await tx`select set_config('lock_timeout', ${`${LOCK_PATIENCE_MS}ms`}, true)`;
  for (const [step, work] of steps.entries()) {
    if (step < done) continue;
    await (typeof work === 'string' ? tx.unsafe(work) : work(tx));
    await tx`insert into ${tx(schema)}.migrations (component, step) values (${component}, ${step})`;
  }
}
