import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { findRunning } from '../../storage/embedded-postgres/embedded-postgres.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { type ServiceProcess, startProcess } from '../../tests/harness/service-process.testing.js';
import { password, register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { logCommand, startCommand } from '../log/cli-process.testing.js';

let folder: string;
let service: ServiceProcess;
let ada: TestPerson;
let room: string;
let embedded: string;
const open: { url: string; sql: Sql }[] = [];

const connect = (url: string) => postgres(url, { max: 1, onnotice: () => undefined });

async function emptyDatabase(): Promise<{ url: string; sql: Sql }> {
  const url = await createDatabase();
  const database = { url, sql: connect(url) };
  open.push(database);
  return database;
}

const start = (from: string, to: string) =>
  startCommand(['database', 'copy', '--to', to], { DATABASE_URL: from, VERBATIM_DATA: folder });
const copy = (from: string, to: string) => start(from, to).ended;
const schemasOf = async (sql: Sql): Promise<string[]> =>
  (await sql<{ name: string }[]>`select nspname as name from pg_namespace where nspname !~ '^(pg_|information|public)'`)
    .map(({ name }) => name)
    .sort();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verbatim-copied-'));
  service = await startProcess({ VERBATIM_DATA: folder });
  ada = await register(service.url);
  room = await ada.room({ name: 'สวัสดี 你好 🚂' });
  await ada.says(room, 'tab\t, newline\n, backslash \\N, null-like \\. and שלום');
  for (let i = 0; i < 20; i++) await ada.says(room, `message ${i}`);
  embedded = (await findRunning(folder)) as string;
}, 120_000);
afterEach(async () => {
  for (const { url, sql } of open.splice(0)) {
    await sql.end();
    await dropDatabase(url);
  }
});
afterAll(async () => {
  await service?.end('SIGTERM');
  await rm(folder, { recursive: true, force: true });
});

