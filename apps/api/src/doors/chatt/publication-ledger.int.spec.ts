import { randomBytes, randomUUID } from 'node:crypto';
import { migrate, PostgresKeyRing } from '@verbatim/event-store';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { PublicationLedger } from './publication-ledger.js';
import { SessionLedger, sessionMigration } from './session-ledger.js';

let url: string;
let sql: Sql;
let sessions: SessionLedger;
let publications: PublicationLedger;

beforeAll(async () => {
  url = await createDatabase();
  sql = postgres(url, { max: 8, onnotice: () => undefined });
  await migrate(sql, 'desk', sessionMigration.name, sessionMigration.statements);
  const keys = await PostgresKeyRing.open(sql, randomBytes(32));
  sessions = new SessionLedger(sql, keys);
  publications = new PublicationLedger(sql, keys, { perClient: 20, between: 10, total: 50 });
});
beforeEach(async () => {
  await sql`truncate desk.chatt_sessions cascade`;
});
afterAll(async () => {
  await sql.end();
  await dropDatabase(url);
});

const userId = randomUUID();
async function connect(client: string) {
  const who = { userId, clientId: client, guest: false, address: '192.0.2.1' };
  return (await sessions.begin(client, { ...who, cleanStart: true, keepSeconds: 0, replica: randomUUID() })).entry;
}
type Entry = Awaited<ReturnType<typeof connect>>;

/** Publishes texts under these packet ids; returns their message ids. */
async function publish(entry: Entry, packetIds: readonly number[], content = 'text'): Promise<(string | undefined)[]> {
  const texts = packetIds.map((packetId) => ({ packetId, content: `${content} ${packetId}` }));
  const ids = await publications.messageIds(entry, texts);
  return packetIds.map((packetId) => ids.get(packetId));
}
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const rows = async (client?: string) => {
  const [row] = await sql<{ count: string }[]>`
    select count(*) from desk.chatt_publications ${client === undefined ? sql`` : sql`where client = ${client}`}`;
  return Number(row?.count);
};

describe('the rows of a client', () => {
  it('are its newest publications, while it is connected and afterwards', async () => {
    const entry = await connect('talker');
    for (let i = 0; i < 30; i++) {
      await publish(entry, range(i * 7 + 1, i * 7 + 7));
      expect(await rows('talker')).toBeLessThan(20 + 10 + 7);
    }
    await publications.end(entry, false);
    const kept = await sql<{ packet_id: number }[]>`
      select packet_id from desk.chatt_publications order by packet_id`;
    const ids = kept.map(({ packet_id }) => packet_id);
    expect(ids).toHaveLength(20);
    // Texts of one packet have the same millisecond, so which of them stay is open.
    expect(ids.slice(-14)).toEqual(range(197, 210));
    expect(ids[0]).toBeGreaterThanOrEqual(190);
  });

  it('keep the ids of what it sends again, after packet ids wrapped around too', async () => {
    const first = await connect('wraps');
    const ids = await publish(first, [...range(65_526, 65_535), ...range(1, 10)]);
    await publications.end(first, false);
    const second = await connect('wraps');
    expect(await publish(second, [...range(65_526, 65_535), ...range(1, 10)])).toEqual(ids);
  });

  it('have the same size however long its texts are', async () => {
    const entry = await connect('long');
    await publish(entry, [1], 'short');
    await publish(entry, [2], 'x'.repeat(100_000));
    const sizes = await sql<{ size: number }[]>`select pg_column_size(p.*) as size from desk.chatt_publications p`;
    expect(new Set(sizes.map(({ size }) => size)).size).toBe(1);
    expect(sizes[0]?.size).toBeLessThan(250);
  });

  it('are deleted when it disconnects', async () => {
    const entry = await connect('polite');
    await publish(entry, range(1, 5));
    await publications.end(entry, true);
    expect(await rows('polite')).toBe(0);
  });

  it('are not written for a connection that a newer one has replaced', async () => {
    const [first, second] = [await connect('moved'), await connect('moved')];
    expect(await publish(first, [1])).toEqual([undefined]);
    expect(await publish(second, [1])).toEqual([expect.any(String)]);
  });
});

describe('the rows of all clients', () => {
  it('are no more than the total after a sweep, and the newest', async () => {
    const last: (string | undefined)[] = [];
    for (let i = 0; i < 10; i++) last.push(...(await publish(await connect(`one of many ${i}`), range(1, 9))));
    expect(await rows()).toBe(90);
    await publications.sweep();
    const kept = await sql<{ message_id: string }[]>`select message_id from desk.chatt_publications`;
    const ids = kept.map(({ message_id }) => message_id);
    expect(ids).toHaveLength(50);
    expect(ids).toEqual(expect.arrayContaining(last.slice(-45)));
  });

  it('are no older than a day after a sweep, and a repeated text is another message then', async () => {
    const first = await connect('yesterday');
    const [id] = await publish(first, [1]);
    const old = `01900000${id?.slice(8)}`;
    await sql`update desk.chatt_publications set message_id = ${old}`;
    await publications.end(first, false);
    const [again] = await publish(await connect('yesterday'), [1]);
    expect(again).not.toBe(old);
    await sql`update desk.chatt_publications set message_id = ${old}`;
    await publications.sweep();
    expect(await rows()).toBe(0);
  });

  it('are recorded together, each with its own ids', async () => {
    const entries = await Promise.all(range(1, 30).map((i) => connect(`together ${i}`)));
    const ids = await Promise.all(entries.map((entry) => publish(entry, [1])));
    expect(new Set(ids.flat()).size).toBe(30);
    expect(ids.flat()).not.toContain(undefined);
  });
});
