import type { Sql } from 'postgres';

/** Any number that nothing else in the database locks. */
const SETUP_LOCK = 7_216_002;

/** Lets one process at a time, of all that use the database, set up what is created once. */
export class SetupLock {
  constructor(private readonly sql: Sql) {}

  async hold(work: () => Promise<void>): Promise<void> {
    await this.sql.begin(async (lock) => {
      await lock`select pg_advisory_xact_lock(${SETUP_LOCK})`;
      await work();
    });
  }
}
