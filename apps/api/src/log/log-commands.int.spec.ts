import { copyLog, openEventStore, type StoredEvent } from '@verbatim/event-store';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { generatedLog, memoryStoreOf } from '../../../../libs/event-store/src/generated-log.testing.js';
import { createDatabase, dropDatabase } from '../testing/database.testing.js';
import { logCommand, startLogCommand } from './cli-process.testing.js';

const log = generatedLog({ events: 6_000, rooms: 60 });

const databases: { url: string; sql: Sql }[] = [];

/** A database of its own, which holds these events if any are given. */
async function database(events: readonly StoredEvent[] = []): Promise<{ url: string; sql: Sql }> {
  const url = await createDatabase();
  const opened = { url, sql: postgres(url, { max: 1, onnotice: () => undefined }) };
  databases.push(opened);
  if (events.length > 0) {
    const store = await openEventStore({ url });
    await copyLog(await memoryStoreOf(events), store);
    await store.close();
  }
  return opened;
}

/** All rows of a log as the database has them. */
const rows = (sql: Sql) => sql`
  select position::int, stream, revision::int, id::text, type, hash, sealed from log.events order by position`;

const asRows = (events: readonly StoredEvent[]) =>
  events.map(({ position, stream, revision, id, type, hash, sealed }) => ({
    ...{ position: Number(position), stream, revision: Number(revision), id, type, hash, sealed },
  }));

const countOf = async (sql: Sql): Promise<number> => {
  const [row] = await sql`select count(*)::int from log.events`.catch(() => []);
  return row?.count ?? 0;
};

afterAll(async () => {
  for (const { url, sql } of databases) {
    await sql.end();
    await dropDatabase(url);
  }
});

/** Lets no event into a log from some position on, until it is opened: its insert waits for a lock that the gate holds. */
class Gate {
  private constructor(
    private readonly sql: Sql,
    private readonly lock: Sql,
  ) {}

  static async at(position: number, { url, sql }: { url: string; sql: Sql }): Promise<Gate> {
    const lock = postgres(url, { max: 1, onnotice: () => undefined });
    await lock`select pg_advisory_lock(42)`;
    await sql.unsafe(`
      create or replace function public.gate() returns trigger language plpgsql as
        'begin perform pg_advisory_xact_lock_shared(42); return new; end';
      create trigger gate before insert on log.events for each row
        when (new.position >= ${position}) execute function public.gate()`);
    return new Gate(sql, lock);
  }

  /** Resolves with the process id of the database that waits at the gate. */
  waiting(): Promise<number> {
    return vi.waitUntil(async () => (await this.waiters())[0], { timeout: 20_000, interval: 5 });
  }

  /** Process ids of the database that wait for a lock, this one or another, the first to come first. */
  async waiters(): Promise<number[]> {
    const waiting = await this.sql<{ pid: number }[]>`
      select pid from pg_locks where locktype = 'advisory' and not granted
         and database = (select oid from pg_database where datname = current_database()) order by waitstart`;
    return waiting.map(({ pid }) => pid);
  }

  async open(): Promise<void> {
    await this.lock.end();
    await this.sql`drop trigger gate on log.events`;
  }
}

