import { setTimeout as sleep } from 'node:timers/promises';
import type { Recorded } from '@verbatim/domain';
import type { MemoryEventStore } from '@verbatim/event-store';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../event-store/src/postgres/test-database.testing.js';
import { AdvisoryLock } from './advisory-lock.js';
import { BuiltFromAnotherLog, readCheckpoint } from './checkpoints.js';
import { actualRows, expectedRows } from './expected-rows.testing.js';
import { longHistory } from './history.testing.js';
import { findUsers } from './people.js';
import type { Sql } from './projection.js';
import { Projector } from './projector.js';
import { silent } from './read-database.testing.js';
import { readModels } from './read-models.js';
import { ReadSchemas } from './read-schemas.js';
import { ReadSide, type ReadSideOptions } from './read-side.js';
import { rebuild } from './rebuild.js';
import { append, open, Recorder, storeOf } from './recorder.testing.js';

const events = longHistory(4_000);
const head = BigInt(events.length - 1);

let database: TestDatabase;
let sql: Sql;
let processes: { readSide: ReadSide; sql: Sql }[] = [];
beforeEach(async () => {
  database = await createTestDatabase();
  sql = postgres(database.url, { max: 4, onnotice: () => {} });
});
afterEach(async () => {
  await Promise.all(processes.map(({ readSide }) => readSide.stop()));
  await Promise.all([...processes.map(({ sql }) => sql), sql].map((pool) => pool.end({ timeout: 1 })));
  processes = [];
  await database.drop();
});

/** The reading part of one process of the service, with connections of its own. */
function newProcess(store: MemoryEventStore, options: Partial<ReadSideOptions> = {}): ReadSide {
  const pool = postgres(database.url, { max: 4, onnotice: () => {} });
  const readSide = new ReadSide({ sql: pool, store, open, delayMs: 5, pollMs: 100, log: silent, ...options });
  processes.push({ readSide, sql: pool });
  return readSide;
}

const states = async () =>
  (await sql<{ n: number; state: string }[]>`SELECT n, state FROM desk.read_schemas ORDER BY n`).map(
    ({ n, state }) => `${n} ${state}`,
  );

const schemas = async () =>
  (await sql<{ name: string }[]>`SELECT nspname AS name FROM pg_namespace WHERE nspname ~ '^read_' ORDER BY 1`).map(
    ({ name }) => name,
  );

const expectRows = async (schema: string, of: readonly Recorded[]) =>
  expect(await actualRows(sql, schema)).toEqual(expectedRows(of));

const searchCaughtUp = (schema: string) =>
  vi.waitFor(async () => expect((await readCheckpoint(sql, schema, 'search')).position).toBe(head), {
    timeout: 10_000,
    interval: 20,
  });

describe('the first start', () => {
  test('makes read models, once, however many processes start', async () => {
    const store = await storeOf(events);
    const started = [newProcess(store), newProcess(store), newProcess(store)];
    await Promise.all(started.map((one) => one.start()));
    await Promise.all(started.map((one) => one.caughtUp()));

    expect(await states()).toEqual(['1 live']);
    expect(started.map((one) => one.schema())).toEqual(['read_1', 'read_1', 'read_1']);
    await searchCaughtUp('read_1');
    await expectRows('read_1', events);
  });
});

