import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { signIn as nativeSignIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { cookieOf, freshName, login, MakechatClient, password, signUp } from './makechat-client.testing.js';

let service: TestService;
let anybody: MakechatClient;
let admin: MakechatClient;
let nativeAdmin: TestPerson;

beforeAll(async () => {
  const port = await freePort();
  const environment = { MAKECHAT_PORT: `${port}`, MAKECHAT_SESSION_TTL: '3600' };
  service = await startTestService({ environment });
  anybody = new MakechatClient(`http://127.0.0.1:${port}`);
  admin = await login(anybody, administrator);
  nativeAdmin = await nativeSignIn(service.url);
});
afterAll(() => service.stop());

const ok = { status: 'ok' };
const refusal = (title: string, description: string) => ({ title, description });
const notAuthenticated = refusal('Not authentificated', 'Please provide an auth token or login.');
const oid = { $oid: expect.stringMatching(/^[0-9a-f]{24}$/) };
const date = { $date: expect.any(Number) };

const form = (changes: object = {}) => {
  const username = freshName();
  return { username, email: `${username}@example.org`, password1: password, password2: password, ...changes };
};

async function suspend(username: string, suspended = true): Promise<void> {
  const { body } = await nativeAdmin.get(`/v1/users?usernames=${username}`);
  await nativeAdmin.patch(`/v1/users/${body.items[0].id}`, { suspended });
}

describe('signing up', () => {
  it('answers 201 and sets a session cookie of 64 hexadecimal digits', async () => {
    const answer = await anybody.post('/api/register', form());
    expect([answer.status, answer.json]).toEqual([201, ok]);
    expect(answer.headers['set-cookie']?.[0]).toMatch(/^session=[0-9a-f]{64}; Max-Age=3600; Path=\/; HttpOnly/);
    expect((await anybody.withCookie(cookieOf(answer)).get('/api/ping')).status).toBe(200);
  });

  it('leaves a token that works', async () => {
    const user = await signUp(anybody);
    const { items } = (await user.get('/api/tokens')).json;
    expect(items).toEqual([
      { _id: expect.stringMatching(/^[0-9a-f]{32}$/), user: oid, name: 'Sign-up', created: date },
    ]);
    expect((await anybody.withToken(items[0]._id).get('/api/ping')).status).toBe(200);
  });

  it.each([
    ['payload', undefined],
    ['email', { username: 'a', password1: 'b', password2: 'c' }],
    ['username', { email: 'a', password1: 'b', password2: 'c' }],
    ['password1', { email: 'a', username: 'b', password2: 'c' }],
    ['password2', { email: 'a', username: 'b', password1: 'c' }],
  ])('names the field that is missing: %s', async (named, body) => {
    const answer = await anybody.post('/api/register', body, { 'content-type': 'application/json' });
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual(refusal('Missing parameter', `The '${named}' parameter is required.`));
  });

  it('refuses in the words and in the order of makechat, and then by rules of its own', async () => {
    const taken = form();
    await anybody.post('/api/register', taken);
    const capital = taken.username.toUpperCase();
    const noName = "{'username': 'String value did not match validation regex'}";
    const creation = 'Error of user creation';
    const tries: [object, object][] = [
      [form({ password2: 'another horse' }), refusal('Bad password', 'Passwords do not match.')],
      [form({ username: taken.username }), refusal('Bad username', 'Username is already taken.')],
      [form({ email: taken.email }), refusal('Bad email', 'Email is already taken.')],
      [form({ username: capital, email: taken.email }), refusal('Bad email', 'Email is already taken.')],
      [form({ username: capital }), refusal('Bad username', 'Username is already taken.')],
      [form({ password1: 'ж', password2: 'ж' }), refusal('Bad password symbols', 'Invalid password characters.')],
      [form({ username: 'a b' }), refusal(creation, noName)],
      [form({ username: 'ab' }), refusal(creation, noName)],
      [form({ username: 'ada.lovelace' }), refusal(creation, noName)],
      [form({ email: 'test@a' }), refusal(creation, "{'email': 'Invalid Mail-address: test@a'}")],
      [form({ username: 'x'.repeat(121) }), refusal(creation, "{'username': 'String value is too long'}")],
      [
        form({ password1: 'short', password2: 'short' }),
        refusal('Bad password', 'The password must have at least 10 characters.'),
      ],
    ];
    for (const [body, expected] of tries) {
      const answer = await anybody.post('/api/register', body);
      expect([answer.status, answer.json]).toEqual([400, expected]);
    }
    const common = await anybody.post('/api/register', form({ password1: 'password123', password2: 'password123' }));
    expect(common.json).toEqual(refusal('Bad password', expect.stringContaining('password')));
    const reserved = await anybody.post('/api/register', form({ username: 'hook-ada' }));
    expect(reserved.json.title).toBe('Bad username');
  });

  it('keeps small letters of a name, and finds it whatever its case', async () => {
    const username = freshName();
    const user = await signUp(anybody, username.toUpperCase());
    expect((await user.get('/api/ping')).json.username).toBe(username);
    const again = await anybody.post('/api/login', { username: username.toUpperCase(), password });
    expect(again.status).toBe(200);
  });

  it('is the same account at the native doors', async () => {
    const username = freshName();
    await signUp(anybody, username);
    const native = await nativeSignIn(service.url, { username, password });
    expect((await native.get('/v1/me')).body).toMatchObject({ username, email: `${username}@example.org` });
    const events = (await nativeAdmin.get(`/v1/users/${native.id}/events`)).body.items;
    expect(events.map(({ type, door }: { type: string; door?: string }) => [type, door])).toContainEqual([
      'UserRegistered',
      'makechat',
    ]);
  });
});

describe('logging in and out', () => {
  it('answers ok and sets a cookie', async () => {
    const answer = await anybody.post('/api/login', administrator);
    expect([answer.status, answer.json]).toEqual([200, ok]);
    expect(cookieOf(answer)).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    [400, refusal('Missing parameter', "The 'username' parameter is required."), undefined],
    [400, refusal('Missing parameter', "The 'username' parameter is required."), { password: 'x' }],
    [400, refusal('Missing parameter', "The 'password' parameter is required."), { username: 'x' }],
    [
      401,
      refusal('Bad login attempt', 'Invalid username or password.'),
      { username: 'admin', password: 'wrong password' },
    ],
    [401, refusal('Bad login attempt', 'Invalid username or password.'), { username: 'nobody', password: 'wrong' }],
    [401, refusal('Bad password symbols', 'Invalid password characters.'), { username: 'nobody', password: 'ж' }],
  ])('is refused with %i %o', async (status, expected, body) => {
    const answer = await anybody.post('/api/login', body, { 'content-type': 'application/json' });
    expect([answer.status, answer.json]).toEqual([status, expected]);
  });

  it('ends the session, here and at the native doors', async () => {
    const username = freshName();
    const user = await signUp(anybody, username);
    const native = await nativeSignIn(service.url, { username, password });
    expect((await native.get('/v1/me/sessions')).body.items).toHaveLength(2);
    const out = await user.get('/api/logout');
    expect([out.status, out.json]).toEqual([200, ok]);
    expect(out.headers['set-cookie']?.[0]).toMatch(/^session=; .*Max-Age=0; Path=\//);
    expect((await user.get('/api/ping')).status).toBe(401);
    expect((await native.get('/v1/me/sessions')).body.items).toHaveLength(1);
    expect((await user.get('/api/logout')).json).toEqual(ok);
    expect((await anybody.get('/logout')).json).toEqual(ok);
  });

  it('ends with a suspension, at once and with the status that the dashboard understands', async () => {
    const username = freshName();
    const user = await signUp(anybody, username);
    const token = (await user.get('/api/tokens')).json.items[0]._id;
    await suspend(username);
    expect((await user.get('/api/ping')).status).toBe(401);
    expect((await anybody.withToken(token).get('/api/ping')).status).toBe(401);
    const again = await anybody.post('/api/login', { username, password });
    expect(again.json).toEqual(refusal('Bad login attempt', expect.stringContaining('suspended')));
    await suspend(username, false);
    expect((await user.get('/api/ping')).status).toBe(401);
    expect((await anybody.withToken(token).get('/api/ping')).status).toBe(401);
  });

  it('ends with its revocation at a native door', async () => {
    const username = freshName();
    const user = await signUp(anybody, username);
    const native = await nativeSignIn(service.url, { username, password });
    await native.post('/v1/me/sessions/end-others');
    const sessions = (await native.get('/v1/me/sessions')).body.items;
    for (const { id, current } of sessions) if (!current) await native.delete(`/v1/me/sessions/${id}`);
    expect((await user.get('/api/ping')).status).toBe(401);
  });

  it('outlives a restart', async () => {
    const user = await signUp(anybody);
    await service.restart();
    nativeAdmin = nativeAdmin.at(service.url);
    expect((await user.get('/api/ping')).status).toBe(200);
    expect((await admin.get('/api/ping')).status).toBe(200);
  });
});

describe('ping', () => {
  it('says who calls', async () => {
    const username = freshName();
    const user = await signUp(anybody, username);
    expect((await user.get('/api/ping')).json).toEqual({ username, is_superuser: false, have_rooms: false });
    await admin.post('/api/rooms', { name: `room ${username}` });
    expect((await admin.get('/api/ping')).json).toEqual({ username: 'admin', is_superuser: true, have_rooms: true });
  });

  it('refuses invalid credentials, in the words of makechat', async () => {
    for (const client of [anybody, anybody.withCookie('a'.repeat(64)), anybody.withToken('b'.repeat(32))]) {
      const answer = await client.get('/api/ping');
      expect([answer.status, answer.json]).toEqual([401, notAuthenticated]);
      expect(answer.headers['www-authenticate']).toMatch(/^\w+ realm=/);
    }
  });

  it('lets a valid token win over the cookie, and a valid cookie over a token that is none', async () => {
    const [one, two] = [freshName(), freshName()];
    const [user, other] = [await signUp(anybody, one), await signUp(anybody, two)];
    const token = (await other.get('/api/tokens')).json.items[0]._id;
    expect((await user.get('/api/ping', { 'x-auth-token': token })).json.username).toBe(two);
    expect((await user.get('/api/ping', { 'x-auth-token': 'c'.repeat(32) })).json.username).toBe(one);
  });
});

describe('tokens', () => {
  it('are created with a cookie, work at once, and are listed in their order for their owner', async () => {
    const made = [await admin.post('/api/tokens', { name: 'one' }), await admin.post('/api/tokens', { name: 'two' })];
    for (const { status, json } of made) {
      expect(status).toBe(201);
      expect(json).toEqual({
        _id: expect.stringMatching(/^[0-9a-f]{32}$/),
        user: oid,
        name: expect.any(String),
        created: date,
      });
      expect((await anybody.withToken(json._id).get('/api/ping')).json.username).toBe('admin');
    }
    const listed = (await admin.get('/api/tokens')).json;
    expect(listed).toEqual({
      ...ok,
      items: made.map(({ json }) => json),
      next_page: null,
      prev_page: null,
      total_pages: '1',
    });
  });

  it.each([
    ['name', {}],
    ['payload', undefined],
  ])('need a name: %s', async (named, body) => {
    const answer = await admin.post('/api/tokens', body, { 'content-type': 'application/json' });
    expect([answer.status, answer.json]).toEqual([
      400,
      refusal('Missing parameter', `The '${named}' parameter is required.`),
    ]);
  });

  it('are for those who are known', async () => {
    expect((await anybody.post('/api/tokens', { name: 'x' })).json).toEqual(notAuthenticated);
    expect((await anybody.get('/api/tokens')).json).toEqual(notAuthenticated);
    expect((await anybody.post('/api/tokens', { name: 'x'.repeat(2_000) })).status).toBe(401);
    expect((await admin.post('/api/tokens', { name: 'x'.repeat(2_000) })).status).toBe(413);
    expect((await admin.post('/api/tokens', { name: 'x'.repeat(101) })).json.title).toBe('Error occurred');
  });

  it('can create tokens, which end with them', async () => {
    const user = await signUp(anybody);
    const parent = (await user.post('/api/tokens', { name: 'parent' })).json._id;
    const child = (await anybody.withToken(parent).post('/api/tokens', { name: 'child' })).json._id;
    expect((await anybody.withToken(child).get('/api/ping')).status).toBe(200);
    expect((await user.delete(`/api/tokens/${parent}`)).json).toEqual(ok);
    expect((await anybody.withToken(parent).get('/api/ping')).status).toBe(401);
    expect((await anybody.withToken(child).get('/api/ping')).status).toBe(401);
    const left = (await user.get('/api/tokens')).json.items.map(({ name }: { name: string }) => name);
    expect(left).toEqual(['Sign-up']);
  });

  it('show and revoke none that allows more than they do', async () => {
    const username = freshName();
    const user = await signUp(anybody, username);
    const native = await nativeSignIn(service.url, { username, password });
    const narrow = async (...scopes: string[]) =>
      anybody.withToken(
        (await native.post('/v1/me/tokens', { name: 'narrow', scopes, expiresInDays: 300 })).body.token,
      );
    const shownTo = async (client: MakechatClient) =>
      (await client.get('/api/tokens')).json.items.map(({ name }: { name: string }) => name);
    const signedUp = (await user.get('/api/tokens')).json.items[0]._id;
    const managing = await narrow('manage', 'read');
    await managing.post('/api/tokens', { name: 'child' });
    expect(await shownTo(user)).toEqual(['Sign-up', 'child']);
    expect(await shownTo(anybody.withToken(signedUp))).toEqual(['Sign-up', 'child']);
    expect(await shownTo(managing)).toEqual(['child']);
    expect(await shownTo(await narrow('read'))).toEqual([]);
    const { status, json } = await managing.delete(`/api/tokens/${signedUp}`);
    expect([status, json.title]).toEqual([403, 'Permission Denied']);
    expect((await anybody.withToken(signedUp).get('/api/ping')).status).toBe(200);
    const child = (await managing.get('/api/tokens')).json.items[0]._id;
    for (let i = 0; i < 2; i++) expect((await managing.delete(`/api/tokens/${child}`)).json).toEqual(ok);
    expect(await shownTo(user)).toEqual(['Sign-up']);
  });
});

describe('users', () => {
  it('are listed for administrators, suspended people too, without anything secret', async () => {
    const username = freshName();
    await signUp(anybody, username);
    await suspend(username);
    const { total_pages } = (await admin.get('/api/users?limit=5')).json;
    const { items } = (await admin.get(`/api/users?offset=${(Number(total_pages) - 1) * 5}&limit=5`)).json;
    expect(items.at(-1)).toEqual({
      ...{ _id: oid, created: date, email: `${username}@example.org`, username },
      ...{ is_superuser: false, is_disabled: true },
    });
    const first = (await admin.get('/api/users')).json.items[0];
    expect(first).toMatchObject({ username: 'admin', is_superuser: true, is_disabled: false, email: '' });
  });

  it('are for administrators', async () => {
    const user = await signUp(anybody);
    const answer = await user.get('/api/users');
    expect([answer.status, answer.json]).toEqual([403, refusal('Permission Denied', 'Admin required.')]);
    expect((await anybody.get('/api/users')).json).toEqual(notAuthenticated);
  });
});

describe('every call', () => {
  const link = { text: 'Documentation related to this error', href: 'http://docs.examples.com/api/json', rel: 'help' };
  const media = refusal('Media type not acceptable', 'This API only supports responses encoded as JSON.');

  it('needs a JSON type where it has a body, and a client that accepts JSON', async () => {
    const noType = await admin.post('/api/rooms', { name: 'x' }, { 'content-type': undefined });
    expect([noType.status, noType.json]).toEqual([406, { ...media, link }]);
    const text = await admin.post('/api/rooms', { name: 'x' }, { 'content-type': 'text/plain' });
    expect(text.status).toBe(406);
    const disguised = { 'content-type': 'text/plain; application/json' };
    expect((await admin.post('/api/rooms', { name: 'x' }, disguised)).status).toBe(406);
    const neither = await admin.get('/api/rooms', { accept: 'text/html' });
    expect([neither.status, neither.text]).toEqual([406, '']);
    const xml = await admin.get('/api/rooms', { accept: 'application/xml' });
    expect([xml.status, xml.headers['content-type']]).toEqual([406, 'application/xml; charset=utf-8']);
    expect(xml.text).toContain('<title>Media type not acceptable</title>');
    for (const accept of ['*/*', 'application/json', 'application/json, text/javascript, */*; q=0.01'])
      expect((await admin.get('/api/ping', { accept })).status).toBe(200);
  });

  it('says 753 to what is not JSON, before it asks who calls', async () => {
    for (const path of ['/api/register', '/api/login', '/api/rooms', '/api/tokens']) {
      const answer = await anybody.post(path, '{"name": ');
      expect([answer.status, answer.reason, answer.json.title]).toEqual([753, 'Syntax Error', 'Malformed JSON']);
    }
  });

  it('says that an announced body is empty', async () => {
    const headers = { 'transfer-encoding': 'chunked', 'content-length': undefined };
    const answer = await anybody.post('/api/login', '', headers);
    expect([answer.status, answer.json]).toEqual([
      400,
      refusal('Empty request body', 'A valid JSON document is required.'),
    ]);
  });

  it('takes 1,024 bytes where makechat does', async () => {
    const description = 'The size of the request is too large. The body must not exceed 1024 bytes in length.';
    for (const path of ['/api/register', '/api/login']) {
      const answer = await anybody.post(path, { username: 'x'.repeat(1_024) });
      expect([answer.status, answer.json]).toEqual([413, refusal('Request body is too large', description)]);
    }
    expect((await anybody.post('/api/login', 'x'.repeat(200_000))).status).toBe(413);
  });

  it('names the methods of its path', async () => {
    const put = await admin.put('/api/rooms', { name: 'x' });
    expect([put.status, put.text, put.headers.allow]).toEqual([405, '', 'GET, POST, OPTIONS']);
    expect((await admin.send('HEAD', '/api/rooms')).status).toBe(405);
    expect((await admin.send('GET', '/api/login')).headers.allow).toBe('POST, OPTIONS');
    expect((await admin.send('PROPFIND', '/api/rooms')).status).toBe(405);
    const options = await admin.send('OPTIONS', '/api/rooms');
    expect([options.status, options.headers.allow]).toEqual([204, 'GET, POST']);
    expect((await admin.get('/api/rooms/0123')).headers.allow).toBe('DELETE, PATCH, PUT, OPTIONS');
    const unknown = await admin.get('/api/nothing');
    expect([unknown.status, unknown.json.title]).toEqual([404, 'Not Found']);
  });

  it('takes a slash at the end of its path', async () => {
    expect((await admin.get('/api/ping/')).status).toBe(200);
    expect((await admin.get('/api/rooms/?limit=1')).json.status).toBe('ok');
  });
});
