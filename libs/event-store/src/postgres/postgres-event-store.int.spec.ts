import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventStoreContract, type Opened } from '../event-store.contract.testing.js';
import { type NewEvent, NO_STREAM } from '../event-store.js';
import { type Cut, CuttingProxy } from './cutting-proxy.testing.js';
import { PostgresEventStore } from './postgres-event-store.js';
import { createTestDatabase, type TestDatabase } from './test-database.testing.js';

eventStoreContract('postgres', openBehindProxy);

async function openBehindProxy(): Promise<Opened> {
  const database = await createTestDatabase();
  const proxy = await CuttingProxy.open(database.url);
  const sql = postgres(database.url, { max: 1, onnotice: () => {} });
  const cutNextAppend = (cut: Cut) => () => proxy.cutNext('SomethingHappened', cut);
  return {
    store: await PostgresEventStore.open({ url: proxy.url }),
    openSecond: () => PostgresEventStore.open({ url: proxy.url }),
    faults: {
      'the connection is lost before the request arrives': cutNextAppend('before the request'),
      'the connection is lost while the request is carried out': cutNextAppend('after the request'),
      'the connection is lost before the answer arrives': cutNextAppend('before the answer'),
      'the connection is lost within the answer': cutNextAppend('within the answer'),
      'all connections are lost': () => proxy.cutAll(),
      'the database ends all connections': async () => {
        await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`;
      },
      'the database cannot be reached for a second': () => proxy.refuse('resets', 1_000),
      'the way to the database ends nowhere for a second': () => proxy.refuse('hangs up', 1_000),
      'the answer never comes': cutNextAppend('silence'),
    },
    cleanUp: async () => {
      await sql.end();
      await proxy.close();
      await database.drop();
    },
  };
}

describe('event store: postgres, in particular', () => {
  let database: TestDatabase;
  let sql: postgres.Sql;

  beforeAll(async () => {
    database = await createTestDatabase();
    sql = postgres(database.url, { max: 2, onnotice: () => {} });
  });

  afterAll(async () => {
    await sql.end();
    await database.drop();
  });

  it('when several processes open an empty database at once, then all of them can use it', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => PostgresEventStore.open({ url: database.url })));
    await Promise.all(stores.map((store) => store.append(`room-${randomUUID()}`, NO_STREAM, [event()])));
    expect(await stores[0]?.head()).toBe(3n);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('given stale and refused appends in between, then positions have no gaps', async () => {
    const store = await PostgresEventStore.open({ url: database.url });
    const before = await store.head();
    await Promise.allSettled(
      Array.from({ length: 100 }, (_, i) =>
        store.append(`gaps-${i % 7}`, NO_STREAM, [event(), event(i % 5 ? 'x' : '\0')]),
      ),
    );
    const events = await store.readAll(before + 1n, 1_000);
    expect(events.map(({ position }) => position)).toEqual(events.map((_, i) => before + 1n + BigInt(i)));
    await store.close();
  });

  it('when PostgreSQL finds fault with one of many appends, then this one alone is refused', async () => {
    const store = await PostgresEventStore.open({ url: database.url });
    const outcomes = await Promise.allSettled(
      ['fine', 'with \0, which no text in PostgreSQL may hold', 'fine too'].map((text) =>
        store.append(`room-${randomUUID()}`, NO_STREAM, [event(text)]),
      ),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await store.close();
  });

  it('given a first try that the database is still busy with, when the append is tried again, then it is stored once', async () => {
    const proxy = await CuttingProxy.open(database.url);
    const store = await PostgresEventStore.open({ url: proxy.url });
    const stream = `room-${randomUUID()}`;
    await store.append(stream, NO_STREAM, [event()]);

    const outcome = await sql.begin(async (other) => {
      await other`select pg_advisory_xact_lock(7216000)`;
      proxy.cutNext('SomethingHappened', 'after the request');
      const append = store.append(stream, 0n, [event()]);
      await vi.waitFor(async () => expect(await waitingForLock()).toBe(2), { timeout: 3_000 });
      return { append };
    });

    expect((await outcome.append).revision).toBe(1n);
    await vi.waitFor(async () => expect(await waitingForLock()).toBe(0));
    expect(await store.read(stream, 0n, 10)).toHaveLength(2);
    await store.close();
    await proxy.close();
  });

  it('when the answer to a read is cut short, then the next reads get all of their own events and no other', async () => {
    const proxy = await CuttingProxy.open(database.url);
    const store = await PostgresEventStore.open({ url: proxy.url });
    const streams = Array.from({ length: 8 }, () => `room-${randomUUID()}`);
    const lengthsRead = async () =>
      Promise.all(streams.map(async (stream) => [...(await store.read(stream, 0n, 100))].filter(Boolean).length));
    for (const stream of streams) {
      await store.append(
        stream,
        NO_STREAM,
        Array.from({ length: 20 }, () => event()),
      );
    }
    for (const stream of streams) {
      expect(await lengthsRead()).toEqual(streams.map(() => 20));
      proxy.cutNext(stream, 'within the answer');
      await store.read(stream, 0n, 100).catch(() => undefined);
    }
    expect(await lengthsRead()).toEqual(streams.map(() => 20));
    await store.close();
    await proxy.close();
  });

  it.each([
    ['synchronous_commit', 'off'],
    ['default_transaction_isolation', 'repeatable read'],
  ])('given a database with %s = %s, then it refuses to open', async (name, setting) => {
    const unsafe = await createTestDatabase();
    const { pathname } = new URL(unsafe.url);
    await sql.unsafe(`alter database ${pathname.slice(1)} set ${name} = '${setting}'`);
    await expect(PostgresEventStore.open({ url: unsafe.url })).rejects.toMatchObject({
      name: 'UnsafeDatabase',
      message: expect.stringContaining(`${name} is ${setting}`),
    });
    await unsafe.drop();
  });

  async function waitingForLock(): Promise<number> {
    const [row] = await sql<{ count: number }[]>`
      select count(*)::int as count from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'advisory'`;
    return row?.count ?? 0;
  }
});

function event(sealed = '{}'): NewEvent {
  return { id: randomUUID(), type: 'SomethingHappened', sealed, hash: '0'.repeat(64) };
}