describe('a rebuild', () => {
  test('while events go on arriving, every process moves to the new read models and misses nothing', async () => {
    const store = await storeOf(events.slice(0, 600));
    const [one, two] = [newProcess(store), newProcess(store, { graceMs: 3_600_000 })];
    await Promise.all([one.start(), two.start()]);
    await one.caughtUp();

    let rebuilt = false;
    const rebuilding = one.rebuild().finally(() => {
      rebuilt = true;
    });
    let next = 600;
    const seen: number[] = [];
    while (!rebuilt || next < events.length) {
      await append(store, events.slice(next, next + 10));
      next = Math.min(next + 10, events.length);
      const position = BigInt(next - 1);
      expect(await two.reached(position, 10_000)).toBe(true);
      const [row] = await two.sql<{ count: number }[]>`SELECT count(*)::int FROM ${sql(two.schema())}.messages`;
      seen.push(row?.count ?? -1);
    }
    expect(await rebuilding).toMatchObject({ outcome: 'switched', schema: 'read_2' });
    await vi.waitFor(() => expect([one.schema(), two.schema()]).toEqual(['read_2', 'read_2']), { timeout: 10_000 });

    // Nobody ever saw less than before.
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(await two.reached(head, 10_000)).toBe(true);
    await searchCaughtUp('read_2');
    await expectRows('read_2', events);
    expect(await states()).toEqual(['1 retired', '2 live']);
  });

  test('queries stay with the old read models until the new ones show as much', async () => {
    const readSide = newProcess(await storeOf(events));
    await readSide.start();
    await readSide.caughtUp();
    const nobodyProjects = await AdvisoryLock.tryTake(sql, 'verbatim projector read_2');
    // The new read models become live when they show 600 events, and the old ones show more by then.
    const stale = await storeOf(events.slice(0, 600));
    await rebuild({ sql, store: stale, open, log: silent });
    // As long as several looks at what is live take.
    for (let i = 0; i < 30; i++) {
      expect(readSide.schema()).toBe('read_1');
      await sleep(10);
    }

    await nobodyProjects?.release();
    await vi.waitFor(() => expect(readSide.schema()).toBe('read_2'), { timeout: 10_000, interval: 1 });
    expect((await readCheckpoint(sql, 'read_2', 'timeline')).position).toBe(head);
  });

  test('has the same indexes as read models made at the first start', async () => {
    const readSide = newProcess(await storeOf(events));
    await readSide.start();
    await readSide.rebuild();
    const indexes = async (schema: string) =>
      (
        await sql`SELECT replace(indexdef, ${schema}, 'read') AS definition FROM pg_indexes WHERE schemaname = ${schema} ORDER BY 1`
      ).map(({ definition }) => definition);
    expect(await indexes('read_2')).toEqual(await indexes('read_1'));
    expect((await indexes('read_2')).join()).toContain('gin_trgm_ops');
  });

  test('started twice, the second says that one is running', async () => {
    const store = await storeOf(events);
    const outcomes = await Promise.all([1, 2, 3].map(() => rebuild({ sql, store, open, log: silent })));
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['already running', 'already running', 'switched']);
    expect(await states()).toEqual(['1 retired', '2 live']);
  });

  test('given up in the middle leaves the live read models alone, and the next one cleans up', async () => {
    const store = await storeOf(events);
    const giveUp = new AbortController();
    const options = { sql, store, open, log: silent, maxBatch: 100 };
    const onProgress = ({ position }: { position: bigint }) => position > 500n && giveUp.abort();
    await expect(rebuild({ ...options, signal: giveUp.signal }, onProgress)).rejects.toThrow();
    expect(await states()).toEqual(['1 live', '2 building']);

    expect(await rebuild(options)).toEqual({ outcome: 'switched', schema: 'read_2' });
    expect(await states()).toEqual(['1 retired', '2 live']);
    expect(await schemas()).toEqual(['read_1', 'read_2']);
    await expectRows('read_2', events);
  });

  test('reports how far it is', async () => {
    const store = await storeOf(events);
    const phases: string[] = [];
    let last = -1n;
    await rebuild({ sql, store, open, log: silent, maxBatch: 500 }, ({ schema, phase, position, head: end }) => {
      expect(schema).toBe('read_2');
      expect(end).toBe(head);
      expect(position).toBeGreaterThanOrEqual(last);
      last = position;
      if (phases.at(-1) !== phase) phases.push(phase);
    });
    expect(phases).toEqual(['filling', 'indexing', 'switched']);
    expect(last).toBe(head);
  });
});

describe('read models that were retired', () => {
  test('are dropped after their grace time, not before', async () => {
    const store = await storeOf(events.slice(0, 100));
    const patient = newProcess(store, { graceMs: 3_600_000 });
    await patient.start();
    await patient.rebuild();
    await vi.waitFor(() => expect(patient.schema()).toBe('read_2'), { timeout: 10_000 });
    expect(await schemas()).toEqual(['read_1', 'read_2']);

    const impatient = newProcess(store, { graceMs: 0 });
    await impatient.start();
    await vi.waitFor(async () => expect(await schemas()).toEqual(['read_2']), { timeout: 10_000 });
    expect(await states()).toEqual(['2 live']);
    expect((await findUsers(impatient, { page: { limit: 10 } })).items).toHaveLength(5);
  });
});