describe('database copy', () => {
  it('copies the embedded database while its service keeps running, and a service on the copy has all users and messages', async () => {
    const target = await emptyDatabase();
    const source = connect(embedded);
    const before = (await ada.get(`/v1/rooms/${room}/messages`)).body;
    // No DATABASE_URL: the command finds the running database by itself.
    const copying = startCommand(['database', 'copy', '--to', target.url], { VERBATIM_DATA: folder });
    const posts = (async () => {
      let count = 0;
      for (; copying.child.exitCode === null; count++) await ada.says(room, `during the copy ${count}`);
      return count;
    })();
    const { code, printed, complained } = await copying.ended;
    expect(await posts).toBeGreaterThan(0);
    expect([code, complained.replaceAll(/^copying: .*\n/gm, '')]).toEqual([0, '']);
    expect(printed).toMatch(
      /A service is connected to the source\. What it has written since \S+Z is NOT in the copy\./,
    );
    expect(printed).not.toContain(new URL(target.url).password || 'no password in the test');

    const events = await target.sql`select * from log.events order by position`;
    expect(events.length).toBeGreaterThan(20);
    expect([...events]).toEqual([...(await source`select * from log.events order by position limit ${events.length}`)]);
    await source.end();

    const moved = await startProcess({ VERBATIM_DATA: folder, DATABASE_URL: target.url });
    try {
      const there = await signIn(moved.url, { username: ada.username, password });
      const messages = await there.all(`/v1/rooms/${room}/messages`);
      const known = new Set(messages.map(({ text }) => text));
      for (const { text } of before.items) expect(known).toContain(text);
      expect((await there.get(`/v1/rooms/${room}`)).body.name).toBe('สวัสดี 你好 🚂');
      expect((await there.get(`/v1/rooms/${room}/events`)).status).toBe(200);
      await there.says(room, 'said there');
      expect((await there.get(`/v1/rooms/${room}/messages`)).body.items[0].text).toBe('said there');
    } finally {
      expect(await moved.end('SIGTERM')).toBe(0);
    }
    expect((await logCommand('verify', '--url', target.url)).code).toBe(0);
    expect((await ada.says(room, 'still here')).id).toBeDefined();
  }, 120_000);

  it('refuses a target that is not empty, and leaves it alone', async () => {
    const target = await emptyDatabase();
    await target.sql`create schema desk`;
    await target.sql`create table desk.precious as select 42 as answer`;
    const { code, complained } = await copy(embedded, target.url);
    expect(complained).toContain('The target is not empty: it has the schemas desk.');
    expect(code).toBe(1);
    expect([...(await target.sql`select * from desk.precious`)]).toEqual([{ answer: 42 }]);
    expect((await copy(embedded, embedded)).complained).toContain('The target is not empty');
  }, 60_000);

  it('refuses a source that is empty or of another release, and leaves the target empty', async () => {
    const [source, target] = [await emptyDatabase(), await emptyDatabase()];
    const nothing = await copy(source.url, target.url);
    expect([nothing.code, nothing.complained]).toEqual([1, expect.stringContaining('There is nothing to copy')]);
    expect(await schemasOf(target.sql)).toEqual([]);

    expect((await copy(embedded, source.url)).code).toBe(0);
    await source.sql`delete from desk.migrations where component = 'preferences'`;
    const older = await copy(source.url, target.url);
    expect(older.complained).toContain('The schema desk of the source belongs to another release.');
    expect(older.code).toBe(1);
    expect(await schemasOf(target.sql)).toEqual([]);
  }, 90_000);

  describe('that is interrupted', () => {
    /** Runs work while a copy, with half of its tables done, waits for one that is locked in the source. */
    async function midway<T>(
      target: { url: string; sql: Sql },
      work: (running: ReturnType<typeof start>) => Promise<T>,
    ) {
      const locker = connect(embedded);
      const observer = connect(embedded);
      try {
        return await locker.begin(async (tx) => {
          await tx`lock table vault.credentials in access exclusive mode`;
          const running = start(embedded, target.url);
          const stuck = () =>
            observer`select from pg_stat_activity where application_name = 'verbatim copy' and wait_event_type = 'Lock'`;
          await vi.waitUntil(async () => (await stuck()).length > 0, { timeout: 60_000, interval: 20 });
          return work(running);
        });
      } finally {
        await Promise.all([locker.end(), observer.end()]);
      }
    }

    it('by a kill is repaired by a second copy', async () => {
      const target = await emptyDatabase();
      await midway(target, async ({ child, ended }) => {
        child.kill('SIGKILL');
        await ended;
      });
      const { code, complained } = await vi.waitUntil(
        async () => {
          const outcome = await copy(embedded, target.url);
          return outcome.complained.includes('Another copy into this database is under way') ? undefined : outcome;
        },
        { timeout: 60_000, interval: 200 },
      );
      expect([code, complained.replaceAll(/^copying: .*\n/gm, '')]).toEqual([0, '']);
      expect(await schemasOf(target.sql)).not.toContain('verbatim_copy');
    }, 120_000);

    it('by losing its target says so, and leaves the target empty and the source working', async () => {
      const target = await emptyDatabase();
      const outcome = await midway(target, async ({ ended }) => {
        await target.sql`
          select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and application_name = 'verbatim copy' and state = 'idle in transaction'`;
        return ended;
      });
      expect([outcome.code, outcome.printed]).toEqual([1, '']);
      expect(outcome.complained).not.toBe('');
      expect(await schemasOf(target.sql)).toEqual([]);
      await ada.says(room, 'after the loss');
    }, 120_000);
  });

  it.each([
    [[], '--to must be the URL of the target'],
    [['--to', 'mysql://x/y'], '--to must be the URL of the target'],
    [['--into', 'postgres://x/y'], "Unknown option '--into'"],
  ])('reports what is wrong with the arguments %j', async (args, sentence) => {
    const { code, complained } = await startCommand(['database', 'copy', ...args], { VERBATIM_DATA: folder }).ended;
    expect([code, complained]).toEqual([2, expect.stringContaining(sentence)]);
  });

  it('reports an unreachable target in one sentence, without the password', async () => {
    const { code, complained } = await copy(embedded, 'postgres://me:secret@127.0.0.1:1/x');
    expect(complained).toMatch(/^connect ECONNREFUSED 127\.0\.0\.1:1\n$/);
    expect(code).toBe(1);
  });
});
