import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { freshName, signIn } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { ask, ChatableUser, openSocket, password, registration } from './chatable.testing.js';

let service: TestService;
let url: string;

/** Registrations of an address, and sockets of an account. */
const [REGISTRATIONS, SOCKETS] = [8, 2];

beforeAll(async () => {
  const port = await freePort();
  const limits = {
    ...{ RATE_LIMITS: 'on', LIMIT_REGISTRATION: `${REGISTRATIONS}/3600`, LIMIT_SIGN_IN: '3/900' },
    ...{ LIMIT_POSTS_CONNECTION: '10/1', LIMIT_SOCKETS: `${SOCKETS}`, LIMIT_READS: '20/60' },
  };
  service = await startTestService({ environment: { CHATABLE_PORT: `${port}`, ...limits } });
  url = `http://127.0.0.1:${port}`;
});
afterAll(() => service?.stop());

const tooMany = {
  status: 'fail',
  data: [],
  error: { code: 429, message: 'Too many requests', errors: { error: expect.any(String) } },
};

describe('limits', () => {
  it('of posts make packets wait that come faster than allowed; none is lost', async () => {
    const [ada, bob] = [await ChatableUser.register(url), await ChatableUser.register(url)];
    const [from, to] = [await ada.connect(), await bob.connect()];
    const begin = Date.now();
    const texts = Array.from({ length: 30 }, (_, i) => `line ${i}`);
    for (const text of texts) from.say(ada.username, bob.username, text);
    await expect.poll(() => to.texts, { timeout: 15_000 }).toEqual(texts);
    expect(Date.now() - begin).toBeGreaterThan(1_500);
    from.close();
    to.close();
  });

  it('of sockets and reads are answered in the format of the door', async () => {
    const cem = await ChatableUser.register(url);
    const sockets = [await cem.connect(), await cem.connect()];
    const headers = { authorization: `Bearer ${cem.jwt()}` };
    const { status, body } = await openSocket(url, '', { headers }).refused;
    expect([status, JSON.parse(body)]).toMatchObject([429, tooMany]);
    for (const socket of sockets) socket.close();
    const answers = [];
    for (let i = 0; i < 21; i++) answers.push(await cem.get('inbox'));
    const last = answers.at(-1);
    expect(last).toMatchObject({ status: 429, body: tooMany });
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(answers.slice(0, 20).every((answer) => answer.status === 200)).toBe(true);
  });

  it('of sockets count one until all that was sent through it is done', async () => {
    const [ada, bob] = [await ChatableUser.register(url), await ChatableUser.register(url)];
    const [first, second] = [await ada.connect(), await ada.connect()];
    const texts = Array.from({ length: 30 }, (_, i) => `line ${i}`);
    for (const text of texts) first.say('', bob.username, text);
    first.close();
    await first.closed;
    const opensAnother = () => {
      const { opened, refused } = openSocket(url, '', { headers: { authorization: `Bearer ${ada.jwt()}` } });
      return Promise.race([opened.then(() => 'opened'), refused.then(({ status }) => status)]);
    };
    expect(await opensAnother()).toBe(429);
    await expect.poll(opensAnother, { timeout: 15_000 }).toBe('opened');
    second.close();
    const threads = [1, 2, 3].map((page) => bob.thread(ada.username, page));
    const stored = (await Promise.all(threads)).flat().map(({ message }) => message);
    expect(stored.reverse()).toEqual(texts);
  });

  it('of sign-ins hold for unknown names, too', async () => {
    const form = { username: freshName(), password: 'not the password' };
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push((await ask('POST', `${url}/api/auth_token`, { form })).status);
    expect(answers).toEqual([401, 401, 401, 429]);
  });
});

describe('a service that goes away', () => {
  it('first stores what it has read; tokens and messages are there when it is back', async () => {
    const [ada, bob] = [await ChatableUser.register(url), await ChatableUser.register(url)];
    const [telling, bobs] = [await ada.connect('?confirm=1'), await bob.connect()];
    telling.say('', bob.username, 'the first');
    await expect.poll(() => bobs.texts, { timeout: 10_000 }).toEqual(['the first']);
    const texts = Array.from({ length: 8 }, (_, i) => `line ${i}`);
    for (const text of texts) telling.say('', bob.username, text, { id: crypto.randomUUID() });
    await service.restart();
    expect(await telling.closed).toBe(1001);
    expect(await bobs.closed).toBe(1001);
    const confirmed = telling.packets.filter(({ created_at }) => created_at !== undefined).length;
    const thread = (await bob.thread(ada.username)).map(({ message }) => message).reverse();
    expect(confirmed).toBe(1 + texts.length);
    expect(thread).toEqual(['the first', ...texts]);
  });

  it('is in maintenance: packets are refused, and the connection ends', async () => {
    const ada = await ChatableUser.register(url);
    const admin = await signIn(service.url);
    const socket = await ada.connect('?confirm=1');
    await admin.put('/v1/maintenance', { text: 'Back at noon.' });
    socket.say('', admin.username, 'Are you there?');
    expect(await socket.closed).toBe(1013);
    expect(socket.packets).toMatchObject([{ status: 'fail', error: { code: 503 } }]);
    const refused = await ask('POST', `${url}/api/register`, { form: registration() });
    expect(refused.body.error).toMatchObject({ message: expect.stringMatching(/Too many|unavailable/) });
    await admin.delete('/v1/maintenance');
  });
});

describe('registrations of an address', () => {
  it('are limited before they reveal whether a phone number is taken', async () => {
    const first = registration();
    const answers = [];
    for (let i = 0; i < 4; i++) {
      const form = registration({ phone: first.phone });
      answers.push((await ask('POST', `${url}/api/register`, { form })).status);
    }
    expect(answers.at(-1)).toBe(429);
    const form = { username: `${first.username}`, password };
    expect((await ask('POST', `${url}/api/auth_token`, { form })).status).toBe(401);
  });
});
