import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { signIn as nativeSignIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { freshName, login, MakechatClient, password, signUp } from './makechat-client.testing.js';

let services: TestService[];
let one: MakechatClient;
let two: MakechatClient;
let nativeAdmin: TestPerson;
let now = new Date();

beforeAll(async () => {
  const ports = [await freePort(), await freePort()];
  const limits = { RATE_LIMITS: 'on', LIMIT_SIGN_IN: '3/60', LIMIT_REGISTRATION: '12/3600', LIMIT_WRITES: '20/60' };
  const start = (port: number | undefined, beside?: TestService) =>
    startTestService({
      environment: { MAKECHAT_PORT: `${port}`, ...limits },
      clock: () => now,
      ...(beside && { beside }),
    });
  const first = await start(ports[0]);
  services = [first, await start(ports[1], first)];
  [one, two] = ports.map((port) => new MakechatClient(`http://127.0.0.1:${port}`)) as [MakechatClient, MakechatClient];
  nativeAdmin = await nativeSignIn(first.url);
});
afterAll(async () => {
  for (const service of services.toReversed()) await service.stop();
});

const at = (client: MakechatClient, place: MakechatClient): MakechatClient => place.with(client);
const idOf = async (username: string) =>
  (await nativeAdmin.get(`/v1/users?usernames=${username}`)).body.items[0].id as string;

describe('two replicas', () => {
  it('know the same sessions, tokens, rooms and ids', async () => {
    const admin = await login(one, administrator);
    const room = (await admin.post('/api/rooms', { name: 'shared' })).json;
    expect((await at(admin, two).get('/api/rooms')).json.items).toContainEqual(room);
    const token = (await admin.post('/api/tokens', { name: 'shared' })).json._id;
    const there = two.withToken(token);
    expect((await there.post('/api/messages', { text: 'across', rooms: [room._id] })).status).toBe(201);
    expect((await admin.get(`/api/messages?room=${room._id.$oid}`)).json.items).toMatchObject([{ text: 'across' }]);
    expect((await there.get('/api/users')).json.items).toEqual((await admin.get('/api/users')).json.items);
  });

  it('no longer admit people who were suspended or logged out at the other', async () => {
    const [leaving, username] = [await signUp(one), freshName()];
    const staying = await signUp(two, username);
    expect((await at(leaving, two).get('/api/ping')).status).toBe(200);
    await leaving.get('/api/logout');
    await expect.poll(async () => (await at(leaving, two).get('/api/ping')).status, { timeout: 2_000 }).toBe(401);
    await nativeAdmin.patch(`/v1/users/${await idOf(username)}`, { suspended: true });
    await expect.poll(async () => (await staying.get('/api/ping')).status, { timeout: 2_000 }).toBe(401);
  });

  it('leave a client with the other one when the first stops', async () => {
    const user = await signUp(two);
    await services[1]?.restart(async () => {
      expect((await at(user, one).get('/api/ping')).status).toBe(200);
    });
    expect((await user.get('/api/ping')).status).toBe(200);
  });
});

describe('a session', () => {
  it('ends an hour after it began, whatever is done with it', async () => {
    const user = await signUp(one);
    const begun = now;
    now = new Date(begun.getTime() + 3_590_000);
    expect((await user.get('/api/ping')).status).toBe(200);
    now = new Date(begun.getTime() + 3_601_000);
    expect((await user.get('/api/ping')).status).toBe(401);
  });
});

describe('refusals of our own have the format of makechat', () => {
  it('for a person who is locked out', async () => {
    const username = freshName();
    await signUp(one, username);
    const wrong = { username, password: 'wrong password' };
    for (let i = 0; i < 3; i++) expect((await one.post('/api/login', wrong)).status).toBe(401);
    const locked = await two.post('/api/login', { username, password });
    expect([locked.status, locked.json]).toEqual([
      429,
      { title: 'Too many requests', description: expect.stringMatching(/too much/) },
    ]);
    expect(Number(locked.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('in maintenance', async () => {
    const native = await nativeSignIn(services[0]?.url ?? '');
    await native.put('/v1/maintenance', { text: 'Back soon.' });
    const username = freshName();
    const form = { username, email: `${username}@example.org`, password1: password, password2: password };
    const refused = await two.post('/api/register', form);
    expect(refused.status).toBe(503);
    expect(refused.json.title).toBe('Service unavailable');
    expect(refused.json.description).toMatch(/username/);
    await native.delete('/v1/maintenance');
  });

  it('for too many accounts, with a word that the page looks for', async () => {
    let last = '';
    for (let i = 0; i < 14 && last === ''; i++) {
      const username = freshName();
      const form = { username, email: `${username}@example.org`, password1: password, password2: password };
      const answer = await one.post('/api/register', form);
      if (answer.status === 429) last = answer.json.description;
    }
    expect(last).toMatch(/username/);
  });

  it('for too many changes, while ping still says who it is', async () => {
    const admin = await login(one, administrator);
    const statuses = new Set<number>();
    for (let i = 0; i < 30; i++) statuses.add((await admin.delete('/api/rooms/none')).status);
    expect([...statuses]).toEqual([200, 429]);
    expect((await admin.get('/api/ping')).status).toBe(200);
  });
});
