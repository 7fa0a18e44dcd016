import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { pino } from 'pino';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { cleanUpTimes } from './clean-ups.js';
import { type ChatMember, FormVisitor, idsIn, textsIn } from './sfchat-client.testing.js';

const DAY_MS = 86_400_000;
const usual = { ...cleanUpTimes };

let service: TestService;
let sql: Sql;
let url: string;
/** The service's own data folder. */
let folder: string;
let now = Date.parse('2026-03-01T12:00:00Z');
let logged = '';

beforeAll(async () => {
  cleanUpTimes.every = 250;
  folder = await mkdtemp(join(tmpdir(), 'verbatim-vanishing-'));
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const stream = new Writable({
    write(chunk, _encoding, done) {
      logged += chunk;
      done();
    },
  });
  service = await startTestService({
    clock: () => new Date(now),
    log: pino({ level: 'trace' }, stream),
    environment: { SFCHAT_PORT: `${port}`, VERBATIM_DATA: folder },
  });
  sql = postgres(service.databaseUrl, { max: 1 });
});
afterAll(async () => {
  Object.assign(cleanUpTimes, usual);
  await sql?.end();
  await service?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Talk {
  readonly ada: ChatMember;
  readonly bob: ChatMember;
  /** What must not be found, in any form. */
  readonly secrets: readonly string[];
  readonly text: string;
}

/** Ada has said something that bob has not confirmed. */
async function talk(): Promise<Talk> {
  const ada = await new FormVisitor(url).create();
  const bob = await new FormVisitor(url).join(ada.code);
  const text = `q${randomBytes(12).toString('hex')}`;
  for (const member of [ada, bob]) await member.confirmAll();
  expect((await ada.say(text)).status).toBe(202);
  expect(textsIn(await bob.look())).toEqual([text]);
  return { ada, bob, text, secrets: [text, ada.code, ada.token, bob.token] };
}

/** Where these texts can be read: in which tables, which files of the database, and the log. */
async function traces(secrets: readonly string[]): Promise<string[]> {
  const forms = secrets.flatMap((secret) => [secret, Buffer.from(secret).toString('hex'), ...base64Forms(secret)]);
  const dump = await dumped();
  const inFiles = await foundInFiles(forms);
  return [
    ...forms.filter((form) => dump.includes(form)).map((form) => `dump: ${form}`),
    ...inFiles,
    ...forms.filter((form) => logged.includes(form)).map((form) => `log: ${form}`),
  ];
}

/** What a text looks like within longer ones in base64. */
const base64Forms = (text: string): string[] =>
  [0, 1, 2].map((shift) =>
    Buffer.from('x'.repeat(shift) + text)
      .toString('base64url')
      .slice(shift + 1, -2),
  );

/** All rows of all tables, as a dump has them. */
async function dumped(): Promise<string> {
  const tables = await sql<{ name: string }[]>`
    select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname !~ '^(pg_|information_schema)'`;
  const rows = await Promise.all(tables.map(({ name }) => sql.unsafe(`select t::text as row from ${name} t`)));
  return rows.flatMap((table) => table.map(({ row }) => row)).join('\n');
}

/** Files of the service and of the database server in which one of the texts stands: tables, write-ahead log, everything else. */
async function foundInFiles(forms: readonly string[]): Promise<string[]> {
  const [{ server } = { server: '' }] = await sql<{ server: string }[]>`
    select current_setting('data_directory') as server`;
  await sql`checkpoint`;
  const patterns = forms.flatMap((form) => ['-e', form]);
  // The server may be on another machine.
  const folders = [folder, server].filter((one) => existsSync(one));
  const found = await promisify(execFile)('grep', ['-rlaF', ...patterns, ...folders]).catch((error) => error);
  return `${found.stdout}`.split('\n').filter((line) => line !== '');
}

/** How many sealed texts and salts are there. */
async function kept({ ada }: Talk): Promise<{ texts: number; salts: number; chats: number }> {
  const { status } = await ada.look();
  const [row] = await sql<{ texts: number; salts: number; chats: number }[]>`
    select (select count(*)::int from ephemeral.messages where sealed is not null) as texts,
      count(salt)::int as salts, count(*)::int as chats from ephemeral.chats`;
  return { ...(row ?? { texts: -1, salts: -1, chats: -1 }), ...(status === 403 ? { chats: 0 } : {}) };
}

describe('what is said in a chat', () => {
  it('can be found by this test where it is in plain text', async () => {
    await sql`create table if not exists public.example (text text)`;
    await sql`insert into public.example values ('qqq found qqq')`;
    expect(await traces(['qqq found qqq'])).not.toEqual([]);
    await sql`drop table public.example`;
  });

  it('is nowhere in plain text even while it waits, and gone when it was confirmed', async () => {
    const waiting = await talk();
    expect(await traces(waiting.secrets)).toEqual([]);
    const [sealed] = await sql<{ sealed: string }[]>`select sealed from ephemeral.messages where sealed is not null`;
    expect(await waiting.bob.confirm(...idsIn(await waiting.bob.look()))).toMatchObject({ status: 202 });
    expect(await traces([...waiting.secrets])).toEqual([]);
    expect(await dumped()).not.toContain(sealed?.sealed);
    expect(await kept(waiting)).toMatchObject({ texts: 0 });
    await waiting.ada.leave();
  });

  it('is erased after a participant has left, although the page never confirms the last texts', async () => {
    const ended = await talk();
    await ended.ada.leave();
    expect(textsIn(await ended.bob.look())).toContain(ended.text);
    now += 60_000;
    await expect.poll(() => kept(ended), { timeout: 12_000 }).toMatchObject({ texts: 0, salts: 0 });
    expect(textsIn(await ended.bob.look())).toEqual([
      'Thank you for using SFChat.<br> Chat was successfully closed by Talker.',
    ]);
    expect(await traces(ended.secrets)).toEqual([]);
  });

  it('is erased after a day with its key, which the participants are told; then the chat is deleted', async () => {
    const old = await talk();
    await sql`update ephemeral.participants set seen_at = ${new Date(now + DAY_MS - 72_000)}`;
    now += DAY_MS;
    await expect.poll(() => kept(old), { timeout: 12_000 }).toMatchObject({ texts: 0, salts: 0 });
    for (const member of [old.ada, old.bob]) {
      const { body } = await member.look();
      expect(body.results).toMatchObject({
        status: 'closed',
        messages: [{ msg: 'Thank you for using SFChat<br>Current chat was successfully closed automatically.' }],
      });
    }
    expect(await traces(old.secrets)).toEqual([]);
    now += 3_600_000;
    await expect.poll(() => kept(old), { timeout: 12_000 }).toMatchObject({ chats: 0 });
    expect((await old.ada.look()).status).toBe(403);
  });

  it('leaves no page of the tables behind, so nothing that was deleted is in a file either', async () => {
    const { ada, bob } = await talk();
    const pages = async () =>
      (await sql<{ bytes: number }[]>`select pg_relation_size('ephemeral.messages')::int as bytes`)[0]?.bytes;
    expect(await pages()).toBeGreaterThan(0);
    await bob.confirmAll();
    await ada.leave();
    now += 3_600_000;
    await expect.poll(pages, { timeout: 12_000 }).toBe(0);
  });

  it('leaves behind how many chats there were on a day, and nothing else', async () => {
    expect(await sql`select day::text, turn, chats from desk.ephemeral_chats order by day, turn`).toEqual([
      { day: '2026-03-01', turn: 'joined', chats: 3 },
      { day: '2026-03-01', turn: 'left', chats: 2 },
      { day: '2026-03-01', turn: 'opened', chats: 3 },
      { day: '2026-03-02', turn: 'aged', chats: 1 },
      { day: '2026-03-02', turn: 'joined', chats: 1 },
      { day: '2026-03-02', turn: 'left', chats: 1 },
      { day: '2026-03-02', turn: 'opened', chats: 1 },
    ]);
    const [{ unlogged } = { unlogged: 0 }] = await sql<{ unlogged: number }[]>`
      select count(*)::int as unlogged from pg_class
      where relnamespace = 'ephemeral'::regnamespace and relkind = 'r' and relpersistence = 'u'`;
    expect(unlogged).toBe(3);
  });
});
