import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { CuttingProxy } from './cutting-proxy.testing.js';
import { Listener } from './listener.js';
import { createTestDatabase, type TestDatabase } from './test-database.testing.js';

let database: TestDatabase;
let sql: postgres.Sql;
let proxy: CuttingProxy;
let listener: Listener;
/** Payloads heard, and for each start of listening whether it was not the first. */
let heard: string[];
let starts: boolean[];
let troubles: string[];

beforeAll(async () => {
  database = await createTestDatabase();
  sql = postgres(database.url, { max: 1, onnotice: () => undefined });
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

beforeEach(async () => {
  [heard, starts, troubles] = [[], [], []];
  proxy = await CuttingProxy.open(database.url);
  listener = new Listener({
    directUrl: proxy.url,
    channel: 'test_channel',
    log: { warn: (_, message) => void troubles.push(message) },
    heard: (payload) => void heard.push(payload),
    listening: (again) => void starts.push(again),
    keepAliveMs: 100,
    patienceMs: 500,
  });
  listener.start();
  listener.start();
  await until(() => starts.length === 1);
});
afterEach(async () => {
  await listener.close();
  await proxy.close();
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('what others and what it itself sends is heard', async () => {
  await sql`select pg_notify('test_channel', 'from others')`;
  await listener.notify('from itself');
  await until(() => heard.length === 2);
  expect([heard.toSorted(), starts, listener.open]).toEqual([['from itself', 'from others'], [false], true]);
});

test('a connection that the server ends is replaced, and what is sent then is heard', async () => {
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and query like 'listen%'`;
  await until(() => starts.length > 1);
  await sql`select pg_notify('test_channel', 'after the end')`;
  await until(() => heard.length > 0);
  expect([heard, starts[1]]).toEqual([['after the end'], true]);
});

test('a connection on which nothing comes any more is noticed and replaced', async () => {
  proxy.cutNext('select 1', 'silence');
  await until(() => starts.length > 1);
  await sql`select pg_notify('test_channel', 'after the silence')`;
  await until(() => heard.includes('after the silence'));
  expect(starts[1]).toBe(true);
});

test('while the database cannot be reached it keeps trying and says so', async () => {
  proxy.refuse('resets', 400);
  await until(() => troubles.length > 0);
  expect(listener.open).toBe(false);
  // Lost, and no error.
  await listener.notify('into the void');
  await until(() => listener.open);
  await listener.notify('back again');
  await until(() => heard.includes('back again'));
  expect(heard).not.toContain('into the void');
});

test('a closed one neither hears nor fails', async () => {
  await listener.close();
  await listener.notify('too late');
  expect([listener.open, heard]).toEqual([false, []]);
});
