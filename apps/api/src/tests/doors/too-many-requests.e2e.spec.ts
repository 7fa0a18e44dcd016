import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { freePort } from '../harness/free-port.testing.js';
import { administrator, startTestService, type TestService } from '../harness/test-service.testing.js';

// Pages and programs of the older systems break on any other format than that of their own server.

let service: TestService;
const ports = { makechat: 0, chatable: 0, chitchat: 0 };
type DoorName = keyof typeof ports;
/** Of somebody who signed in at makechat's door before it was too much. */
let cookie: string;

const json = 'application/json';
const form = 'application/x-www-form-urlencoded';
const why = expect.stringMatching(/^That was too much/);

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly text: string;
}

beforeAll(async () => {
  for (const door of Object.keys(ports) as DoorName[]) ports[door] = await freePort();
  service = await startTestService({
    environment: {
      ...{ MAKECHAT_PORT: `${ports.makechat}`, CHATABLE_PORT: `${ports.chatable}`, CHITCHAT_PORT: `${ports.chitchat}` },
      ...{ RATE_LIMITS: 'on', LIMIT_VISITORS: '5/3600', LIMIT_UPGRADES: '1/3600' },
    },
  });
  const credentials = JSON.stringify({ username: administrator.username, password: administrator.password });
  const response = await fetch(`http://127.0.0.1:${ports.makechat}/api/login`, {
    ...{ method: 'POST', body: credentials, headers: { 'content-type': json } },
  });
  cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  // All doors count the same visitor.
  for (let i = 0; i < 6; i++) await call('chitchat', 'GET', '/chats/1');
  for (const door of ['chatable', 'chitchat'] as const)
    await knock(door, door === 'chatable' ? '/api/ws' : '/chats/1/ws');
});
afterAll(() => service.stop());

async function call(door: DoorName, method: string, path: string, body?: string, type?: string): Promise<Answer> {
  const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
  const response = await fetch(`http://127.0.0.1:${ports[door]}${path}`, { method, body, headers, redirect: 'manual' });
  return { status: response.status, retryAfter: response.headers.get('retry-after'), text: await response.text() };
}

/** Asks for a socket, and returns the refusal. */
function knock(door: DoorName, path: string): Promise<Answer> {
  const socket = new WebSocket(`ws://127.0.0.1:${ports[door]}${path}`);
  return new Promise((resolve) => {
    socket.on('error', () => undefined);
    socket.once('open', () => {
      socket.terminate();
      resolve({ status: 101, retryAfter: null, text: '' });
    });
    socket.once('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.once('end', () => {
        const { 'retry-after': retryAfter = null } = response.headers;
        resolve({ status: response.statusCode ?? 0, retryAfter, text });
      });
    });
  });
}

function expectRefusal({ status, retryAfter, text }: Answer, body: object): void {
  expect([status, JSON.parse(text)]).toEqual([429, body]);
  expect(Number(retryAfter)).toBeGreaterThan(0);
}

describe('whoever asks too often is told so in the format of makechat', () => {
  const body = { title: 'Too many requests', description: why };

  it.each([
    ['POST', '/api/login', '{"username": "ada", "password": "correct horse"}'],
    ['POST', '/api/register', '{"username": "ada"}'],
    ['GET', '/api/rooms', undefined],
    ['GET', '/api/users', undefined],
    ['GET', '/api/logout', undefined],
  ])('%s %s', async (method, path, sent) => {
    expectRefusal(await call('makechat', method, path, sent, sent && json), body);
  });

  it('at the sign-up page with the name of a field, beside which it is shown', async () => {
    const { text } = await call('makechat', 'POST', '/api/register', '{}', json);
    expect(JSON.parse(text).description).toMatch(/username/);
  });

  it('but not from ping, after which the dashboard takes nothing but 200 and 401', async () => {
    const { status, text } = await call('makechat', 'GET', '/api/ping');
    expect([status, JSON.parse(text)]).toEqual([401, { title: 'Not authentificated', description: why }]);
  });
});

it('whoever signed in at makechat can still sign out, because its page goes on at 200 only', async () => {
  const headers = { cookie, accept: json };
  const door = `http://127.0.0.1:${ports.makechat}`;
  expect((await fetch(`${door}/api/ping`, { headers })).status).toBe(200);
  const out = await fetch(`${door}/logout`, { headers });
  expect([out.status, await out.json()]).toEqual([200, { status: 'ok' }]);
  expect((await fetch(`${door}/api/ping`, { headers })).status).toBe(401);
});

describe('whoever asks too often is told so in the envelope of chatable', () => {
  const envelope = {
    ...{ status: 'fail', data: [], error: { code: 429, message: 'Too many requests', errors: { error: why } } },
    ...{ page: 1, current_page: 0, per_page: 10 },
  };

  it.each([
    ['POST', '/api/register', 'username=ada'],
    ['POST', '/api/auth_token', 'username=ada&password=correct+horse'],
    ['DELETE', '/api/auth_token', undefined],
    ['GET', '/api/inbox', undefined],
    ['GET', '/api/thread/ada', undefined],
  ])('%s %s', async (method, path, sent) => {
    expectRefusal(await call('chatable', method, path, sent, sent && form), envelope);
  });

  it('also when asking for a socket', async () => {
    expectRefusal(await knock('chatable', '/api/ws'), envelope);
  });
});

describe('whoever asks too often is told so with the numbers of chitchat', () => {
  const body = {
    status: false,
    error: { code: 429, error: expect.stringMatching(/^Unknown error: That was too much/) },
  };

  it.each([
    ['GET', '/'],
    ['GET', '/chats'],
    ['POST', '/chats'],
    ['GET', '/chats/1'],
    ['PUT', '/chats/1'],
    ['DELETE', '/chats/1'],
    ['POST', '/chats/1/token'],
    ['GET', '/chats/1/token/renew'],
    ['GET', '/chats/1/entrance'],
    ['GET', '/chats/1/chatbox'],
    ['GET', '/chats/all'],
    ['GET', '/chats/events/1'],
    ['POST', '/auth'],
  ])('%s %s', async (method, path) => {
    expectRefusal(
      await call('chitchat', method, path, method === 'GET' || method === 'DELETE' ? undefined : '{}'),
      body,
    );
  });

  it('also when asking for a socket', async () => {
    expectRefusal(await knock('chitchat', '/chats/1/ws'), body);
  });
});
