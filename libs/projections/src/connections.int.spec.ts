import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../event-store/src/postgres/test-database.testing.js';
import { AdvisoryLock } from './advisory-lock.js';
import { disconnect, ownConnection } from './connection.js';
import type { Sql, Transaction } from './projection.js';
import { inTransaction } from './transaction.js';

let database: TestDatabase;
let sql: Sql;
let server: Sql;
beforeAll(async () => {
  database = await createTestDatabase();
  sql = postgres(database.url, { max: 2, onnotice: () => {} });
  server = postgres(database.url, { max: 1, onnotice: () => {} });
  await sql`CREATE TABLE notes (text text)`;
});
afterAll(async () => {
  await Promise.all([sql.end({ timeout: 1 }), server.end({ timeout: 1 })]);
  await database.drop();
});

const cut = (pid: number) => server`SELECT pg_terminate_backend(${pid})`;
const cutAll = () => server`
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;
const pidOf = async (tx: Transaction) => (await tx<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`)[0]?.pid ?? 0;
const notes = async () => (await sql<{ text: string }[]>`SELECT text FROM notes ORDER BY 1`).map(({ text }) => text);

test('a transaction is committed when its work resolves and rolled back when it rejects', async () => {
  await inTransaction(sql, (tx) => tx`INSERT INTO notes VALUES ('kept')`);
  const failed = inTransaction(sql, async (tx) => {
    await tx`INSERT INTO notes VALUES ('dropped')`;
    throw new Error('changed my mind');
  });
  await expect(failed).rejects.toThrow('changed my mind');
  await expect(inTransaction(sql, (tx) => tx`INSERT INTO nowhere VALUES (1)`)).rejects.toThrow('nowhere');
  expect(await notes()).toEqual(['kept']);
});

test('a connection lost in the middle of a transaction rejects it and nothing worse', async () => {
  for (let i = 0; i < 20; i++) {
    const lost = inTransaction(sql, async (tx) => {
      const pid = await pidOf(tx);
      await tx`INSERT INTO notes VALUES ('lost')`;
      await Promise.all([cut(pid), tx`SELECT pg_sleep(10)`, tx`SELECT 1`]);
    });
    await expect(lost).rejects.toThrow();
  }
  expect(await notes()).toEqual(['kept']);
});

test('a lock has one holder at a time', async () => {
  const lock = await AdvisoryLock.tryTake(sql, 'the lock');
  expect(await AdvisoryLock.tryTake(sql, 'the lock')).toBeNull();
  const other = await AdvisoryLock.tryTake(sql, 'another lock');
  expect(other).not.toBeNull();
  await lock?.release();
  await other?.release();
  const next = await AdvisoryLock.tryTake(sql, 'the lock');
  expect(next?.lost.aborted).toBe(false);
  await next?.release();
});

test('a holder whose connection is cut learns that the lock is lost', async () => {
  const lock = await AdvisoryLock.tryTake(sql, 'the lock');
  await cutAll();
  await vi.waitFor(() => expect(lock?.lost.aborted).toBe(true), { timeout: 10_000, interval: 20 });
  await lock?.release();
});

test('a lock is free again some seconds after the machine of its holder was lost', async () => {
  const cable = await Cable.to(database.url);
  const far = postgres(cable.url, { max: 1, onnotice: () => {} });
  const lock = await AdvisoryLock.tryTake(far, 'the lock');
  expect(lock).not.toBeNull();
  // The heartbeats keep it for longer than a silence is borne.
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  expect(await AdvisoryLock.tryTake(sql, 'the lock')).toBeNull();
  cable.cut();
  const next = await vi.waitFor(
    async () => {
      const taken = await AdvisoryLock.tryTake(sql, 'the lock');
      expect(taken).not.toBeNull();
      return taken;
    },
    { timeout: 20_000, interval: 200 },
  );
  await next?.release();
  cable.end();
  await Promise.all([lock?.release(), far.end({ timeout: 1 })]);
}, 60_000);

test('a connection of one’s own leaves the others alone', async () => {
  const own = ownConnection(sql);
  expect(await own`SELECT 1 AS one`).toEqual([{ one: 1 }]);
  await disconnect(own);
  await expect(own`SELECT 1`).rejects.toThrow();
  expect(await notes()).toEqual(['kept']);
});

/** A way to the database over which nothing passes any more once it is cut, not even the end of a connection. */
class Cable {
  private readonly sockets: Socket[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async to(address: string): Promise<Cable> {
    const url = new URL(address);
    const [host, port] = [url.hostname, Number(url.port)];
    const server = createServer((near) => {
      const far = connect(port, host);
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) cable.sockets.push(socket.on('error', () => undefined));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const cable = new Cable(server, url.href);
    return cable;
  }

  cut(): void {
    for (const socket of this.sockets) socket.unpipe().pause();
  }

  end(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}