describe('a process of another release', () => {
  test('rebuilds the read models for itself, while those of the release before are still served', async () => {
    const store = await storeOf(events.slice(0, 600));
    const old = newProcess(store, { graceMs: 3_600_000 });
    await old.start();
    const fresh = newProcess(store, { version: 'next', graceMs: 3_600_000 });
    await fresh.start();
    expect(fresh.schema()).toBe('read_2');
    expect(await states()).toEqual(['1 retired', '2 live']);

    await append(store, events.slice(600));
    expect(await fresh.reached(head, 10_000)).toBe(true);
    expect(await old.reached(head, 10_000)).toBe(true);
    expect(old.schema()).toBe('read_1');
    await Promise.all([searchCaughtUp('read_1'), searchCaughtUp('read_2')]);
    await expectRows('read_1', events);
    await expectRows('read_2', events);
  });

  test('two that start at once rebuild once', async () => {
    const store = await storeOf(events);
    await new ReadSchemas({ sql, version: 'previous', log: silent }).ensureLive();
    const started = [newProcess(store), newProcess(store)];
    await Promise.all(started.map((one) => one.start()));
    expect(started.map((one) => one.schema())).toEqual(['read_2', 'read_2']);
    expect(await states()).toEqual(['1 retired', '2 live']);
  });
});

describe('a service that is moved to another store', () => {
  /** The same events after one that is no concern of theirs, so that each stands at another position. */
  const moved = [elsewhere(), ...events].map((event, i) => ({ ...event, position: BigInt(i) }));

  function elsewhere(): Recorded {
    return new Recorder().record('room-elsewhere', null, { type: 'PollStarted', data: {} });
  }

  /** A process runs on a store until its read models show everything, and ends. */
  async function hasRunOn(log: readonly Recorded[]): Promise<void> {
    const store = await storeOf(log);
    const readSide = newProcess(store);
    await readSide.start();
    await readSide.caughtUp();
    await vi.waitFor(async () => expect((await readSide.status()).search.lag).toBe(0), { timeout: 10_000 });
    await readSide.stop();
  }

  test('makes new read models, which equal those of a service that has always been there', async () => {
    await hasRunOn(events);
    const readSide = newProcess(await storeOf(moved));
    await readSide.start();
    expect(readSide.schema()).toBe('read_2');
    expect(await states()).toEqual(['1 retired', '2 live']);
    await expectRows('read_2', moved);
  });

  test('keeps its read models when all events have kept their positions', async () => {
    await hasRunOn(events.slice(0, 600));
    const readSide = newProcess(await storeOf(events));
    await readSide.start();
    await readSide.caughtUp();
    expect(await states()).toEqual(['1 live']);
    await searchCaughtUp('read_1');
    await expectRows('read_1', events);
  });

  test('makes new read models when the log was restored from a backup that is older than they are', async () => {
    await hasRunOn(events.slice(0, 600));
    const restored = [...events.slice(0, 500), { ...elsewhere(), position: 500n }];
    const readSide = newProcess(await storeOf(restored));
    await readSide.start();
    expect(await states()).toEqual(['1 retired', '2 live']);
    await expectRows('read_2', restored);
  });

  test('leaves those alone that still run on the store of before', async () => {
    const store = await storeOf(events.slice(0, 600));
    const old = newProcess(store, { graceMs: 3_600_000 });
    await old.start();
    await old.caughtUp();
    const fresh = newProcess(await storeOf(moved), { graceMs: 3_600_000 });
    await fresh.start();
    await fresh.caughtUp();

    await append(store, events.slice(600));
    expect(await old.reached(head, 10_000)).toBe(true);
    expect([old.schema(), fresh.schema()]).toEqual(['read_1', 'read_2']);
    await searchCaughtUp('read_1');
    await expectRows('read_1', events);
    await expectRows('read_2', moved);
  });

  test('never projects onto the read models of another log', async () => {
    await hasRunOn(events.slice(0, 600));
    const errors: unknown[] = [];
    const log = { ...silent, error: ({ err }: { err?: unknown }) => errors.push(err) };
    const pool = postgres(database.url, { max: 4, onnotice: () => {} });
    const projector = new Projector({
      ...{ sql: pool, store: await storeOf(moved), open, log },
      ...{ schema: 'read_1', projections: readModels },
    });
    projector.start();
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(1), { timeout: 10_000 });
    await projector.stop();
    await pool.end();
    expect(errors.every((error) => error instanceof BuiltFromAnotherLog)).toBe(true);
    await expectRows('read_1', events.slice(0, 600));
  });
});
