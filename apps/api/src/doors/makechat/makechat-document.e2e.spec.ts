import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { administrator, startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { login, MakechatClient, signUp } from './makechat-client.testing.js';

// Every example of makechat's document, with the headers that it prints, for rooms and tokens of this run.

let service: TestService;
let door: MakechatClient;
let home: string;
/** Tokens of an administrator and of somebody else. */
let adminToken: string;
let userToken: string;
/** The rooms of the list, as they were answered when they were made. */
const rooms: Record<string, unknown>[] = [];

const httpie = {
  accept: '*/*',
  'accept-encoding': 'gzip, deflate',
  connection: 'keep-alive',
  host: 'makechat-web',
  'user-agent': 'HTTPie/0.9.3',
};
const json = { accept: 'application/json', 'content-type': 'application/json' };
const oid = { $oid: expect.stringMatching(/^[0-9a-f]{24}$/) };
const hasCurl = spawnSync('curl', ['--version']).status === 0;

beforeAll(async () => {
  const port = await freePort();
  service = await startTestService({ environment: { MAKECHAT_PORT: `${port}` } });
  door = new MakechatClient(`http://127.0.0.1:${port}`);
  const admin = await login(door, administrator);
  adminToken = (await admin.post('/api/tokens', { name: 'examples' })).json._id;
  userToken = (await (await signUp(door)).get('/api/tokens')).json.items[0]._id;
  for (const name of ['room1', 'room2']) rooms.push((await admin.post('/api/rooms', { name })).json);
  home = await mkdtemp(join(tmpdir(), 'makechat-curl-'));
  await writeFile(join(home, '.curlrc'), `connect-to = "makechat-web:80:127.0.0.1:${port}"\n`);
});
afterAll(async () => {
  await service.stop();
  await rm(home, { recursive: true });
});

const send = (method: string, token: string, body?: object, headers: Record<string, string> = {}) =>
  door.send(method, '/api/rooms', body, { ...httpie, ...headers, 'x-auth-token': token });

describe('reading rooms', () => {
  it
    .skipIf(!hasCurl)
    .each([
      'curl -v -H "X-Auth-Token:4388c735cba9455cae341cbf17ed2198" http://makechat-web/api/rooms',
      'curl -s -H "X-Auth-Token:4388c735cba9455cae341cbf17ed2198" http://makechat-web/api/rooms',
    ])('%s', async (line) => {
    const printed = line.replace('4388c735cba9455cae341cbf17ed2198', adminToken);
    const { stdout } = await promisify(execFile)('sh', ['-c', printed], { env: { ...process.env, CURL_HOME: home } });
    expect(JSON.parse(stdout)).toEqual(rooms);
  });

  it('GET /api/rooms', async () => {
    const answer = await send('GET', adminToken);
    expect([answer.status, answer.json]).toEqual([200, rooms]);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': expect.stringContaining('no-store'),
      'content-length': `${answer.text.length}`,
    });
    expect(answer.json[0]).toEqual({
      ...{ _id: oid, is_open: true, is_visible: true, members: [oid], name: 'room1' },
      created: { $date: expect.any(Number) },
    });
    expect(answer.json[1].members).toEqual(answer.json[0].members);
  });
});

describe('bad requests', () => {
  it('with a token that is not valid', async () => {
    const other = adminToken.replace(/.$/, (digit) => (digit === '1' ? '2' : '1'));
    const answer = await send('GET', other);
    expect([answer.status, answer.reason, answer.json]).toEqual([
      401,
      'Unauthorized',
      { title: 'Not authentificated', description: 'Please provide an auth token or login.' },
    ]);
  });

  it('without the permissions of an administrator', async () => {
    const answer = await send('GET', userToken);
    expect([answer.status, answer.reason, answer.json]).toEqual([
      403,
      'Forbidden',
      { title: 'Permission Denied', description: 'Admin required.' },
    ]);
  });

  it('without a content type, whether the path knows the method or not', async () => {
    for (const method of ['PUT', 'POST']) {
      const answer = await send(method, userToken, undefined, { 'content-length': '0' });
      expect([answer.status, answer.reason, answer.json]).toEqual([
        406,
        'Not Acceptable',
        {
          title: 'Media type not acceptable',
          description: 'This API only supports responses encoded as JSON.',
          link: {
            href: 'http://docs.examples.com/api/json',
            rel: 'help',
            text: 'Documentation related to this error',
          },
        },
      ]);
    }
  });

  it('with a method that is not allowed', async () => {
    const answer = await send('PUT', userToken, { data: 'test' }, json);
    expect([answer.status, answer.reason, answer.text]).toEqual([405, 'Method Not Allowed', '']);
    expect(answer.headers).toMatchObject({ allow: 'GET, POST, OPTIONS', 'content-length': '0' });
  });

  it('without the data that is required', async () => {
    const answer = await send('POST', adminToken, { trash: 'trash' }, json);
    expect([answer.status, answer.reason, answer.json]).toEqual([
      400,
      'Bad Request',
      { title: 'Missing parameter', description: "The 'name' parameter is required." },
    ]);
  });
});

it('creating a room', async () => {
  const answer = await send('POST', adminToken, { name: 'test_room' }, json);
  expect([answer.status, answer.reason, answer.json]).toEqual([
    201,
    'Created',
    {
      ...{ _id: oid, is_open: true, is_visible: true, members: rooms[0]?.members, name: 'test_room' },
      created: { $date: expect.any(Number) },
    },
  ]);
});
