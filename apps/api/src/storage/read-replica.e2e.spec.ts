import { pino } from 'pino';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PostgresPair, startPostgresPair } from '../tests/harness/standby.testing.js';
import { register, type TestPerson } from '../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../tests/harness/test-service.testing.js';
import { replicaLimits } from './read-replica.js';

// A real standby, to which the primary streams its write-ahead log.

let pair: PostgresPair;
let service: TestService;
let other: TestService;
let ada: TestPerson;
let room: string;
const lines: { msg: string; reason?: string }[] = [];

beforeAll(async () => {
  pair = await startPostgresPair();
  const environment = { DATABASE_READ_URL: pair.standbyUrl };
  const log = pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line)) });
  service = await startTestService({ databaseUrl: pair.primaryUrl, environment, log });
  other = await startTestService({ beside: service });
  ada = await register(service.url);
  room = await ada.room();
}, 120_000);
afterAll(async () => {
  await other.stop();
  await service.stop();
  await pair.stop();
});

const logged = () => lines.filter(({ msg }) => msg.startsWith('Lists and searches')).map(({ msg }) => msg);
const inUse = async () => /^verbatim_read_replica 1$/m.test(await (await fetch(`${service.url}/metrics`)).text());
const texts = async (query = '') =>
  (await ada.get(`/v1/rooms/${room}/messages?limit=200${query}`)).body.items.map(({ text }: { text: string }) => text);

/** How often the tables of the read models were scanned on one of the servers. */
async function looks(url: string): Promise<number> {
  const sql = postgres(url, { max: 1 });
  try {
    await sql`select pg_stat_clear_snapshot()`;
    const [row] = await sql`select sum(coalesce(idx_scan, 0) + seq_scan)::int as looks
                              from pg_stat_user_tables where schemaname like 'read_%' and relname = 'messages'`;
    return row?.looks ?? 0;
  } finally {
    await sql.end();
  }
}

/** Posts through the other replica of the service and immediately reads here: the post must be visible. */
async function readsWhatWasWritten(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const { text, id } = await ada.at(other.url).says(room, `Grüße ${Math.random()}`);
    expect(await texts()).toContain(text);
    await ada.at(other.url).patch(`/v1/rooms/${room}/messages/${id}`, { text: `${text}, corrected` });
    expect((await texts())[0]).toBe(`${text}, corrected`);
  }
}

it('lists and searches are read from the standby, and show what was just written', async () => {
  const before = await looks(pair.standbyUrl);
  await readsWhatWasWritten(20);
  const rooms = (await ada.get('/v1/rooms')).body.items.map(({ id }: { id: string }) => id);
  expect(rooms).toContain(room);
  const found = async () => (await ada.get('/v1/search?q=corrected')).body.items.length;
  await expect.poll(found, { timeout: 10_000 }).toBeGreaterThan(0);
  await expect.poll(() => looks(pair.standbyUrl), { timeout: 20_000 }).toBeGreaterThan(before + 20);
  expect(await inUse()).toBe(true);
  expect(logged()).toEqual([]);
});

it('a standby that is behind is not used: no one misses a write, and it is logged once', async () => {
  await pair.pauseReplay();
  await readsWhatWasWritten(5);
  expect(await inUse()).toBe(false);
  expect(logged()).toEqual([expect.stringMatching(/from the primary.*it is behind/)]);
  await pair.resumeReplay();
  const back = async () => {
    await texts();
    return inUse();
  };
  await expect.poll(back, { timeout: 2 * replicaLimits.rest }).toBe(true);
  await readsWhatWasWritten(5);
  expect(logged()).toHaveLength(2);
});

it('a standby that is gone is not used, and it is logged once', async () => {
  lines.length = 0;
  await pair.stopStandby();
  const answers = await Promise.all(Array.from({ length: 20 }, () => ada.get(`/v1/rooms/${room}/messages`)));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  await readsWhatWasWritten(5);
  expect(logged()).toHaveLength(1);
  await pair.startStandby();
  const back = async () => {
    await texts();
    return inUse();
  };
  await expect.poll(back, { timeout: 4 * replicaLimits.rest }).toBe(true);
  await readsWhatWasWritten(5);
  expect(logged()).toHaveLength(2);
});

it('a standby that was promoted is no longer used', async () => {
  lines.length = 0;
  await pair.promoteStandby();
  await readsWhatWasWritten(5);
  expect(logged()).toEqual([expect.stringContaining('it is not a standby of the primary')]);
});
