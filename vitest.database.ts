import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from './apps/api/src/storage/embedded-postgres/embedded-postgres.js';

/** Bytes that the databases of a whole run may need. */
const SPACE_BYTES = 4 * 2 ** 30;

/**
 * One real PostgreSQL for the whole test run, in which each suite creates its own databases. It is as durable as in production, but
 * in memory if there is space, so that a slow disk does not slow down the tests. TEST_DATABASE_URL names another server to use.
 */
export default async function setup(): Promise<() => Promise<void>> {
  if (process.env.TEST_DATABASE_URL) return async () => undefined;
  const memory = await statfs('/dev/shm').catch(() => null);
  const parent = memory && memory.bavail * memory.bsize > SPACE_BYTES ? '/dev/shm' : tmpdir();
  const folder = await mkdtemp(join(parent, 'verbatim-tests-'));
  const database = await startEmbeddedPostgres(folder, { settings: { max_connections: '300' } });
  process.env.TEST_DATABASE_URL = database.url;
  return async () => {
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
