import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../tests/harness/database.testing.js';
import { exported } from '../tests/harness/exports.testing.js';
import { eventually, register, signIn, type TestPerson } from '../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../tests/harness/test-service.testing.js';

const rare = () => `q${randomBytes(6).toString('hex')}z`;
/** Words that occur nowhere else, in scripts with and without spaces between words. */
const words = {
  latin: rare(),
  accents: `Größenwahn${rare()}`,
  chinese: '我家的龙猫在上海',
  thai: 'ภาษาไทยกรุงเทพมหานคร',
  arabic: 'مُحَمَّد الرياض',
  emoji: '🧿🪬👩‍🚀',
  edited: rare(),
  redacted: rare(),
  topic: rare(),
  report: rare(),
  note: rare(),
  ban: rare(),
  erased: rare(),
};

let databaseUrl: string;
let sql: postgres.Sql;
let environment: Record<string, string>;
let service: TestService;
let admin: TestPerson;
let ada: TestPerson;
let bob: TestPerson;
let room: string;

const start = async (texts: 'plain' | 'sealed') => {
  service = await startTestService({ databaseUrl, environment: { ...environment, READ_MODELS_TEXTS: texts } });
};
beforeAll(async () => {
  databaseUrl = await createDatabase();
  sql = postgres(databaseUrl, { max: 2, onnotice: () => undefined });
  environment = { MASTER_KEY: randomBytes(32).toString('base64') };
  await start('sealed');
});
afterAll(async () => {
  await service.stop();
  await sql.end();
  await dropDatabase(databaseUrl);
});

/** What a logical dump of all schemas would contain, one row per line, each starting with its table. */
async function dump(): Promise<string[]> {
  const tables = await sql<{ schema: string; name: string }[]>`
    select schemaname as schema, tablename as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`;
  const lines: string[] = [];
  for (const { schema, name } of tables)
    for (const { row } of await sql<{ row: string }[]>`select t::text as row from ${sql(schema)}.${sql(name)} as t`)
      lines.push(`${schema}.${name} ${row}`);
  return lines;
}

/** The tables in which any of the words occur. */
async function readable(wanted: readonly string[]): Promise<string[]> {
  const lines = await dump();
  expect(lines.length).toBeGreaterThan(100);
  const found = lines.filter((line) => wanted.some((word) => line.includes(word)));
  return [...new Set(found.map((line) => line.split(' ')[0] as string))].sort();
}

/** What the API's lists return for the room. */
async function answers() {
  const [a, b, c] = [ada, bob, admin].map((person) => person.at(service.url));
  const search = (q: string) => a?.all(`/v1/search?q=${encodeURIComponent(`"${q}"`)}`);
  return Promise.all([
    a?.all(`/v1/rooms/${room}/messages`, 3),
    b?.all('/v1/inbox'),
    a?.all('/v1/rooms'),
    a?.all(`/v1/rooms/${room}/reports`),
    a?.all(`/v1/rooms/${room}/bans`),
    c?.all('/v1/reports?status=settled'),
    a?.get(`/v1/rooms/${room}/state?at=9`).then(({ body }) => body),
    a?.get(`/v1/rooms/${room}/state`).then(({ body }) => body.messages),
    ...Object.values(words).map(search),
    search('龙'),
    search('上海'),
    search('เทพ'),
  ]);
}

/** The tables of messages in exports: of the owner, from whom replaced texts are kept, and of an administrator. */
async function exportedTables(): Promise<string[]> {
  const [owner, chief] = [ada.at(service.url), admin.at(service.url)];
  const bundles = [
    await exported(owner, { room }),
    await exported(owner, { room, words: words.edited }),
    await exported(chief, { room }),
    await exported(chief, { person: bob.id }),
  ];
  return bundles.map((bundle) => bundle.text('messages.csv'));
}

it('what people write is in no table, and every list and export returns the same as with plain texts', async () => {
  admin = await signIn(service.url);
  ada = await register(service.url);
  bob = await register(service.url);
  const eve = await register(service.url);
  // Administrators who export a room that they are not in are recorded there, which changes its revision.
  room = await ada.roomWith([bob, eve, admin], { topic: words.topic });
  for (const text of [words.latin, words.accents, words.chinese, words.thai, words.arabic, words.emoji])
    await bob.says(room, `${text} 1`);
  const { id } = await bob.says(room, words.redacted);
  const { id: later } = await ada.says(room, 'to be edited');
  await ada.patch(`/v1/rooms/${room}/messages/${later}`, { text: words.edited });
  await ada.post(`/v1/rooms/${room}/messages/${id}/reports`, { reason: words.report });
  const [report] = await ada.all(`/v1/rooms/${room}/reports`);
  await ada.post(`/v1/rooms/${room}/reports/${report.id}/settle`, { outcome: 'acted', note: words.note });
  await ada.delete(`/v1/rooms/${room}/messages/${id}`);
  await ada.put(`/v1/rooms/${room}/bans/${eve.id}`, { until: null, reason: words.ban });
  await eventually(
    () => ada.all(`/v1/search?q=${words.edited}`),
    (found) => found.length === 1,
  );

  const sealed = await answers();
  expect(JSON.stringify(sealed)).toContain(words.topic);
  expect(sealed[0]?.map(({ text }) => text)).toContain(`${words.chinese} 1`);
  const sealedTables = await exportedTables();
  const [ofOwner, found, ofAdministrator] = sealedTables;
  expect(ofOwner).toContain(`${words.chinese} 1`);
  expect(ofOwner).not.toContain(words.redacted);
  expect(found?.trim().split('\r\n')).toEqual([
    expect.stringMatching(/at,what/),
    expect.stringContaining(words.edited),
  ]);
  expect(ofAdministrator).toContain(words.redacted);
  expect(await readable(Object.values(words))).toEqual([]);

  // With the setting off, the next start rebuilds the read models, in which everything is readable again.
  await service.stop();
  await start('plain');
  expect(await answers()).toEqual(sealed);
  expect(await exportedTables()).toEqual(sealedTables);
  const tables = await readable(Object.values(words));
  expect(tables.filter((table) => !table.startsWith('read_2.'))).toEqual([]);
  expect(tables).toEqual(
    expect.arrayContaining(['read_2.messages', 'read_2.search', 'read_2.rooms', 'read_2.reports']),
  );

  await service.stop();
  await start('sealed');
  expect(await answers()).toEqual(sealed);
}, 120_000);

it('erased content is no longer in any response', async () => {
  const writer = ada.at(service.url);
  const chief = admin.at(service.url);
  const { id } = await writer.says(room, words.erased);
  const found = () => writer.all(`/v1/search?q=${words.erased}`);
  await eventually(found, (items) => items.length === 1);
  const { body } = await chief.post('/v1/erasures', { room, message: id, ground: 'consent_withdrawn', reason: 'x' });
  await eventually(
    () => chief.get(`/v1/erasures/${body.id}`),
    ({ body: { status } }) => status === 'done',
  );
  expect(await found()).toEqual([]);
  const shown = await writer.all(`/v1/rooms/${room}/messages`);
  expect(shown.find((message) => message.id === id)?.text).toBeNull();
  expect(shown.find(({ text }) => text === words.edited)).toBeDefined();
  const [row] = await sql`
    select text_bytes from ${sql((await sql`select 'read_' || n as name from desk.read_schemas where state = 'live'`)[0]?.name)}.messages
    where message_id = ${id}`;
  expect(row?.text_bytes).toBeNull();
});
