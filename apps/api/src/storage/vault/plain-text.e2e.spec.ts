import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import { eventually, register, signIn, type TestPerson, Visitor } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

/**
 * Where people's words may appear in plain text in the database outside the read models, and why. Usernames are in events
 * on purpose (docs/events.md), announcements are for everybody, and an Idempotency-Key is a number that a program made up.
 */
const allowed: Readonly<Record<string, readonly string[]>> = {
  username: ['log.events.sealed'],
  botname: ['log.events.sealed'],
  announcement: ['log.events.sealed'],
  maintenance: ['log.events.sealed'],
  idempotency: ['desk.idempotency.key'],
};

let service: TestService;
let admin: TestPerson;
let ada: TestPerson;
let bob: TestPerson;
/** A unique word for each kind of text that people write, by kind. */
const words = new Map<string, string>();
const word = (what: string): string => {
  const known = words.get(what) ?? `q${randomBytes(7).toString('hex')}z`;
  words.set(what, known);
  return known;
};

beforeAll(async () => {
  service = await startTestService({ environment: { WEBHOOK_ALLOW_PRIVATE: 'on' } });
  admin = await signIn(service.url);
  ada = await register(service.url, word('username'));
  bob = await register(service.url);
});
afterAll(() => service.stop());

const done = async (answer: Promise<Parameters<typeof outcome>[0]>): Promise<unknown> => {
  const response = await answer;
  expect([200, 201, 202, 204]).toContain(outcome(response));
  return response.body;
};

it('nothing that people write or are called is readable in the log, the vault, the desk or the cache', async () => {
  const agent = { 'user-agent': word('user agent') };
  await done(
    new Visitor(service.url).post('/v1/auth/login', { username: ada.username, password: 'correct horse' }, agent),
  );
  await new Visitor(service.url).post('/v1/auth/login', {
    username: word('stranger'),
    password: word('wrong password'),
  });
  await done(ada.patch('/v1/me', { displayName: word('display name') }));
  await done(admin.patch(`/v1/users/${ada.id}`, { email: `${word('address')}@example.org` }));
  await done(ada.put('/v1/me/preferences', { preferences: JSON.stringify({ theme: word('preferences') }) }));
  await done(ada.post('/v1/me/tokens', { name: word('token'), scopes: ['read'], expiresInDays: 3 }));
  await done(admin.post('/v1/bots', { username: word('botname'), displayName: word('bot display name') }));

  const room = await ada.room({ name: word('room'), topic: word('topic'), password: word('room password') });
  await ada.room({ name: word('hidden room'), visibility: 'hidden' });
  await done(ada.patch(`/v1/rooms/${room}`, { name: word('new room'), password: word('new room password') }));
  await done(bob.post(`/v1/rooms/${room}/members`, { password: word('new room password') }));
  const key = { 'idempotency-key': word('idempotency') };
  await done(bob.post(`/v1/rooms/${room}/messages`, { text: word('message') }, key));
  const { id } = await bob.says(room, word('before'));
  await done(bob.patch(`/v1/rooms/${room}/messages/${id}`, { text: word('edit') }));
  await done(ada.post(`/v1/rooms/${room}/messages/${id}/reports`, { reason: word('report') }));
  const [report] = await ada.all(`/v1/rooms/${room}/reports`);
  await done(ada.post(`/v1/rooms/${room}/reports/${report.id}/settle`, { outcome: 'acted', note: word('note') }));
  await done(ada.delete(`/v1/rooms/${room}/messages/${id}`, { reason: word('redaction') }));
  const url = `https://127.0.0.1:9/${word('webhook path')}?key=${word('webhook query')}`;
  await done(ada.post(`/v1/rooms/${room}/webhooks`, { url, events: ['MessagePosted'] }));
  await done(ada.post(`/v1/rooms/${room}/incoming-webhooks`, { name: word('incoming webhook') }));
  await bob.says(room, word('sent to the webhook'));
  await done(ada.put(`/v1/rooms/${room}/mutes/${bob.id}`, { until: '2099-01-01T00:00:00.000Z', reason: word('mute') }));
  await done(ada.put(`/v1/rooms/${room}/bans/${bob.id}`, { until: null, reason: word('ban') }));
  const reason = { 'verbatim-reason': word('inspection') };
  await done(admin.get(`/v1/rooms/${room}/events`, reason));
  await done(ada.post(`/v1/rooms/${room}/close`, { reason: word('closing') }));
  await done(admin.put('/v1/announcement', { text: word('announcement') }));
  await done(admin.post(`/v1/users/${bob.id}/password-reset`));

  const sql = postgres(service.databaseUrl, { max: 1, types: { bigint: postgres.BigInt } });
  const found = await eventually(
    () => readable(sql),
    ({ rows }) => rows > 50,
  ).finally(() => sql.end());
  expect(found.columns).toEqual(
    expect.arrayContaining([
      'log.events.sealed',
      'vault.names.key',
      'desk.preferences.sealed',
      'vault.sessions.device',
    ]),
  );
  expect(found.columns.length).toBeGreaterThan(30);
  // The search works: usernames are in plain text where they are meant to be.
  expect(found.words).toContainEqual(['username', 'log.events.sealed']);
  expect(found.words.filter(([what, column]) => !allowed[what]?.includes(column))).toEqual([]);

  // Nor do members see ids of vault rows in the texts whose hashes they check.
  const events = await ada.all(`/v1/rooms/${room}/events`);
  const hidden = events.filter(({ type }) => ['RoomCreated', 'RoomChanged', 'WebhookAdded'].includes(type));
  expect(hidden.length).toBeGreaterThan(2);
  const shown = (await admin.all(`/v1/rooms/${room}/events`, 200, reason)).flatMap(({ data }) =>
    [data.passwordId, data.urlId, data.secretId].filter((one) => typeof one === 'string'),
  );
  expect(new Set(shown).size).toBe(4);
  for (const secret of shown) expect(JSON.stringify(events)).not.toContain(secret);
});

/** All columns outside the read models whose values can be text, and which words occur in which of them. */
async function readable(sql: postgres.Sql) {
  const columns = await sql<{ table_schema: string; table_name: string; column_name: string }[]>`
    select table_schema, table_name, column_name from information_schema.columns
    where table_schema in ('log', 'vault', 'desk', 'cache') and data_type not in ('uuid', 'boolean')
      and data_type not like 'timestamp%' and data_type not like '%int%'`;
  const found: [what: string, column: string][] = [];
  let rows = 0;
  for (const { table_schema: schema, table_name: table, column_name: column } of columns) {
    const [{ all, count } = { all: '', count: 0 }] = await sql<{ all: string; count: number }[]>`
      select coalesce(string_agg(${sql(column)}::text, ' '), '') as all, count(*)::int as count from ${sql(schema)}.${sql(table)}`;
    rows += count;
    const text = `${all} ${decoded(all)}`.toLowerCase();
    for (const [what, one] of words) if (text.includes(one)) found.push([what, `${schema}.${table}.${column}`]);
  }
  return {
    rows,
    columns: columns.map((one) => `${one.table_schema}.${one.table_name}.${one.column_name}`),
    words: found,
  };
}

/** A text with its parts decoded as base64. */
const decoded = (text: string): string =>
  (text.match(/[\w+/-]{12,}/g) ?? []).map((part) => Buffer.from(part, 'base64').toString('latin1')).join(' ');
