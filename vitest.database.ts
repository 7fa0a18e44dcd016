import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from './apps/api/src/embedded-postgres/embedded-postgres.js';

/**
 * One real PostgreSQL for the whole test run, in which each suite makes databases of its own. It is as durable as in
 * production. TEST_DATABASE_URL names another server to use instead.
 */
export default async function setup(): Promise<() => Promise<void>> {
  if (process.env.TEST_DATABASE_URL) return async () => undefined;
  const folder = await mkdtemp(join(tmpdir(), 'verbatim-tests-'));
  const database = await startEmbeddedPostgres(folder, { settings: { max_connections: '300' } });
  process.env.TEST_DATABASE_URL = database.url;
  return async () => {
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
