import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Migration } from '../composition/migration.js';
import { readConfig } from '../config.js';
import { createDatabase, dropDatabase } from '../tests/harness/database.testing.js';
import { migrateTables } from './migrate-tables.js';

let url: string;
let folder: string;
let sql: Sql;
beforeAll(async () => {
  [url, folder] = [await createDatabase(), await mkdtemp(join(tmpdir(), 'verbatim-migrate-'))];
  sql = postgres(url, { max: 2, onnotice: () => undefined });
});
afterAll(async () => {
  await sql.end();
  await dropDatabase(url);
  await rm(folder, { recursive: true });
});

const made: Migration = { schema: 'desk', name: 'made up', statements: ['create table desk.made_up (id int)'] };
const migrated = (...further: Migration[]) =>
  migrateTables(
    {
      config: readConfig({ VERBATIM_DATA: folder }),
      database: { url, directUrl: url, lost: new Promise(() => undefined), stop: async () => undefined },
      log: pino({ level: 'error' }),
    },
    further,
  );

it('brings an empty database up to date, those of doors and units included, and says which steps it took', async () => {
  const steps = await migrated(made);
  const schemas = new Set(steps.map(({ schema }) => schema));
  expect([...schemas].sort()).toEqual(['cache', 'desk', 'ephemeral', 'log', 'vault']);
  expect(steps).toContainEqual({ schema: 'desk', component: 'read models', step: 0 });
  expect(steps).toContainEqual({ schema: 'desk', component: 'made up', step: 0 });
  expect(await sql`select nspname from pg_namespace where nspname like 'read%'`).toHaveLength(0);
});

it('does nothing the second time', async () => {
  expect(await migrated(made)).toEqual([]);
});

it('gives way to those who use a table, so that nobody waits behind it for long', async () => {
  const more = { ...made, statements: [...made.statements, 'alter table desk.made_up add label text'] };
  const { migrating, waited } = await sql.begin(async (user) => {
    await user`select from desk.made_up`;
    const migrating = migrated(more);
    const waits = () => sql`select from pg_locks where relation = 'desk.made_up'::regclass and not granted`;
    await expect.poll(async () => (await waits()).length, { timeout: 10_000 }).toBe(1);
    const begun = performance.now();
    await sql`select from desk.made_up`;
    return { migrating, waited: performance.now() - begun };
  });
  expect(waited).toBeLessThan(4_000);
  expect(await migrating).toEqual([{ schema: 'desk', component: 'made up', step: 1 }]);
});
