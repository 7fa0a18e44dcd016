import type { MemoryEventStore } from '@verbatim/event-store';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { readCheckpoint } from './checkpoints.js';
import { actualRows, expectedRows } from './expected-rows.testing.js';
import { GroupRunner } from './group-runner.js';
import { longHistory } from './history.testing.js';
import { kill, startProjecting } from './projecting-process.testing.js';
import { Projector } from './projector.js';
import { createReadDatabase, emptyReadModels, silent, type TestReadDatabase } from './read-database.testing.js';
import { readModels } from './read-models.js';
import { append, open, storeOf } from './recorder.testing.js';

const events = longHistory(4_000);
const head = BigInt(events.length - 1);

let db: TestReadDatabase;
let projectors: Projector[] = [];
beforeAll(async () => {
  db = await createReadDatabase();
});
beforeEach(() => emptyReadModels(db.sql, 'read_1'));
afterEach(async () => {
  await Promise.all(projectors.map((projector) => projector.stop()));
  projectors = [];
});
afterAll(() => db.drop());

function startProjector(store: MemoryEventStore, options: { delayMs?: number; maxBatch?: number } = {}): Projector {
  const projector = new Projector({
    sql: db.sql,
    store,
    open,
    schema: 'read_1',
    projections: readModels,
    log: silent,
    ...options,
  });
  projectors.push(projector);
  projector.start();
  return projector;
}

/** Waits until both groups have come to the end of the log. */
const caughtUp = () =>
  vi.waitFor(
    async () => {
      expect((await readCheckpoint(db.sql, 'read_1', 'timeline')).position).toBe(head);
      expect((await readCheckpoint(db.sql, 'read_1', 'search')).position).toBe(head);
    },
    { timeout: 30_000, interval: 20 },
  );

/** Waits until the timeline is past a position, which leaves it in the middle of things when there is more. */
const checkpointPast = (position: bigint) =>
  vi.waitFor(
    async () => expect((await readCheckpoint(db.sql, 'read_1', 'timeline')).position).toBeGreaterThan(position),
    {
      timeout: 30_000,
      interval: 1,
    },
  );

const expectAllRows = async () => expect(await actualRows(db.sql, 'read_1')).toEqual(expectedRows(events));

/** Cuts every other connection to the database, as a restart of the server does. */
const cutConnections = () =>
  db.sql`
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`.catch(() => {});

describe('a projector', () => {
  test('takes in the log and then what is appended', async () => {
    const store = await storeOf(events.slice(0, 500));
    const projector = startProjector(store);
    await projector.caughtUpOnce;
    expect(await projector.status()).toMatchObject({ position: 499n, head: 499n, lag: 0, projecting: true });

    await append(store, events.slice(500));
    expect(await projector.reached(head, 10_000)).toBe(true);
    await caughtUp();
    await expectAllRows();
    expect((await projector.status()).search).toMatchObject({ position: head, lag: 0 });
  });

  test('says when the read models do not get there in time', async () => {
    const projector = startProjector(await storeOf(events));
    expect(await projector.reached(head + 1n, 100)).toBe(false);
    expect(await projector.reached(head, 10_000)).toBe(true);
    expect(await projector.reached(head, 0)).toBe(true);
  });

  test('does not hold an event back to collect more when somebody waits for it', async () => {
    const projector = startProjector(await storeOf(events), { delayMs: 60_000, maxBatch: 1_000_000 });
    expect(await projector.reached(head, 10_000)).toBe(true);
  });

  test('answers those who wait when it is stopped', async () => {
    const projector = startProjector(await storeOf(events));
    const reached = projector.reached(head + 1n, 600_000);
    await projector.stop();
    expect(await reached).toBe(false);
    expect(await projector.reached(head + 1n, 600_000)).toBe(false);
  });

  test('goes on where it was, however often the connections are cut', async () => {
    const store = await storeOf(events.slice(0, 100));
    startProjector(store, { delayMs: 1, maxBatch: 25 });
    for (let from = 100; from < events.length; from += 200) {
      await append(store, events.slice(from, from + 200));
      await checkpointPast(BigInt(from - 1));
      await cutConnections();
    }
    await caughtUp();
    await expectAllRows();
  });
});

describe('several processes', () => {
  test('one projects, the other sees how far it is', async () => {
    const store = await storeOf(events.slice(0, 100));
    const one = startProjector(store);
    await one.caughtUpOnce;
    const other = startProjector(store);
    await other.caughtUpOnce;
    expect((await other.status()).projecting).toBe(false);

    await append(store, events.slice(100));
    expect(await other.reached(head, 10_000)).toBe(true);
    await caughtUp();
    await expectAllRows();
  });

  test('should two project at once, every event is applied once', async () => {
    const [one, another] = [await storeOf(events), await storeOf(events)];
    const over = new AbortController();
    const runners = [one, another].flatMap((store) =>
      [readModels.timeline, readModels.search].map((group) => {
        const common = {
          sql: db.sql,
          store,
          open,
          schema: 'read_1',
          delayMs: 1,
          maxBatch: 40,
          log: silent,
          progressed: () => {},
        };
        return new GroupRunner({ ...common, group }).run(over.signal);
      }),
    );
    await caughtUp();
    over.abort();
    await Promise.all(runners);
    await expectAllRows();
  });

  test('when the one that projects is killed, another takes over within seconds', async () => {
    const child = await startProjecting(db.url, 4_000, 2_000);
    await caughtUp();
    const store = await storeOf(events);
    const standby = startProjector(store);
    await standby.caughtUpOnce;
    expect((await standby.status()).projecting).toBe(false);

    await kill(child);
    await vi.waitFor(async () => expect((await standby.status()).projecting).toBe(true), {
      timeout: 10_000,
      interval: 20,
    });
  });

  test('killed at any moment and started again, it ends with the same rows', async () => {
    for (let round = 0; round < 4; round++) {
      const before = (await readCheckpoint(db.sql, 'read_1', 'timeline')).position;
      const child = await startProjecting(db.url, 4_000, 10);
      await checkpointPast(before);
      await kill(child);
    }
    expect((await readCheckpoint(db.sql, 'read_1', 'timeline')).position).toBeLessThan(head);
    startProjector(await storeOf(events));
    await caughtUp();
    await expectAllRows();
  });
});
