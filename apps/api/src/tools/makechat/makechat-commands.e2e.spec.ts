import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { login, MakechatClient } from '../../doors/makechat/makechat-client.testing.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { signIn as nativeSignIn } from '../../tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { startCommand } from '../log/cli-process.testing.js';

let service: TestService;
let folder: string;
let anybody: MakechatClient;
let settings: Record<string, string>;

beforeAll(async () => {
  const port = await freePort();
  folder = await mkdtemp(join(tmpdir(), 'makechat-'));
  const MASTER_KEY = randomBytes(32).toString('base64');
  service = await startTestService({ environment: { MAKECHAT_PORT: `${port}`, MASTER_KEY } });
  settings = { DATABASE_URL: service.databaseUrl, MASTER_KEY, VERBATIM_DATA: folder };
  anybody = new MakechatClient(`http://127.0.0.1:${port}`);
});
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

const run = (...words: string[]) => startCommand(words, settings).ended;
const makechat = (...words: string[]) => run('makechat', ...words);

describe('makechat user', () => {
  it('creates an administrator while the service runs, silently and without a token', async () => {
    const made = await makechat(
      'user',
      'create',
      '-u',
      'grace',
      '-p',
      'correct horse',
      '-e',
      'grace@example.org',
      '-admin',
    );
    expect(made).toMatchObject({ code: 0, printed: '', complained: '' });
    const grace = await login(anybody, { username: 'grace', password: 'correct horse' });
    expect((await grace.get('/api/ping')).json).toMatchObject({ username: 'grace', is_superuser: true });
    expect((await grace.get('/api/tokens')).json.items).toEqual([]);
  });

  it('says what is bad or taken', async () => {
    const create = (u: string, p: string, e: string) => makechat('user', 'create', '-u', u, '-p', p, '-e', e);
    const [taken, email, short] = await Promise.all([
      create('Grace', 'correct horse', 'other@example.org'),
      create('other', 'correct horse', 'grace@example.org'),
      create('other', 'short', 'other@example.org'),
    ]);
    expect([taken.code, taken.printed]).toEqual([1, 'ERROR: This username is taken.\n']);
    expect([email.code, email.printed]).toEqual([1, 'ERROR: Email is already taken.\n']);
    expect([short.code, short.printed]).toEqual([1, expect.stringMatching(/^ERROR: password must have/)]);
  });

  it('changes a password, and ends all sessions', async () => {
    const before = await login(anybody, { username: 'grace', password: 'correct horse' });
    const [changed, unknown] = await Promise.all([
      makechat('user', 'changepass', '-u', 'grace', '-p', 'another horse'),
      makechat('user', 'changepass', '-u', 'nobody', '-p', 'another horse'),
    ]);
    expect([changed.code, changed.printed]).toEqual([0, '']);
    expect([unknown.code, unknown.printed]).toEqual([1, 'ERROR: user does not exist\n']);
    await expect.poll(async () => (await before.get('/api/ping')).status).toBe(401);
    await login(anybody, { username: 'grace', password: 'another horse' });
  });

  it('explains itself, and refuses to be called wrongly', async () => {
    const [help, wrong, none] = await Promise.all([
      makechat('user', '-h'),
      makechat('user', 'create', '-u', 'ada'),
      makechat('user', 'delete'),
    ]);
    expect([help.code, help.printed]).toEqual([
      0,
      expect.stringMatching(/\{create,changepass\}[\s\S]*create a new user/),
    ]);
    expect([wrong.code, wrong.complained]).toEqual([2, expect.stringMatching(/usage: .*\n.*required: -p, -e/)]);
    expect(none.code).toBe(2);
    const program = fileURLToPath(new URL('../../../../../bin/makechat', import.meta.url));
    const direct = spawnSync(program, ['user', 'changepass', '-h'], { encoding: 'utf8' });
    expect([direct.status, direct.stdout]).toEqual([0, expect.stringContaining('usage: makechat user changepass')]);
  });
});

describe('makechat maintenance', () => {
  it('begins and ends for all replicas', async () => {
    expect(await makechat('maintenance', 'on')).toMatchObject({ code: 0, printed: 'maintenance is on\n' });
    const page = () => anybody.send('GET', '/login', undefined, { accept: 'text/html' });
    await expect.poll(async () => (await page()).status).toBe(503);
    expect((await page()).text).toContain('Please visit us later');
    const [, style = ''] = /<link rel="stylesheet" href="([^"]+)"/.exec((await page()).text) ?? [];
    expect((await anybody.send('GET', style, undefined, { accept: 'text/css' })).status).toBe(200);
    expect(await makechat('maintenance', 'off')).toMatchObject({ code: 0, printed: 'maintenance is off\n' });
    await expect.poll(async () => (await page()).status).toBe(200);
  });
});

