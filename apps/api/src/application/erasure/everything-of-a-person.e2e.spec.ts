import { randomBytes, randomInt } from 'node:crypto';
import { openEventStore, verifyLog } from '@verbatim/event-store';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import { because, eventually, register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { startCommand } from '../../tools/log/cli-process.testing.js';
import { logicalDump } from './logical-dump.testing.js';

const MASTER_KEY = randomBytes(32).toString('base64');

let service: TestService;
let sql: Sql;
let admin: TestPerson;
let ada: TestPerson;
beforeAll(async () => {
  service = await startTestService({ environment: { MASTER_KEY } });
  sql = postgres(service.databaseUrl, { max: 1, onnotice: () => undefined });
  [admin, ada] = [await signIn(service.url), await register(service.url)];
}, 180_000);
afterAll(async () => {
  await sql.end();
  await service.stop();
});

/** The first letters of scripts, each of which has as many that follow. */
const scripts = {
  latin: [0x61, 26],
  cyrillic: [0x430, 32],
  hebrew: [0x5d0, 27],
  arabic: [0x628, 18],
  thai: [0xe01, 46],
  devanagari: [0x915, 37],
  han: [0x4e00, 2_000],
  hangul: [0xac00, 2_000],
} as const;
const names = Object.keys(scripts) as (keyof typeof scripts)[];
let made = 0;

/** A word that is nowhere else, each time of another script. */
function rare(): string {
  const [first, count] = scripts[names[made++ % names.length] ?? 'latin'];
  return String.fromCodePoint(...Array.from({ length: 16 }, () => first + randomInt(count)));
}

/** How a text may stand in a table: as it is, escaped, as bytes. */
const forms = (text: string): string[] => {
  const bytes = Buffer.from(text);
  const escaped = JSON.stringify(text).replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [
    text,
    escaped.slice(1, -1),
    bytes.toString('hex'),
    bytes.toString('base64').replace(/=*$/, ''),
    bytes.toString('base64url'),
  ];
};

const erased = async (scope: object): Promise<void> => {
  const { status, body } = await admin.post('/v1/erasures', { ...scope, ground: 'objection', reason: 'Letter 9' });
  expect(status).toBe(202);
  await eventually(
    async () => (await admin.get(`/v1/erasures/${body.id}`)).body.status,
    (now) => now === 'done',
  );
};

async function expectNowhere(words: Record<string, string>): Promise<void> {
  const dump = await logicalDump(sql);
  const found = Object.entries(words).filter(([, word]) => forms(word).some((form) => dump.includes(form)));
  const places = found.map(([what, word]) => [
    what,
    dump.split('\n').find((line) => forms(word).some((form) => line.includes(form))),
  ]);
  expect(places).toEqual([]);
}

/** The read models hold just what a rebuild makes of what can still be read. */
async function expectNoDifferences(): Promise<void> {
  const settings = { DATABASE_URL: service.databaseUrl, MASTER_KEY, LOG_LEVEL: 'error' };
  const { code, printed } = await startCommand(['projections', 'diff'], settings).ended;
  expect([printed.split('\n').slice(0, -2), code]).toEqual([[], 0]);
}

async function expectChainsToHold(): Promise<void> {
  const store = await openEventStore({ url: service.databaseUrl, directUrl: service.databaseUrl });
  expect((await verifyLog(store).finally(() => store.close())).broken).toEqual([]);
}

describe('everything that a person wrote or was called, in every script', { timeout: 240_000 }, () => {
  it('is in no table and no answer once they are erased', async () => {
    const bob = await register(service.url);
    const mallory = await register(service.url);
    const words = {
      ...{ named: rare(), theme: rare(), token: rare(), device: rare(), said: rare(), first: rare(), edited: rare() },
      ...{ direct: rare(), reported: rare(), settled: rare(), banned: rare(), muted: rare(), removed: rare() },
      ...{ redacted: rare(), closed: rare(), inspected: rare(), suspended: rare(), withdrawn: rare() },
    };
    const mail = `q${randomBytes(7).toString('hex')}`;
    await bob.patch('/v1/me', { displayName: words.named });
    await admin.patch(`/v1/users/${bob.id}`, { email: `${mail}@example.org` });
    await bob.put('/v1/me/preferences', { preferences: words.theme });
    await bob.post('/v1/me/tokens', { name: words.token, scopes: ['read'] });
    const login = { username: bob.username, password: 'correct horse' };
    await bob.post('/v1/auth/login', login, { 'user-agent': encodeURIComponent(words.device) });
    const room = await ada.roomWith([[bob, 'moderator'], mallory]);
    const post = `/v1/rooms/${room}/messages`;
    await bob.post(post, { text: words.said }, { 'idempotency-key': 'k1' });
    const { id } = await bob.says(room, words.first);
    await bob.patch(`${post}/${id}`, { text: words.edited });
    const withdrawn = await bob.says(room, words.withdrawn);
    await bob.delete(`${post}/${withdrawn.id}`);
    const theirs = [await mallory.says(room, 'one'), await mallory.says(room, 'two')] as const;
    await bob.post(`${post}/${theirs[0].id}/reports`, { reason: words.reported });
    const report = (await ada.post(`${post}/${theirs[1].id}/reports`, { reason: 'mine' })).body;
    await bob.post(`/v1/rooms/${room}/reports/${report.id}/settle`, { outcome: 'acted', note: words.settled });
    await bob.delete(`${post}/${theirs[0].id}`, { reason: words.redacted });
    const until = new Date(Date.now() + 3_600_000).toISOString();
    await bob.put(`/v1/rooms/${room}/mutes/${mallory.id}`, { reason: words.muted, until });
    await bob.put(`/v1/rooms/${room}/bans/${mallory.id}`, { reason: words.banned });
    const { id: talk } = (await bob.put(`/v1/direct/${ada.username}`)).body;
    await bob.says(talk, words.direct);
    const own = await bob.room();
    await bob.post(`/v1/rooms/${own}/close`, { reason: words.closed });
    await admin.patch(`/v1/users/${bob.id}`, { role: 'auditor' });
    const auditing = await signIn(service.url, login);
    await auditing.get(`/v1/rooms/${await ada.room()}/events`, because(words.inspected));
    await admin.patch(`/v1/users/${bob.id}`, { role: 'user' });
    await admin.patch(`/v1/users/${bob.id}`, { suspended: true, reason: words.suspended });
    const kept = rare();
    await ada.says(room, kept);
    // What is told of it is in the tables before.
    await eventually(
      () => logicalDump(sql),
      (dump) =>
        [words.named, words.said, words.edited, words.direct, words.settled, kept, mail].every((word) =>
          dump.includes(word),
        ),
    );

    await erased({ person: bob.id });
    await expectNowhere({ ...words, mail });
    expect(await logicalDump(sql)).toContain(kept);
    const answers = {
      inbox: (await ada.get('/v1/inbox')).body,
      direct: (await ada.get(`/v1/rooms/${talk}/messages`)).body,
      messages: (await ada.get(post)).body,
      reports: (await ada.get(`/v1/rooms/${room}/reports?status=settled`)).body,
      bans: (await ada.get(`/v1/rooms/${room}/bans`)).body,
      events: await admin.all(`/v1/rooms/${room}/events`, 200, because()),
      trail: await admin.all('/v1/audit'),
      user: (await admin.get(`/v1/users/${bob.id}`)).body,
      found: (await ada.get(`/v1/search?q=${encodeURIComponent(words.said)}`)).body,
    };
    for (const [where, answer] of Object.entries(answers))
      for (const [what, word] of Object.entries({ ...words, mail }))
        expect([where, what, JSON.stringify(answer).includes(word)]).toEqual([where, what, false]);
    await expectNoDifferences();

    // Neither a restart nor a rebuild brings anything back.
    await service.restart();
    admin = await signIn(service.url);
    ada = ada.at(service.url);
    const [live] = await sql`select max(n) as n from desk.read_schemas`;
    expect((await admin.post('/v1/projections/rebuild', {})).status).toBeLessThan(300);
    await eventually(
      async () => (await sql`select n from desk.read_schemas where state = 'live'`)[0]?.n,
      (n) => n > live?.n,
    );
    await expectNowhere({ ...words, mail });
    await expectChainsToHold();
  });
});

describe('everything of a room', { timeout: 240_000 }, () => {
  it('is in no table once it is erased, what its webhooks and bots were called among it', async () => {
    const words = { name: rare(), topic: rare(), said: rare(), hook: rare(), posted: rare(), older: rare() };
    const room = await ada.room({ name: words.older });
    await ada.patch(`/v1/rooms/${room}`, { name: words.name, topic: words.topic });
    await ada.says(room, words.said);
    const { path } = (await ada.post(`/v1/rooms/${room}/incoming-webhooks`, { name: words.hook })).body;
    expect((await ada.post(path, { text: words.posted })).status).toBe(201);
    await eventually(
      () => logicalDump(sql),
      (dump) => [words.name, words.topic, words.said, words.hook, words.posted].every((word) => dump.includes(word)),
    );
    await erased({ room });
    await expectNowhere(words);
    expect(await sql`select from vault.names where owner = ${room}`).toHaveLength(0);
    await expectNoDifferences();
  });

  it('and of one message goes from the state of the room, so that a guess cannot be checked by posting it again', async () => {
    const room = await ada.room();
    const text = rare();
    const { id } = await ada.says(room, text);
    const again = (text: string) => ada.post(`/v1/rooms/${room}/messages`, { id, text });
    expect([outcome(await again(text)), outcome(await again(rare()))]).toEqual([expect.any(Number), 'duplicate_id']);
    await erased({ room, message: id });
    expect(outcome(await again(text))).toEqual(outcome(await again(rare())));
    await expectNoDifferences();
  });
});