describe('log copy', () => {
  let source: { url: string; sql: Sql };
  beforeAll(async () => {
    source = await database(log);
  });

  it('copies a log byte for byte, and changes nothing when it is done again', async () => {
    const target = await database();
    const { code, printed } = await logCommand('copy', '--from', source.url, '--to', target.url);
    expect([...(await rows(target.sql))]).toEqual(asRows(log));
    expect([...(await rows(source.sql))]).toEqual(asRows(log));
    expect(printed).toMatch(/6,000 events were copied, 0 were there before/);
    expect(printed).toMatch(/6,000 events in 60 streams were checked/);
    expect(code).toBe(0);

    const again = await logCommand('copy', '--from', source.url, '--to', target.url);
    expect(again.printed).toMatch(/0 events were copied, 6,000 were there before/);
    expect(again.code).toBe(0);
    expect([...(await rows(target.sql))]).toEqual(asRows(log));
  });

  it('is killed in the middle, and the next one goes on', async () => {
    const target = await database(log.slice(0, 1));
    for (const position of [200, 3_500]) {
      const gate = await Gate.at(position, target);
      const { child, ended } = startLogCommand(['copy', '--from', source.url, '--to', target.url]);
      const append = await gate.waiting();
      child.kill('SIGKILL');
      expect((await ended).code).toBeNull();
      await target.sql`select pg_terminate_backend(${append})`;
      await gate.open();
      const there = await countOf(target.sql);
      expect(there).toBeLessThanOrEqual(position);
      expect([...(await rows(target.sql))]).toEqual(asRows(log.slice(0, there)));
    }
    const { code } = await logCommand('copy', '--from', source.url, '--to', target.url);
    expect(code).toBe(0);
    expect([...(await rows(target.sql))]).toEqual(asRows(log));
  });

  it('is killed, and its last append arrives only when the next one is at work', async () => {
    const target = await database(log.slice(0, 1));
    const gate = await Gate.at(2_000, target);
    const first = startLogCommand(['copy', '--from', source.url, '--to', target.url]);
    await gate.waiting();
    first.child.kill('SIGKILL');
    await first.ended;
    const second = startLogCommand(['copy', '--from', source.url, '--to', target.url]);
    // The append of the first one holds the lock of the log, for which that of the second one waits.
    await vi.waitUntil(async () => (await gate.waiters()).length === 2, 20_000);
    await gate.open();
    expect((await second.ended).code).toBe(0);
    expect([...(await rows(target.sql))]).toEqual(asRows(log));
  });

  it('refuses a target that holds another log, and leaves it alone', async () => {
    const other = generatedLog({ events: 100, rooms: 2 });
    const target = await database(other);
    const { code, complained, printed } = await logCommand('copy', '--from', source.url, '--to', target.url);
    expect(complained).toMatch(/The target holds something else than the source\. Its event number \d+ is/);
    expect([code, printed]).toEqual([1, '']);
    expect([...(await rows(target.sql))]).toEqual(asRows(other));
  });

  it('refuses a target that has been written to since', async () => {
    const target = await database(log);
    const part = await database(log.slice(0, 500));
    const { code, complained } = await logCommand('copy', '--from', part.url, '--to', target.url);
    expect(complained).toContain('The target holds more than the source: its event number 501 is');
    expect(code).toBe(1);
  });

  it.each([
    [['copy', '--from', 'postgres://nowhere/x'], 'Say with --from and --to'],
    [['copy', '--from', 'postgres://a/b', '--to', 'postgres://a/b'], 'name the same log'],
    [['copy', '--from', 'mysql://root:secret@a/b', '--to', 'postgres://a/b'], 'There is no event store for URLs'],
    [['copy', 'everything'], '--help'],
    [['verify', '--uri', 'x'], '--help'],
  ])('tells how to be called: %j', async (args, sentence) => {
    const { code, complained } = await logCommand(...args);
    expect(complained).toContain(sentence);
    expect(complained).not.toContain('secret');
    expect(code).toBe(2);
  });
});

describe('log verify', () => {
  it('finds nothing in a sound log', async () => {
    const { url } = await database(log.slice(0, 500));
    const { code, printed } = await logCommand('verify', '--url', url);
    expect(printed).toMatch(/^500 events in \d+ streams were checked.* All is as it was written\.\n$/);
    expect(code).toBe(0);
  });

  it('names the first broken place of each broken stream, and fails', async () => {
    const { url, sql } = await database(log.slice(0, 2_000));
    const long = await sql<{ stream: string }[]>`
      select stream from log.events group by stream having count(*) > 20 order by stream collate "C" limit 6`;
    const [text, hash, gone, moved, named, beheaded] = long.map(({ stream }) => stream) as [string, ...string[]];
    const at = (stream: string | undefined, revision: number) =>
      sql`where stream = ${stream ?? ''} and revision = ${revision}`;
    await sql`update log.events set sealed = replace(sealed, '"schema":1', '"schema":9') ${at(text, 5)}`;
    await sql`update log.events set sealed = sealed || ' ' ${at(text, 9)}`;
    await sql`update log.events set hash = repeat('0', 64) ${at(hash, 6)}`;
    await sql`delete from log.events ${at(gone, 7)}`;
    await sql`update log.events set revision = revision + 1000 ${at(moved, 8)}`;
    const [{ id }] = (await sql`select id from log.events ${at(named, 9)}`) as unknown as [{ id: string }];
    await sql`update log.events set id = gen_random_uuid() ${at(named, 9)}`;
    await sql`delete from log.events ${at(beheaded, 0)}`;

    const { code, printed } = await logCommand('verify', '--url', url);
    const found = printed.split('\n').slice(0, -2).sort();
    const expected = [
      `${text} is broken at revision 5 (position 0): its text does not have its hash.`,
      `${hash} is broken at revision 6 (position 0): its text does not have its hash.`,
      `${gone} is broken at revision 8 (position 0): revision 7 is missing.`,
      `${moved} is broken at revision 1008 (position 0): revisions from 8 are missing.`,
      `${named} is broken at revision 9 (position 0): its text is of the event ${id}.`,
      `${beheaded} is broken at revision 1 (position 0): revision 0 is missing.`,
    ];
    expect(found.map((line) => line.replace(/position \d+/, 'position 0'))).toEqual(expected);
    expect(printed).toMatch(/6 streams are broken\.\n$/);
    expect(code).toBe(1);
  });
});
