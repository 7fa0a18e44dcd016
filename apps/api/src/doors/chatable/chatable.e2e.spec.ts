import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { freshName, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { ask, ChatableUser, openSocket, password, registration, signJwt } from './chatable.testing.js';

let left: TestService;
let right: TestService;
/** The door at each of the two replicas. */
let url: string;
let otherUrl: string;
let admin: TestPerson;
/** Seconds by which the clocks of both are ahead. */
let ahead = 0;

beforeAll(async () => {
  const clock = () => new Date(Date.now() + ahead * 1_000);
  const [port, otherPort] = [await freePort(), await freePort()];
  left = await startTestService({ clock, environment: { CHATABLE_PORT: `${port}` } });
  right = await startTestService({ clock, beside: left, environment: { CHATABLE_PORT: `${otherPort}` } });
  [url, otherUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${otherPort}`];
  admin = await signIn(left.url);
});
afterAll(async () => {
  await right?.stop();
  await left?.stop();
});

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
const key = expect.stringMatching(/^[A-Z2-7]{52}$/);
const publicToken = {
  access_key_id: key,
  secret_access_key: key,
  refresh_token: key,
  created_at: time,
  expires_at: time,
  modified_at: time,
  is_refreshable: true,
};
const noError = { code: 200, message: '', errors: null };

const failed = (code: number, message: string, errors: object) => ({
  ...{ status: 'fail', data: [], error: { code, message, errors } },
  ...{ page: 1, current_page: 0, per_page: 10 },
});

/** The native session of somebody who registered at the door. */
const natively = (username: string, at = left.url) => signIn(at, { username, password });

const shows = (look: () => unknown) => expect.poll(look, { timeout: 10_000 });

describe('registering', () => {
  it('gives back what was sent, with a token', async () => {
    const form = registration({ email: `Test_Last.${freshName()}@example.com` });
    const { status, headers, body } = await ask('POST', `${url}/api/register`, { form });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(body).toEqual({
      status: 'success',
      data: [
        {
          first_name: 'Ada',
          last_name: 'Lovelace',
          username: form.username,
          email: form.email,
          phone_number: form.phone,
          token: publicToken,
        },
      ],
      error: noError,
      page: 1,
      current_page: 1,
      per_page: 10,
    });
    const { created_at, expires_at } = body.data[0].token;
    expect((Date.parse(expires_at) - Date.parse(created_at)) / 86_400_000).toBeCloseTo(30, 3);
  });

  it('names each field that is missing or wrong', async () => {
    const two = await ask('POST', `${url}/api/register`, { form: { username: 'ada_lovelace', password } });
    expect(two.status).toBe(400);
    expect(two.body).toEqual(
      failed(400, 'Form error', {
        ...{ first_name: 'is required', last_name: 'is required', email: 'is required', phone: 'is required' },
      }),
    );
    const form = registration({ email: 'nobody', password: 'short' });
    expect((await ask('POST', `${url}/api/register`, { form })).body).toEqual(
      failed(400, 'Form error', {
        email: 'please enter a valid email address',
        password: 'please enter a password with at least 10 characters',
      }),
    );
  });

  it.each([
    [{ username: 'a' }, { username: 'please enter a valid name' }],
    [{ username: '1ada' }, { username: 'please enter a valid name' }],
    [{ username: 'ada.lovelace' }, { username: 'please enter a valid name' }],
    [{ username: '  ' }, { username: 'please enter a valid name' }],
    [{ password: '          ' }, { password: 'please enter a password with at least 10 characters' }],
    [{ password: 'with a space inside' }, { password: 'please enter a password without any space' }],
    [{ phone: '+49 30 1234' }, { phone: 'please enter a valid phone number' }],
    [{ email: 'ada@EXAMPLE.com' }, { email: 'please enter a valid email address' }],
    [{ first_name: '  ' }, { first_name: 'is required' }],
    [{ first_name: '\u202eadA' }, { first_name: 'please enter a valid name' }],
  ])('refuses %o', async (changes, errors) => {
    const answer = await ask('POST', `${url}/api/register`, { form: registration(changes) });
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual(failed(400, 'Form error', errors));
  });

  it.each(['username', 'email', 'phone'])('refuses a %s that is taken, in any case', async (field) => {
    const first = registration();
    await ask('POST', `${url}/api/register`, { form: first });
    const form = registration({ [field]: first[field]?.replace('person', 'PERSON') });
    const again = await ask('POST', `${otherUrl}/api/register`, { form });
    expect(again.status).toBe(400);
    expect(again.body).toEqual(failed(400, 'User error', { error: 'Some fileds are not unique' }));
    // Nothing of the refused one is taken.
    const fresh = registration();
    const rest = Object.fromEntries(Object.entries(form).filter(([name]) => name !== field));
    expect((await ask('POST', `${url}/api/register`, { form: { ...fresh, ...rest } })).status).toBe(200);
  });

  it('refuses one of the passwords that are tried first', async () => {
    const form = registration({ password: 'password123456' });
    const { status, body } = await ask('POST', `${url}/api/register`, { form });
    expect([status, body.error.message, Object.keys(body.error.errors ?? {})]).toEqual([
      400,
      'Form error',
      ['password'],
    ]);
  });

  it('opens an account like any other, in small letters, and keeps no phone number', async () => {
    const name = freshName();
    const form = registration({ username: name.toUpperCase() });
    const { body } = await ask('POST', `${url}/api/register`, { form });
    expect(body.data[0].username).toBe(name);
    const person = await natively(name);
    const me = (await person.get('/v1/me')).body;
    expect(me).toMatchObject({ username: name, displayName: 'Ada Lovelace', email: form.email });
    const { items } = (await admin.get(`/v1/users/${me.id}/events`)).body;
    expect(items.map(({ door }: { door?: string }) => door)).toContain('chatable');
  });
});

describe('a token', () => {
  it('is a new one each time, for a name in any case', async () => {
    const ada = await ChatableUser.register(url);
    const form = { username: ada.username.toUpperCase(), password: ` ${password} ` };
    const { status, body } = await ask('POST', `${otherUrl}/api/auth_token`, { form });
    expect(status).toBe(200);
    expect(body).toEqual({
      ...{ status: 'success', data: [publicToken], error: noError, page: 1, current_page: 1, per_page: 10 },
    });
    expect(body.data[0].access_key_id).not.toBe(ada.token.access_key_id);
    for (const one of [ada, new ChatableUser(url, ada.username, body.data[0])])
      expect((await one.get('inbox')).status).toBe(200);
  });

  it('is for who knows the password', async () => {
    const ada = await ChatableUser.register(url);
    const unauthenticated = failed(401, 'Authentication error', { error: 'Unauthenticated' });
    for (const form of [
      { username: ada.username, password: 'not the password' },
      { username: freshName(), password },
    ]) {
      const { status, body } = await ask('POST', `${url}/api/auth_token`, { form });
      expect([status, body]).toEqual([401, unauthenticated]);
    }
    const missing = await ask('POST', `${url}/api/auth_token`, { form: { username: ada.username } });
    expect([missing.status, missing.body]).toEqual([400, failed(400, 'Form error', { password: 'is required' })]);
  });

  it('ends with a DELETE, at every replica', async () => {
    const ada = await ChatableUser.register(url);
    expect((await ada.get('inbox')).body).toMatchObject({ status: 'success', data: [], current_page: 0 });
    const { status, body } = await ada.signOut();
    expect(status).toBe(200);
    expect(body).toEqual({ status: 'success', data: [], error: noError, page: 1, current_page: 0, per_page: 10 });
    for (const at of [url, otherUrl]) {
      const after = await ada.at(at).get('inbox');
      expect([after.status, after.text]).toEqual([401, '']);
    }
  });

  it('is a session, which its owner sees and ends natively', async () => {
    const ada = await ChatableUser.register(url);
    const person = await natively(ada.username);
    const { items } = (await person.get('/v1/me/sessions')).body;
    const session = items.find(({ how }: { how: string }) => how === 'registration');
    const socket = await ada.at(otherUrl).connect();
    expect((await person.delete(`/v1/me/sessions/${session.id}`)).status).toBe(204);
    expect(await socket.closed).toBe(1008);
    expect((await ada.get('inbox')).status).toBe(401);
  });

  it('is exchanged with its refresh token, once; a thief who comes later ends it', async () => {
    const ada = await ChatableUser.register(url);
    const exchange = (refresh_token: string) => ask('POST', `${otherUrl}/api/auth_token`, { form: { refresh_token } });
    const { status, body } = await exchange(ada.token.refresh_token);
    expect(status).toBe(200);
    expect(body.data).toEqual([publicToken]);
    const renewed = new ChatableUser(url, ada.username, body.data[0]);
    expect((await ada.get('inbox')).status).toBe(401);
    expect((await renewed.get('inbox')).status).toBe(200);
    ahead += 60;
    const again = await exchange(ada.token.refresh_token);
    expect([again.status, again.body.error.message]).toEqual([401, 'Authentication error']);
    expect((await renewed.get('inbox')).status).toBe(401);
    for (const wrong of ['A'.repeat(52), 'x', '🙂']) expect((await exchange(wrong)).status).toBe(401);
  });
});

describe('a JWT', () => {
  let ada: ChatableUser;
  beforeAll(async () => {
    ada = await ChatableUser.register(url);
  });
  const now = () => Math.floor(Date.now() / 1_000) + ahead;
  const inbox = (jwt: string, at = url) => ask('GET', `${at}/api/inbox`, { jwt });

  it.each(['HS256', 'HS384', 'HS512'])('is signed with %s', async (alg) => {
    expect((await inbox(signJwt(ada.token, { any: 'thing' }, { alg }))).status).toBe(200);
  });

  it('comes in the header, with the word in any case, or as a parameter', async () => {
    const headers = { authorization: `BEARER ${ada.jwt()}` };
    expect((await ask('GET', `${url}/api/inbox`, { headers })).status).toBe(200);
    expect((await ask('GET', `${url}/api/inbox?access_token=${ada.jwt()}`)).status).toBe(200);
    const form = { access_token: (await ChatableUser.signIn(url, ada.username)).jwt() };
    expect((await ask('DELETE', `${url}/api/auth_token`, { form })).status).toBe(200);
  });

  it.each<[string, (token: ChatableUser['token']) => string]>([
    ['nothing', () => ''],
    ['no JWT', () => 'a.b.c'],
    ['without an access key', (token) => signJwt(token, {}, { header: { access_key: undefined } })],
    ['with an access key of another type', (token) => signJwt(token, {}, { header: { access_key: 7 } })],
    ['with an unknown access key', (token) => signJwt({ ...token, access_key_id: 'A'.repeat(52) })],
    ['signed with another secret', (token) => signJwt({ ...token, secret_access_key: 'A'.repeat(52) })],
    ['that is not signed', (token) => signJwt(token, {}, { header: { alg: 'none' } }).replace(/[^.]*$/, '')],
    ['with a payload that is no object', (token) => signJwt(token, '[]')],
    ['that has expired', (token) => signJwt(token, { exp: now() - 1 })],
    ['that is not valid yet', (token) => signJwt(token, { nbf: now() + 60 })],
    ['of the future', (token) => signJwt(token, { iat: now() + 3_600 })],
    ['that expires at no time', (token) => signJwt(token, { exp: 'tomorrow' })],
    ['with a nonce that is none', (token) => signJwt(token, { jti: {} })],
  ])('%s is answered by 401 without a body', async (_, make) => {
    const jwt = make(ada.token);
    const answer = await ask('GET', `${url}/api/inbox`, jwt ? { jwt } : {});
    expect([answer.status, answer.text]).toEqual([401, '']);
  });

  it('with a nonce is good once, at whichever replica', async () => {
    for (const claim of ['jti', 'nonce']) {
      const jwt = ada.jwt({ [claim]: freshName(), exp: now() + 60 });
      const both = await Promise.all([inbox(jwt), inbox(jwt, otherUrl)]);
      expect(both.map(({ status }) => status).sort()).toEqual([200, 401]);
      expect((await inbox(jwt)).status).toBe(401);
    }
    expect((await inbox(ada.jwt({ jti: freshName() }))).status).toBe(200);
  });
});

describe('a conversation', () => {
  it('goes over sockets, each message once and in order, to every connection of the recipient', async () => {
    const [ada, bob] = [await ChatableUser.register(url), await ChatableUser.register(otherUrl)];
    const [here, there] = [await bob.at(url).connect(), await bob.connect()];
    const own = await ada.connect();
    const mine = await ada.connect();
    const texts = Array.from({ length: 20 }, (_, i) => `line ${i} – ärger 🙂`);
    for (const text of texts) mine.say('somebody else', bob.username, text);
    for (const socket of [here, there]) await shows(() => socket.texts).toEqual(texts);
    expect(there.packets[0]).toEqual({
      ...{ author: ada.username, recipient: bob.username, message: texts[0] },
      ...{ message_type: 0, created_at: time },
    });
    there.say(bob.username, ada.username, 'yes?');
    for (const socket of [own, mine]) await shows(() => socket.texts).toEqual(['yes?']);
    expect(here.texts).toEqual(texts);
    const all = ['yes?', ...texts.toReversed()];
    for (const reader of [ada, bob]) {
      const peer = reader === ada ? bob : ada;
      expect((await reader.thread(peer.username)).map(({ message }) => message)).toEqual(all.slice(0, 10));
      const third = await reader.get(`thread/${peer.username}?page=3`);
      expect([third.status, third.body]).toEqual([
        200,
        {
          ...{ status: 'success', data: [here.packets[0]], error: noError },
          ...{ page: 3, current_page: 1, per_page: 10 },
        },
      ]);
    }
    for (const socket of [here, there, own, mine]) socket.close();
  });

  it('is found later by who was not connected', async () => {
    const [ada, bob] = [await ChatableUser.register(url), await ChatableUser.register(url)];
    const socket = openSocket(url, `?access_token=${ada.jwt()}`);
    await socket.opened;
    socket.say(ada.username, bob.username.toUpperCase(), 'Are you there?');
    socket.close();
    await shows(() => bob.thread(ada.username)).toHaveLength(1);
    expect((await bob.get('inbox')).body).toEqual({
      status: 'success',
      data: [{ author_username: ada.username, created_at: time, latest_message: 'Are you there?' }],
      ...{ error: noError, page: 1, current_page: 1, per_page: 10 },
    });
    expect((await ada.get('inbox?partner=1')).body.data).toMatchObject([{ partner: bob.username }]);
    for (const page of ['0', '-3', 'x']) expect((await bob.get(`inbox?page=${page}`)).body.page).toBe(1);
    expect((await bob.get('inbox?page=2')).body).toMatchObject({ data: [], page: 2, current_page: 0 });
  });

  it('is the direct room of the native API', async () => {
    const [ada, bob] = [await ChatableUser.register(url), await ChatableUser.register(url)];
    const person = await natively(bob.username, right.url);
    const socket = await ada.connect();
    const room = (await person.put(`/v1/direct/${ada.username}`)).body.id;
    const native = await person.follow(room);
    await person.says(room, 'from a native client');
    await shows(() => socket.texts).toEqual(['from a native client']);
    socket.say(ada.username, bob.username, 'from chatable');
    const posted = await native.when(() =>
      native.events(room).find(({ type, data }) => type === 'MessagePosted' && data.text === 'from chatable'),
    );
    expect(posted.actor.username).toBe(ada.username);
    await person.says(room, 'and again');
    await shows(() => socket.texts).toEqual(['from a native client', 'and again']);
    const order = ['and again', 'from chatable', 'from a native client'];
    expect((await bob.thread(ada.username)).map(({ message }) => message)).toEqual(order);
    const { items } = (await person.get(`/v1/rooms/${room}/messages`)).body;
    expect(items.map(({ text }: { text: string }) => text)).toEqual(order);
    native.close();
    socket.close();
  });

  it('is confirmed only on request; a packet sent twice under its id is one message', async () => {
    const [ada, bob] = [await ChatableUser.register(url), await ChatableUser.register(url)];
    const [plain, telling] = [await ada.connect(), await ada.connect('?confirm=1')];
    const id = crypto.randomUUID();
    for (const socket of [plain, telling]) socket.say('', bob.username, 'once', { id });
    telling.say('', freshName(), 'to nobody');
    telling.say('', ada.username, 'to myself');
    telling.say('', bob.username, '  ');
    telling.send('no JSON');
    telling.say('', bob.username, 'the end');
    await shows(() => telling.packets).toHaveLength(6);
    expect(telling.packets[0]).toEqual({ id, created_at: time });
    expect(telling.packets[1]).toEqual({ id: null, ...failed(400, 'User error', { error: 'unknown username' }) });
    expect(telling.packets.slice(2, 5).map(({ status }) => status)).toEqual(['fail', 'fail', 'fail']);
    plain.send('no JSON');
    plain.send({ recipient: bob.username });
    plain.say('', bob.username, 'still there');
    await shows(() => bob.thread(ada.username)).toHaveLength(3);
    expect(plain.packets).toEqual([]);
    expect((await bob.thread(ada.username)).map(({ message }) => message)).toEqual(['still there', 'the end', 'once']);
    plain.close();
    telling.close();
  });

  it('with oneself is empty, with an unknown person is refused', async () => {
    const ada = await ChatableUser.register(url);
    expect((await ada.get(`thread/${ada.username}`)).body).toMatchObject({ status: 'success', data: [] });
    const unknown = await ada.get(`thread/${freshName()}`);
    expect([unknown.status, unknown.body]).toEqual([400, failed(400, 'User error', { error: 'unknown username' })]);
    for (const path of ['thread/a', 'thread/%F0%9F%99%82', 'thread/', 'threads/ada', 'rooms']) {
      const nowhere = await ada.get(path);
      expect([nowhere.status, nowhere.text]).toEqual([404, '404 page not found\n']);
    }
  });
});

describe('a socket', () => {
  it('is opened by who signed in, from a page of this origin', async () => {
    const ada = await ChatableUser.register(url);
    expect(await openSocket(url).refused).toEqual({ status: 401, body: '' });
    expect(await openSocket(url, '?access_token=x').refused).toEqual({ status: 401, body: '' });
    const headers = { authorization: `Bearer ${ada.jwt()}` };
    expect((await openSocket(url, '', { headers, origin: 'https://elsewhere.example' }).refused).status).toBe(403);
    const own = openSocket(url, '', { headers, origin: url });
    await own.opened;
    own.close();
  });

  it('ends within two seconds when the person is suspended, at every replica', async () => {
    const ada = await ChatableUser.register(url);
    const person = await natively(ada.username);
    const sockets = [await ada.connect(), await ada.at(otherUrl).connect()];
    const begin = Date.now();
    await admin.patch(`/v1/users/${person.id}`, { suspended: true });
    expect(await Promise.all(sockets.map(({ closed }) => closed))).toEqual([1008, 1008]);
    expect(Date.now() - begin).toBeLessThan(2_000);
    for (const at of [url, otherUrl]) expect((await ada.at(at).get('inbox')).status).toBe(401);
    const form = { username: ada.username, password };
    const refused = await ask('POST', `${url}/api/auth_token`, { form });
    expect([refused.status, refused.body.error.message]).toEqual([401, 'Authentication error']);
  });

  it('ends with 1009 when a packet is too long, and nothing of it is stored', async () => {
    const [ada, bob] = [await ChatableUser.register(url), await ChatableUser.register(url)];
    const socket = await ada.connect();
    socket.say('', bob.username, 'x'.repeat(200_000));
    expect(await socket.closed).toBe(1009);
    expect(await bob.thread(ada.username)).toEqual([]);
  });
});

// Last, because everybody's sessions end with it.
describe('a token that is not refreshed', () => {
  it('ends after 30 days, and its sockets with it', async () => {
    const ada = await ChatableUser.register(url);
    const socket = await ada.connect();
    ahead += 30 * 86_400 - 5;
    expect((await ada.get('inbox')).status).toBe(200);
    ahead += 6;
    expect((await ada.get('inbox')).status).toBe(401);
    expect(await socket.closed).toBe(1008);
  });
});
