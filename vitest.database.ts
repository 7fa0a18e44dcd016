import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from './apps/api/src/storage/embedded-postgres/embedded-postgres.js';

/** Bytes that the databases of a whole run may need. */
const ROOM = 4 * 2 ** 30;

/**
 * One real PostgreSQL for the whole test run, in which each suite makes databases of its own. It is set as durable as in
 * production; in memory, where there is room, so that a slow disk does not decide how long the tests take.
 * TEST_DATABASE_URL names another server to use instead.
 */
export default async function setup(): Promise<() => Promise<void>> {
  if (process.env.TEST_DATABASE_URL) return async () => undefined;
  const memory = await statfs('/dev/shm').catch(() => null);
  const parent = memory && memory.bavail * memory.bsize > ROOM ? '/dev/shm' : tmpdir();
  const folder = await mkdtemp(join(parent, 'verbatim-tests-'));
  const database = await startEmbeddedPostgres(folder, { settings: { max_connections: '300' } });
  process.env.TEST_DATABASE_URL = database.url;
  return async () => {
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
