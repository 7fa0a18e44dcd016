import { randomBytes } from 'node:crypto';
import { openEventStore, verifyLog } from '@verbatim/event-store';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { type ServiceProcess, startProcess } from '../../tests/harness/service-process.testing.js';
import { because, register, signIn } from '../../tests/harness/test-client.testing.js';
import { startCommand } from '../../tools/log/cli-process.testing.js';

/** Messages of the service in which a person is erased. */
const MESSAGES = Number(process.env.ERASURE_MESSAGES ?? 1_000_000);
const PATIENCE_MS = 60 * 60_000;

const MASTER_KEY = randomBytes(32).toString('base64');
const settings = () => ({ DATABASE_URL: databaseUrl, MASTER_KEY, LOG_LEVEL: 'error' });

let databaseUrl: string;
let sql: Sql;
let service: ServiceProcess | undefined;
beforeAll(async () => {
  databaseUrl = await createDatabase();
  sql = postgres(databaseUrl, { max: 1, onnotice: () => undefined });
  // The seed fills a service that was started once.
  await (await startProcess(settings())).end('SIGTERM');
  const size = ['--users', '1000', '--rooms', '200', '--messages', `${MESSAGES}`];
  const { code, complained } = await startCommand(['seed', ...size], settings()).ended;
  expect([code, complained]).toEqual([0, expect.any(String)]);
  service = await startProcess(settings());
}, PATIENCE_MS);
afterAll(async () => {
  await service?.end('SIGKILL');
  await sql.end();
  await dropDatabase(databaseUrl);
});

const live = async () => `read_${(await sql`select n from desk.read_schemas where state = 'live'`)[0]?.n}`;

it(
  `a person is erased in a service with ${MESSAGES.toLocaleString('en-US')} messages, and every chain verifies`,
  async () => {
    const url = service?.url ?? '';
    const admin = await signIn(url);
    const schema = sql(await live());
    const [talker] = await sql`select user_id, messages from ${schema}.posters order by messages desc limit 1`;
    const person = talker?.user_id as string;
    const [place] = await sql`
      select room_id, message_id from ${schema}.messages where author_id = ${person} and text is not null limit 1`;
    const others =
      await sql`select count(*)::int as count from ${schema}.messages where author_id <> ${person} and text is not null`;
    // Somebody whose words are nowhere else.
    const bob = await register(url);
    const room = await bob.room();
    const words = Array.from({ length: 20 }, () => `q${randomBytes(7).toString('hex')}z`);
    for (const word of words) await bob.says(room, word);

    for (const [who, name] of [
      [person, `the one who wrote most, ${talker?.messages} messages`],
      [bob.id, 'one who wrote 20'],
    ] as const) {
      const begun = performance.now();
      const { body } = await admin.post('/v1/erasures', { person: who, ground: 'objection', reason: 'Letter 1' });
      await doneWithin(PATIENCE_MS, async () => (await admin.get(`/v1/erasures/${body.id}`)).body.status);
      process.stdout.write(`erased ${name} after ${((performance.now() - begun) / 1_000).toFixed(1)} s\n`);
    }

    const left = await sql`
      select from ${schema}.messages m left join ${schema}.search s using (room_id, message_id)
      where m.author_id in ${sql([person, bob.id])} and (m.text is not null or m.fingerprint is not null or s.words <> '') limit 1`;
    expect(left).toHaveLength(0);
    expect(await sql`select from vault.keys where name like ${`%|${person}|%`} limit 1`).toHaveLength(0);
    expect(await placesOf(words)).toEqual([]);
    // Nobody else has lost a text.
    expect(
      await sql`
        select count(*)::int as count from ${schema}.messages
        where author_id not in ${sql([person, bob.id])} and text is not null`,
    ).toEqual([...others]);
    const { status, body } = await admin.get(`/v1/rooms/${place?.room_id}/messages/${place?.message_id}`, because());
    expect([status, body.text]).toEqual([200, null]);

    const store = await openEventStore({ url: databaseUrl, directUrl: databaseUrl });
    expect((await verifyLog(store).finally(() => store.close())).broken).toEqual([]);
    expect((await startCommand(['projections', 'diff'], settings()).ended).code).toBe(0);
  },
  PATIENCE_MS,
);

/** Every table of every schema, row by row as text, searched where it is. */
async function placesOf(words: readonly string[]): Promise<string[]> {
  const tables = await sql<{ schema: string; name: string }[]>`
    select table_schema as schema, table_name as name from information_schema.tables
    where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`;
  const found: string[] = [];
  for (const { schema, name } of tables) {
    const rows = await sql`select from ${sql(schema)}.${sql(name)} t where t::text ~ ${words.join('|')} limit 1`;
    if (rows.length > 0) found.push(`${schema}.${name}`);
  }
  return found;
}

async function doneWithin(milliseconds: number, ask: () => Promise<string>): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while ((await ask()) !== 'done') {
    if (performance.now() > deadline) throw new Error('The erasure was not done in time.');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