describe('import makechat', () => {
  const id = (n: number) => n.toString(16).padStart(24, '0');
  const oid = (n: number) => ({ $oid: id(n) });
  const at = (day: number) => ({ $date: `2016-05-0${day}T12:00:00.000Z` });
  const user = (n: number, username: string, more: object = {}) => ({
    ...{ _id: oid(n), username, email: `${username.toLowerCase()}@old.example.org`, password: 'a'.repeat(64) },
    ...{ is_superuser: false, is_disabled: false, created: at(1), ...more },
  });
  const dump: Record<string, object[]> = {
    users: [
      user(1, 'Ada', { is_superuser: true }),
      user(2, 'bob'),
      user(3, 'eve', { is_disabled: true }),
      user(4, 'BOB'),
    ],
    members: [
      { _id: oid(11), role: 'owner', profile: oid(1) },
      { _id: oid(12), role: 'member', profile: oid(2) },
      { _id: oid(13), role: 'admin', profile: { $ref: 'users', $id: oid(4) } },
    ],
    rooms: [
      {
        _id: oid(21),
        name: 'Lobby',
        members: [oid(11), oid(12), oid(13)],
        is_visible: true,
        is_open: true,
        created: at(2),
      },
      {
        _id: oid(22),
        name: 'Den',
        members: [oid(11)],
        is_visible: false,
        is_open: true,
        created: { $date: 1_462_190_400_000 },
      },
    ],
    messages: [
      { _id: oid(32), text: 'second', sender: oid(2), rooms: [oid(21)], created: at(4) },
      { _id: oid(31), text: 'first', sender: oid(3), rooms: [oid(21)], created: at(3) },
      { _id: oid(33), text: 'psst', sender: oid(1), recipient: oid(2), rooms: [], created: at(5) },
      { _id: oid(34), text: 'lost', sender: oid(99), rooms: [oid(21)], created: at(5) },
    ],
  };
  let old: string;
  let links: string;

  beforeAll(async () => {
    old = await mkdtemp(join(folder, 'dump-'));
    links = join(folder, 'links.txt');
    for (const [name, documents] of Object.entries(dump))
      await writeFile(join(old, `${name}.json`), `${documents.map((one) => JSON.stringify(one)).join('\n')}\n`);
  });

  it('says beforehand what there is, and writes nothing', async () => {
    const dry = await run('import', 'makechat', old, '--dry-run');
    expect([dry.code, dry.printed]).toEqual([0, expect.stringContaining('4 accounts, 2 rooms and 3 messages')]);
    expect(dry.printed).toContain(`message ${id(34)}: its sender is not in the dump`);
    expect((await run('import', 'makechat', folder)).code).toBe(2);
  });

  it('brings accounts, rooms, members and messages with their ids and times, once', async () => {
    const first = await run('import', 'makechat', old, '--links', links, '--url', service.url);
    expect([first.complained, first.code]).toEqual(['', 0]);
    expect(first.printed).toContain('Imported 4 accounts, 2 rooms and 3 messages');
    const again = await run('import', 'makechat', old);
    expect([again.code, again.printed]).toEqual([
      0,
      expect.stringContaining('Imported 0 accounts, 0 rooms and 0 messages'),
    ]);

    const admin = await login(anybody, administrator);
    const { items } = (await admin.get('/api/rooms?limit=100')).json;
    expect(items).toContainEqual({
      ...{ _id: oid(21), name: 'Lobby', is_open: true, is_visible: true },
      ...{
        members: [oid(11), expect.anything(), expect.anything(), expect.anything()],
        created: { $date: Date.UTC(2016, 4, 2, 12) },
      },
    });
    expect(items).toContainEqual(expect.objectContaining({ _id: oid(22), is_open: true, is_visible: false }));
    const said = (await admin.get(`/api/messages?room=${id(21)}`, { 'verbatim-reason': 'a test' })).json.items;
    expect(said.map(({ text, sender }: { text: string; sender: object }) => [text, sender])).toEqual([
      ['first', oid(3)],
      ['second', oid(2)],
    ]);
    const users = (await admin.get('/api/users?limit=100')).json.items;
    const known = Object.fromEntries(users.map((one: { _id: { $oid: string } }) => [one._id.$oid, one]));
    expect(known[id(1)]).toMatchObject({ username: 'ada', is_superuser: true, is_disabled: false });
    expect(known[id(3)]).toMatchObject({ username: 'eve', is_disabled: true });
    expect(known[id(4)].username).toMatch(/^bob-[0-9a-f]{12}$/);
  });

  it('lets people in by a link with which they choose a password', async () => {
    expect((await stat(links)).mode & 0o077).toBe(0);
    const lines = (await readFile(links, 'utf8')).trim().split('\n');
    expect(lines.map((line) => line.split('\t')[0]?.slice(0, 3))).toEqual(['ada', 'bob', 'bob']);
    const [, email, link = ''] = lines[0]?.split('\t') ?? [];
    expect([email, link.startsWith(`${service.url}/admin/#/reset?token=`)]).toEqual(['ada@old.example.org', true]);
    const token = decodeURIComponent(link.split('token=')[1] ?? '');
    const reset = await anybody.post('/v1/auth/reset', { token, newPassword: 'a new password' });
    expect(reset.status).toBeLessThan(300);
    const ada = await login(anybody, { username: 'ada', password: 'a new password' });
    expect((await ada.get(`/api/messages?recipient=${id(2)}`)).json.items).toMatchObject([
      { text: 'psst', sender: oid(1) },
    ]);
    expect((await nativeSignIn(service.url, { username: 'ada', password: 'a new password' })).username).toBe('ada');
  });
});

describe('makechat backup', () => {
  it('makes a backup while the service runs, from which everybody and everything is restored', async () => {
    const backup = join(folder, 'backup');
    const made = await makechat('backup', '-d', backup);
    expect([made.code, made.printed]).toEqual([0, expect.stringContaining('The backup is complete')]);

    const empty = await createDatabase();
    const restored = await startCommand(['restore', backup], { ...settings, DATABASE_URL: empty }).ended;
    expect([restored.code, restored.printed]).toEqual([0, expect.stringContaining('Restored')]);
    const port = await freePort();
    const { MASTER_KEY = '' } = settings;
    const environment = { MAKECHAT_PORT: `${port}`, MASTER_KEY };
    const second = await startTestService({ environment, databaseUrl: empty });
    const there = new MakechatClient(`http://127.0.0.1:${port}`);
    const [admin, before] = [await login(there, administrator), await login(anybody, administrator)];
    for (const list of ['/api/users?limit=100', '/api/rooms?limit=100'])
      expect((await admin.get(list)).json).toEqual((await before.get(list)).json);
    await second.stop();
    await dropDatabase(empty);
  });
});
