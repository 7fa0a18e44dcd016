import { errors } from '@verbatim/protocol';
import { TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { neverSeen, outcome } from '../../tests/harness/contract.testing.js';
import {
  because,
  freshName,
  openSocket,
  password,
  register,
  signIn,
  type TestPerson,
  unknownId,
  Visitor,
} from '../../tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

let service: TestService;
let visitor: Visitor;
let admin: TestPerson;
/** Seconds by which the service's clock is ahead. */
let ahead = 0;

beforeAll(async () => {
  service = await startTestService({ clock: () => new Date(Date.now() + ahead * 1_000) });
  visitor = new Visitor(service.url);
  admin = await signIn(service.url);
});
afterAll(() => service.stop());

const sessionOf = async (person: TestPerson) => outcome(await person.get('/v1/me'));
const refreshWith = (refreshToken: string) => visitor.post('/v1/auth/refresh', { refreshToken });

describe('registering', () => {
  it('makes an account and signs in at once', async () => {
    const username = freshName();
    const answer = await visitor.post('/v1/auth/register', {
      username: username.toUpperCase(),
      password,
      displayName: ' Zoe\u0308 ',
      email: 'zoe@example.org',
    });

    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      expiresIn: 600,
      user: {
        username,
        displayName: 'Zo\u00eb',
        role: 'user',
        suspended: false,
        status: 'active',
        email: 'zoe@example.org',
      },
    });
    const me = await visitor.get('/v1/me', { authorization: `Bearer ${answer.body.accessToken}` });
    expect(me.body).toEqual(answer.body.user);
  });

  it('takes the username for a display name, and no e-mail address, where none is given', async () => {
    const { username, id } = await register(service.url);
    const [found] = (await admin.get(`/v1/users?q=${username}`)).body.items;
    expect(found).toMatchObject({ id, username, displayName: username, email: null });
  });

  it('gives a name once, whatever its capital letters', async () => {
    const { username } = await register(service.url);
    for (const name of [username, username.toUpperCase()]) {
      expect(outcome(await visitor.post('/v1/auth/register', { username: name, password }))).toBe('name_taken');
    }
  });

  it('gives a name to one of two who race for it, 20 times', async () => {
    const race = async (username: string) => {
      const attempts = [username, username.toUpperCase()].map((name) =>
        visitor.post('/v1/auth/register', { username: name, password }),
      );
      expect((await Promise.all(attempts)).map(outcome).map(String).sort()).toEqual(['201', 'name_taken']);
      expect((await admin.all(`/v1/users?q=${username}`)).map((user) => user.username)).toEqual([username]);
    };
    await Promise.all(Array.from({ length: 20 }, () => race(`${freshName()}_race`)));
  });

  it.each([
    ['no username', { password }, 'body.username'],
    ['a short username', { username: 'ab', password }, 'body.username'],
    ['a long username', { username: 'a'.repeat(33), password }, 'body.username'],
    ['letters that names do not have', { username: 'grüße', password }, 'body.username'],
    ['no password', { username: 'somebody' }, 'body.password'],
    ['a short password', { username: 'somebody', password: '123456789' }, 'body.password'],
    ['a long password', { username: 'somebody', password: 'x'.repeat(257) }, 'body.password'],
    ['an empty display name', { username: 'somebody', password, displayName: '  ' }, 'body.displayName'],
    ['a long display name', { username: 'somebody', password, displayName: 'x'.repeat(81) }, 'body.displayName'],
    ['no e-mail address in its place', { username: 'somebody', password, email: 'nowhere' }, 'body.email'],
    ['an invitation that is no code', { username: 'somebody', password, invitation: 'x' }, 'body.invitation'],
    ['a list', [], 'body'],
  ])('refuses %s', async (_, body, path) => {
    const answer = await visitor.post('/v1/auth/register', body);
    expect(outcome(answer)).toBe('invalid_request');
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toEqual([path]);
  });

  it('refuses passwords that everybody tries first', async () => {
    const username = `${freshName()}_longer`;
    for (const chosen of [username.toUpperCase(), 'Password123', '1234567890'])
      expect(outcome(await visitor.post('/v1/auth/register', { username, password: chosen }))).toBe('invalid_request');
    expect(outcome(await visitor.post('/v1/auth/register', { username, password: '👍'.repeat(256) }))).toBe(201);
  });

  it.each(['closed', 'invite'])('is forbidden where registration is "%s"', async (REGISTRATION) => {
    const other = await startTestService({ beside: service, environment: { REGISTRATION } });
    try {
      const answer = await new Visitor(other.url).post('/v1/auth/register', { username: freshName(), password });
      expect(outcome(answer)).toBe('forbidden');
    } finally {
      await other.stop();
    }
  });
});

describe('signing in', () => {
  it('takes the username in any case', async () => {
    const { username, id } = await register(service.url);
    const answer = await visitor.post('/v1/auth/login', { username: username.toUpperCase(), password });
    expect(answer.status).toBe(200);
    expect(answer.body.user.id).toBe(id);
  });

  it('gives the same answer to a wrong name and a wrong password', async () => {
    const { username } = await register(service.url);
    const wrongPassword = await visitor.post('/v1/auth/login', { username, password: `${password}!` });
    const wrongName = await visitor.post('/v1/auth/login', { username: freshName(), password });

    expect(outcome(wrongPassword)).toBe('unauthenticated');
    expect({ ...wrongName.body, traceId: '' }).toEqual({ ...wrongPassword.body, traceId: '' });
    expect(wrongName.headers['www-authenticate']).toBe('Bearer');
  });

  it('asks for a code where there is a second factor', async () => {
    const ada = await register(service.url);
    const { secret } = (await ada.post('/v1/me/totp')).body;
    const code = () => new TOTP({ secret }).generate({ timestamp: Date.now() + ahead * 1_000 });
    const { recoveryCodes } = (await ada.post('/v1/me/totp/confirm', { code: code() })).body;
    const login = (more: object) => visitor.post('/v1/auth/login', { username: ada.username, password, ...more });
    expect(outcome(await login({}))).toBe('mfa_required');
    expect(outcome(await login({ code: code() }))).toBe('unauthenticated');
    expect(outcome(await login({ password: 'a wrong password' }))).toBe('unauthenticated');
    expect(outcome(await login({ code: recoveryCodes[0] }))).toBe(200);
    try {
      ahead = 60;
      expect(outcome(await login({ code: code() }))).toBe(200);
    } finally {
      ahead = 0;
    }
  });

  it('refuses what is no name and password at all', async () => {
    expect(outcome(await visitor.post('/v1/auth/login', { username: 'ada' }))).toBe('invalid_request');
    expect(outcome(await visitor.post('/v1/auth/login', { username: 7, password }))).toBe('invalid_request');
  });
});

describe('a credential', () => {
  it.each([
    ['none', {}],
    ['another scheme', { authorization: 'Basic YWRhOmFkYQ==' }],
    ['an invented token', { authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.' }],
    ['an empty token', { authorization: 'Bearer ' }],
  ])('is needed: %s is unauthenticated', async (_, headers) => {
    expect(outcome(await visitor.get('/v1/me', headers))).toBe('unauthenticated');
  });

  it('is good for ten minutes', async () => {
    const ada = await register(service.url);
    try {
      ahead = 590;
      expect(await sessionOf(ada)).toBe(200);
      ahead = 610;
      expect(await sessionOf(ada)).toBe('unauthenticated');
      const renewed = await refreshWith(ada.refreshToken);
      expect(renewed.status).toBe(200);
    } finally {
      ahead = 0;
    }
  });

  it('cannot be altered', async () => {
    const ada = await register(service.url);
    const bob = await register(service.url);
    const [head, , signature] = ada.accessToken.split('.');
    const body = bob.accessToken.split('.')[1];
    expect(outcome(await visitor.get('/v1/me', { authorization: `Bearer ${head}.${body}.${signature}` }))).toBe(
      'unauthenticated',
    );
  });
});

describe('renewing a session', () => {
  it('exchanges the refresh token for another', async () => {
    const ada = await register(service.url);
    const first = await refreshWith(ada.refreshToken);
    const second = await refreshWith(first.body.refreshToken);

    expect([first.status, second.status]).toEqual([200, 200]);
    expect(new Set([ada.refreshToken, first.body.refreshToken, second.body.refreshToken]).size).toBe(3);
    expect(first.body.user).toMatchObject({ id: ada.id, username: ada.username });
    expect(await sessionOf(ada)).toBe(200);
  });

  it('ends the whole session when a token is used a second time', async () => {
    const ada = await register(service.url);
    const elsewhere = await signIn(service.url, { username: ada.username, password });
    const [socket, otherSocket] = [await ada.connect(), await elsewhere.connect()];
    const ticket = await ada.ticket();
    const renewed = await refreshWith(ada.refreshToken);
    try {
      ahead = 11;
      expect(outcome(await refreshWith(ada.refreshToken))).toBe('unauthenticated');
    } finally {
      ahead = 0;
    }

    expect(await socket.closed).toBe(4003);
    expect(await sessionOf(ada)).toBe('unauthenticated');
    expect(outcome(await visitor.get('/v1/me', { authorization: `Bearer ${renewed.body.accessToken}` }))).toBe(
      'unauthenticated',
    );
    expect(outcome(await refreshWith(renewed.body.refreshToken))).toBe('unauthenticated');
    expect(await openSocket(service.url, { ticket }).closed).toBe(4001);
    expect(await sessionOf(elsewhere)).toBe(200);
    await otherSocket.settled();
    otherSocket.close();
  });

  it('outlives an answer that was lost: the same token gives the same successor, for 10 seconds', async () => {
    const ada = await register(service.url);
    try {
      const first = await refreshWith(ada.refreshToken);
      ahead = 9;
      const again = await refreshWith(ada.refreshToken);
      expect([first.status, again.status]).toEqual([200, 200]);
      expect(again.body.refreshToken).toBe(first.body.refreshToken);
      const { accessToken } = again.body;
      expect(outcome(await visitor.get('/v1/me', { authorization: `Bearer ${accessToken}` }))).toBe(200);
      expect(outcome(await refreshWith(first.body.refreshToken))).toBe(200);
    } finally {
      ahead = 0;
    }
  });

  it('does not outlive a token that is used again after its successor was', async () => {
    const ada = await register(service.url);
    const first = await refreshWith(ada.refreshToken);
    const second = await refreshWith(first.body.refreshToken);
    expect(outcome(await refreshWith(ada.refreshToken))).toBe('unauthenticated');
    expect(outcome(await refreshWith(second.body.refreshToken))).toBe('unauthenticated');
    expect(await sessionOf(ada)).toBe('unauthenticated');
  });

  it('gives many who use one token at the same time one successor', async () => {
    const ada = await register(service.url);
    const answers = await Promise.all(Array.from({ length: 8 }, () => refreshWith(ada.refreshToken)));
    expect(answers.map(outcome)).toEqual(Array(8).fill(200));
    expect(new Set(answers.map(({ body }) => body.refreshToken)).size).toBe(1);
  });

  it('refuses tokens that this service did not give out', async () => {
    expect(outcome(await refreshWith('invented'))).toBe('unauthenticated');
    expect(outcome(await refreshWith('with space'))).toBe('invalid_request');
    expect(outcome(await visitor.post('/v1/auth/refresh', {}))).toBe('invalid_request');
  });

  it('is possible for 30 days', async () => {
    const [ada, bob] = [await register(service.url), await register(service.url)];
    try {
      ahead = 29 * 86_400;
      expect(outcome(await refreshWith(ada.refreshToken))).toBe(200);
      ahead = 31 * 86_400;
      expect(outcome(await refreshWith(bob.refreshToken))).toBe('unauthenticated');
    } finally {
      ahead = 0;
    }
  });

  it('is possible for 90 days in all', async () => {
    let { refreshToken } = await register(service.url);
    try {
      for (ahead of [25, 50, 75, 89].map((days) => days * 86_400)) {
        const renewed = await refreshWith(refreshToken);
        expect(outcome(renewed)).toBe(200);
        refreshToken = renewed.body.refreshToken;
      }
      ahead = 91 * 86_400;
      expect(outcome(await refreshWith(refreshToken))).toBe('unauthenticated');
    } finally {
      ahead = 0;
    }
  });
});

describe('signing out', () => {
  it('ends this session and no other', async () => {
    const ada = await register(service.url);
    const elsewhere = await signIn(service.url, { username: ada.username, password });
    const socket = await ada.connect();

    expect((await ada.post('/v1/auth/logout')).status).toBe(204);

    expect(await socket.closed).toBe(4003);
    expect(await sessionOf(ada)).toBe('unauthenticated');
    expect(outcome(await ada.post('/v1/auth/logout'))).toBe('unauthenticated');
    expect(outcome(await refreshWith(ada.refreshToken))).toBe('unauthenticated');
    expect(await sessionOf(elsewhere)).toBe(200);
  });
});

describe('a ticket', () => {
  it('opens one socket', async () => {
    const ada = await register(service.url);
    const answer = await ada.post('/v1/auth/ticket');
    expect(answer.body).toMatchObject({ expiresIn: 30 });
    const { ticket } = answer.body;

    const socket = openSocket(service.url, { ticket });
    expect((await socket.next('hello')).data.user.id).toBe(ada.id);
    expect(await openSocket(service.url, { ticket }).closed).toBe(4001);
    await socket.settled();
    socket.close();
  });

  it('is good for 30 seconds', async () => {
    const ada = await register(service.url);
    const [early, late] = [await ada.ticket(), await ada.ticket()];
    try {
      ahead = 29;
      const socket = openSocket(service.url, { ticket: early });
      await socket.next('hello');
      socket.close();
      ahead = 31;
      expect(await openSocket(service.url, { ticket: late }).closed).toBe(4001);
    } finally {
      ahead = 0;
    }
  });

  it('is given to nobody without a session', async () => {
    expect(outcome(await visitor.post('/v1/auth/ticket'))).toBe('unauthenticated');
  });
});

describe('one’s own account', () => {
  it('can be given another display name, which others then see', async () => {
    const [ada, bob] = [await register(service.url), await register(service.url)];
    const room = await ada.roomWith([bob]);
    await ada.says(room, 'hello');

    const answer = await ada.patch('/v1/me', { displayName: 'Ada Lovelace' });

    expect(answer.body).toMatchObject({ id: ada.id, username: ada.username, displayName: 'Ada Lovelace' });
    expect((await ada.get('/v1/me')).body).toEqual(answer.body);
    expect((await bob.get(`/v1/users?q=lovelace`)).body.items).toMatchObject([{ id: ada.id }]);
    const [message] = (await bob.get(`/v1/rooms/${room}/messages`)).body.items;
    expect(message.author).toEqual({ id: ada.id, username: ada.username, displayName: 'Ada Lovelace' });
  });

  it('cannot be changed otherwise by oneself', async () => {
    const ada = await register(service.url);
    for (const body of [{}, { role: 'admin' }, { displayName: '' }, { displayName: null }]) {
      expect(outcome(await ada.patch('/v1/me', body))).toBe('invalid_request');
    }
    expect(outcome(await ada.patch(`/v1/users/${ada.id}`, { role: 'admin' }))).toBe('forbidden');
    expect((await ada.get('/v1/me')).body.role).toBe('user');
  });
});

describe('giving up an account', () => {
  it('ends its use, and keeps its name and what was written', async () => {
    const [ada, bob] = [await register(service.url), await register(service.url)];
    const room = await ada.roomWith([bob]);
    await ada.says(room, 'goodbye');
    const socket = await ada.connect();
    const giveUp = (body: object) => ada.post('/v1/me/deactivate', body);
    expect(outcome(await giveUp({}))).toBe('invalid_request');
    expect(outcome(await giveUp({ password: 'a wrong password' }))).toBe('forbidden');
    expect(outcome(await giveUp({ code: '123456' }))).toBe('forbidden');
    expect(outcome(await giveUp({ password }))).toBe(204);

    expect(await socket.closed).toBe(4003);
    expect(await sessionOf(ada)).toBe('unauthenticated');
    expect(outcome(await refreshWith(ada.refreshToken))).toBe('unauthenticated');
    const login = (given: string) => visitor.post('/v1/auth/login', { username: ada.username, password: given });
    expect(outcome(await login(password))).toBe('forbidden');
    expect(outcome(await login('a wrong password'))).toBe('unauthenticated');
    const again = await visitor.post('/v1/auth/register', { username: ada.username, password });
    expect(outcome(again)).toBe('name_taken');
    const [found] = (await bob.get(`/v1/users?q=${ada.username}`)).body.items;
    expect(found).toMatchObject({ status: 'deactivated', suspended: false });
    expect((await bob.get(`/v1/rooms/${room}/messages?limit=1`)).body.items[0].author.id).toBe(ada.id);

    const back = await admin.patch(`/v1/users/${ada.id}`, { deactivated: false });
    expect(back.body.status).toBe('active');
    expect(await sessionOf(ada)).toBe('unauthenticated');
    expect(outcome(await login(password))).toBe(200);
  });

  it('can be done by an administrator, beside a suspension', async () => {
    const ada = await register(service.url);
    const change = async (body: object) => (await admin.patch(`/v1/users/${ada.id}`, body)).body;
    expect(await change({ deactivated: true })).toMatchObject({ status: 'deactivated', suspended: false });
    expect(await sessionOf(ada)).toBe('unauthenticated');
    expect(await change({ suspended: true })).toMatchObject({ status: 'deactivated', suspended: true });
    expect(await change({ deactivated: false })).toMatchObject({ status: 'suspended', suspended: true });
    expect(await change({ suspended: false })).toMatchObject({ status: 'active', suspended: false });
  });

  it('is not for the last administrator', async () => {
    const answer = await admin.post('/v1/me/deactivate', { password: administrator.password });
    expect(outcome(answer)).toBe('conflict');
    expect(await sessionOf(admin)).toBe(200);
  });
});

describe('finding people', () => {
  it('goes by part of a username or display name, whatever the case', async () => {
    const ada = await register(service.url);
    const prefix = freshName();
    const bob = await register(service.url, `${prefix}_bob`);
    const cem = await register(service.url, `${prefix}_cem`);
    await cem.patch('/v1/me', { displayName: 'Ömer ÇELİK_%' });
    const find = async (q: string) =>
      (await ada.all(`/v1/users?q=${encodeURIComponent(q)}`)).map((user: { id: string }) => user.id);

    expect(await find(prefix.toUpperCase())).toEqual([bob.id, cem.id]);
    expect(await find('öMER')).toEqual([cem.id]);
    expect(await find('o\u0308mer')).toEqual([cem.id]);
    expect(await find('_%')).toEqual([cem.id]);
    expect(await find('nobody is called that')).toEqual([]);
  });

  it('finds people by other spellings of their names', async () => {
    const word = freshName();
    const person = await register(service.url);
    await person.patch('/v1/me', { displayName: `Łukasz O’Brien ${word}` });
    const find = async (q: string) =>
      (await person.all(`/v1/users?${new URLSearchParams({ q })}`)).map((user: { id: string }) => user.id);
    for (const q of [`${word} lukasz`, `OBrien  ${word}`, `o'brien ŁUKASZ ${word}`, `${word.toUpperCase()}`])
      expect(await find(q)).toEqual([person.id]);
    expect(await find(`${word} ludwig`)).toEqual([]);
  });

  it('finds people by e-mail address for administrators only', async () => {
    const [local, word] = [freshName(), freshName()];
    const body = { username: word, password, email: `${local}@Example.org` };
    const { accessToken } = (await visitor.post('/v1/auth/register', body)).body;
    const auditor = await register(service.url);
    await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
    const bob = await register(service.url);
    const queries = [`${local}@example.ORG`, `${local}@exa`, local.toUpperCase(), `${word} ${local}@example.org`];
    for (const q of queries) {
      const path = `/v1/users?${new URLSearchParams({ q })}`;
      expect((await admin.get(path)).body.items).toMatchObject([{ username: word }]);
      for (const person of [auditor, bob]) expect((await person.get(path)).body.items).toEqual([]);
      expect((await visitor.get(path, { authorization: `Bearer ${accessToken}` })).body.items).toEqual([]);
      const file = `/v1/users/export?${new URLSearchParams({ q })}`;
      expect((await admin.get(file)).text).toContain(word);
      expect((await auditor.get(file)).text).not.toContain(word);
    }
  });

  it('shows e-mail addresses only to the person and to administrators', async () => {
    const username = freshName();
    const body = { username, password, email: 'dora@example.org' };
    const { accessToken } = (await visitor.post('/v1/auth/register', body)).body;
    const bob = await register(service.url);
    const path = `/v1/users?q=${username}`;

    expect((await bob.get(path)).text).not.toContain('example.org');
    expect((await bob.get(path)).body.items[0]).not.toHaveProperty('email');
    expect((await visitor.get(path, { authorization: `Bearer ${accessToken}` })).body.items[0].email).toBe(body.email);
    expect((await admin.get(path)).body.items[0].email).toBe(body.email);
  });

  it('lists everybody once, page by page, in order', async () => {
    const ada = await register(service.url);
    const users = await ada.all('/v1/users', 3);
    const names = users.map((user: { username: string }) => user.username);
    expect(names).toEqual([...new Set(names)].sort());
    expect(names).toEqual((await ada.all('/v1/users')).map((user: { username: string }) => user.username));
    expect(names).toContain(ada.username);
  });

  it('narrows and orders the list', async () => {
    const prefix = freshName();
    const ada = await register(service.url, `${prefix}_b`);
    const bob = await register(service.url, `${prefix}_a`);
    await admin.patch(`/v1/users/${bob.id}`, { suspended: true });
    await admin.patch(`/v1/users/${ada.id}`, { role: 'auditor' });
    const find = async (query: string) =>
      (await admin.all(`/v1/users?q=${prefix}&${query}`)).map((user: { id: string }) => user.id);

    expect(await find('status=suspended')).toEqual([bob.id]);
    expect(await find('status=active')).toEqual([ada.id]);
    expect(await find('role=auditor')).toEqual([ada.id]);
    expect(await find('role=admin')).toEqual([]);
    expect(await find('sort=createdAt')).toEqual([ada.id, bob.id]);
    expect(await find('sort=username&order=desc')).toEqual([ada.id, bob.id]);
  });

  it('finds a person by id', async () => {
    const [ada, bob] = [await register(service.url), await register(service.url)];
    expect((await bob.get(`/v1/users/${ada.id}`)).body).toMatchObject({ id: ada.id, username: ada.username });
    expect((await bob.get(`/v1/users/${ada.id}`)).body).not.toHaveProperty('email');
    expect((await admin.get(`/v1/users/${ada.id}`)).body).toHaveProperty('email');
    expect(outcome(await bob.get(`/v1/users/${unknownId()}`))).toBe('not_found');
    expect(outcome(await visitor.get(`/v1/users/${ada.id}`))).toBe('unauthenticated');
  });

  it.each([
    'limit=0',
    'limit=201',
    'limit=x',
    'role=king',
    'status=x',
    'sort=email',
    'order=up',
    'limit=1e1',
    'cursor=invented',
    'cursor=WyJ4Il0',
    'q=%00',
  ])('refuses %s', async (query) => {
    expect(outcome(await admin.get(`/v1/users?${query}`))).toBe('invalid_request');
  });
});

describe('administering people', () => {
  it('gives and takes the role of administrator, at once', async () => {
    const ada = await register(service.url);
    const hidden = await admin.room({ visibility: 'hidden' });
    expect(outcome(await ada.get(`/v1/rooms/${hidden}`))).toBe('not_found');

    expect((await admin.patch(`/v1/users/${ada.id}`, { role: 'admin' })).body.role).toBe('admin');
    expect(outcome(await ada.get(`/v1/rooms/${hidden}`))).toBe(200);
    expect((await ada.get('/v1/me')).body.role).toBe('admin');

    expect((await admin.patch(`/v1/users/${ada.id}`, { role: 'user' })).body.role).toBe('user');
    expect(outcome(await ada.get(`/v1/rooms/${hidden}`))).toBe('not_found');
    expect(outcome(await ada.patch(`/v1/users/${admin.id}`, { suspended: true }))).toBe('forbidden');
  });

  it('suspends a person at once and for as long as wanted', async () => {
    const ada = await register(service.url);
    const ticket = await ada.ticket();
    const socket = await ada.connect();

    const suspended = await admin.patch(`/v1/users/${ada.id}`, { suspended: true });

    expect(suspended.body.suspended).toBe(true);
    expect(await socket.closed).toBe(4003);
    expect(await sessionOf(ada)).toBe('unauthenticated');
    expect(outcome(await refreshWith(ada.refreshToken))).toBe('unauthenticated');
    expect(await openSocket(service.url, { ticket }).closed).toBe(4001);
    const login = (given: string) => visitor.post('/v1/auth/login', { username: ada.username, password: given });
    expect(outcome(await login(password))).toBe('forbidden');
    expect(outcome(await login('a wrong password'))).toBe('unauthenticated');

    expect((await admin.patch(`/v1/users/${ada.id}`, { suspended: false })).body.suspended).toBe(false);
    expect(outcome(await login(password))).toBe(200);
  });

  it('ends the sessions of a suspended person for good', async () => {
    const ada = await register(service.url);
    const spare = await signIn(service.url, { username: ada.username, password });
    await admin.patch(`/v1/users/${ada.id}`, { suspended: true });
    await admin.patch(`/v1/users/${ada.id}`, { suspended: false });

    expect(await sessionOf(ada)).toBe('unauthenticated');
    expect(outcome(await refreshWith(ada.refreshToken))).toBe('unauthenticated');
    expect(outcome(await refreshWith(spare.refreshToken))).toBe('unauthenticated');
  });

  it('listens to no frame of a suspended person, even when the socket ignores the close frame', async () => {
    const ada = await register(service.url);
    const room = await ada.room();
    const socket = await ada.connect();
    // What is paused does not see the closing, and so does not answer it.
    socket.socket.pause();
    await admin.patch(`/v1/users/${ada.id}`, { suspended: true });

    socket.send('post', { room, text: 'still here' });
    await new Promise((resolve) => socket.socket.ping('', true, resolve));
    socket.socket.resume();

    expect(await socket.closed).toBe(4003);
    await admin.patch(`/v1/rooms/${room}`, { topic: 'decided after all that came before' });
    const events = await admin.all(`/v1/rooms/${room}/events`, 200, because());
    const types = events.map(({ type }) => type);
    expect(types).toEqual(['RoomCreated', 'MemberJoined', 'RoomChanged', 'RoomInspected']);
  });

  it('renames people', async () => {
    const ada = await register(service.url);
    expect((await admin.patch(`/v1/users/${ada.id}`, { displayName: 'Countess' })).body.displayName).toBe('Countess');
    expect((await ada.get('/v1/me')).body.displayName).toBe('Countess');
  });

  it('does not let administrators shut themselves out', async () => {
    for (const body of [{ suspended: true }, { deactivated: true }, { role: 'user' }]) {
      expect(outcome(await admin.patch(`/v1/users/${admin.id}`, body))).toBe('conflict');
    }
    expect(await sessionOf(admin)).toBe(200);
  });

  it('refuses what it cannot do', async () => {
    expect(outcome(await admin.patch(`/v1/users/${unknownId()}`, { suspended: true }))).toBe('not_found');
    expect(outcome(await admin.patch('/v1/users/me', { suspended: true }))).toBe('invalid_request');
    for (const body of [{}, { role: 'owner' }, { suspended: 'yes' }, { password }]) {
      expect(outcome(await admin.patch(`/v1/users/${admin.id}`, body))).toBe('invalid_request');
    }
  });

  it('is for administrators', async () => {
    const ada = await register(service.url);
    expect(outcome(await ada.patch(`/v1/users/${admin.id}`, { displayName: 'x' }))).toBe('forbidden');
    expect(outcome(await visitor.patch(`/v1/users/${admin.id}`, { displayName: 'x' }))).toBe('unauthenticated');
  });
});

describe('the first administrator', () => {
  it('has the name and password that the environment gave at the first start, and only then', async () => {
    expect((await admin.get('/v1/me')).body).toMatchObject({ username: administrator.username, role: 'admin' });
    const later = await startTestService({
      beside: service,
      environment: { ADMIN_USERNAME: 'root', ADMIN_PASSWORD: 'another password' },
    });
    try {
      const login = (username: string, given: string) =>
        new Visitor(later.url).post('/v1/auth/login', { username, password: given });
      expect(outcome(await login(administrator.username, administrator.password))).toBe(200);
      expect(outcome(await login(administrator.username, 'another password'))).toBe('unauthenticated');
      expect(outcome(await login('root', 'another password'))).toBe('unauthenticated');
    } finally {
      await later.stop();
    }
  });

  it.each(['Password123', 'ADMINISTRATOR', 'root-of-all'])(
    'does not come to be with the password %s that everybody tries, and the error names the setting',
    async (ADMIN_PASSWORD) => {
      const environment = { ADMIN_USERNAME: 'root-of-all', ADMIN_PASSWORD };
      await expect(startTestService({ environment })).rejects.toThrow(/ADMIN_PASSWORD (must not|is one)/);
      // A service that is there already does not read it any more.
      const later = await startTestService({ beside: service, environment });
      await later.stop();
    },
  );

  it('keeps their name', async () => {
    const body = { username: administrator.username, password };
    expect(outcome(await visitor.post('/v1/auth/register', body))).toBe('name_taken');
  });
});

describe('an account that an administrator makes for somebody', () => {
  it('has the password that the person chooses with the token of the answer', async () => {
    const username = freshName();
    const wish = { username, displayName: 'Grace Hopper', email: 'grace@example.org' };
    const { status, body } = await admin.post('/v1/users', wish);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      user: { ...wish, role: 'user', status: 'active' },
      passwordReset: { expiresIn: 86_400 },
    });
    expect(outcome(await visitor.post('/v1/auth/login', { username, password }))).toBe('unauthenticated');

    const { token } = body.passwordReset;
    expect(outcome(await visitor.post('/v1/auth/reset', { token, newPassword: password }))).toBe(204);
    expect((await signIn(service.url, { username, password })).id).toBe(body.user.id);
    const [made, issued] = await admin.all(`/v1/users/${body.user.id}/events`);
    expect(made).toMatchObject({ type: 'UserRegistered', actor: { id: admin.id }, data: { origin: 'admin' } });
    expect(issued).toMatchObject({ type: 'PasswordResetIssued', actor: { id: admin.id } });
  });

  it('is refused where the name is taken, and to all but administrators', async () => {
    const ada = await register(service.url);
    expect(outcome(await admin.post('/v1/users', { username: ada.username }))).toBe('name_taken');
    expect(outcome(await ada.post('/v1/users', { username: freshName() }))).toBe('forbidden');
    expect(outcome(await visitor.post('/v1/users', { username: freshName() }))).toBe('unauthenticated');
  });

  it('has more rights only if the administrator has lately proved who they are', async () => {
    const boss = await register(service.url);
    await admin.patch(`/v1/users/${boss.id}`, { role: 'admin' });
    const eye = () => ({ username: freshName(), role: 'auditor' });
    expect(outcome(await boss.post('/v1/users', eye()))).toBe(201);
    try {
      ahead = 16 * 60;
      const { accessToken } = (await refreshWith(boss.refreshToken)).body;
      const later = { authorization: `Bearer ${accessToken}` };
      expect(outcome(await visitor.post('/v1/users', eye(), later))).toBe('mfa_required');
      expect(outcome(await visitor.post('/v1/users', { username: freshName() }, later))).toBe(201);
    } finally {
      ahead = 0;
    }
  });
});

describe('preferences', () => {
  it('are kept for each person, over sessions and restarts, and shown to nobody else', async () => {
    const [ada, bob] = [await register(service.url), await register(service.url)];
    expect((await ada.get('/v1/me/preferences')).body).toEqual({ preferences: '' });
    for (const preferences of ['{"columns":["a"]}', '{"columns":["b"]}'])
      expect(outcome(await ada.put('/v1/me/preferences', { preferences }))).toBe(204);
    const again = await signIn(service.url, { username: ada.username, password });
    expect((await again.get('/v1/me/preferences')).body).toEqual({ preferences: '{"columns":["b"]}' });
    expect((await bob.get('/v1/me/preferences')).body).toEqual({ preferences: '' });
  });

  it('have an end, and need a session', async () => {
    const ada = await register(service.url);
    expect(outcome(await ada.put('/v1/me/preferences', { preferences: 'x'.repeat(16_384) }))).toBe(204);
    expect(outcome(await ada.put('/v1/me/preferences', { preferences: 'x'.repeat(16_385) }))).toBe('invalid_request');
    expect(outcome(await visitor.get('/v1/me/preferences'))).toBe('unauthenticated');
    expect(outcome(await visitor.put('/v1/me/preferences', { preferences: '' }))).toBe('unauthenticated');
  });
});

describe('those who watch over all accounts', () => {
  let eye: TestPerson;
  let prefix: string;
  let names: string[];
  beforeAll(async () => {
    const { id, username } = await register(service.url);
    await admin.patch(`/v1/users/${id}`, { role: 'auditor' });
    eye = await signIn(service.url, { username, password });
    prefix = freshName();
    names = ['a', 'b', 'c'].map((letter) => `${prefix}_${letter}`);
    for (const name of names) await register(service.url, name);
    await admin.post('/v1/bots', { username: `${prefix}_robby` });
    await admin.post('/v1/users', { username: `${prefix}_never`, displayName: '=cmd()', email: 'never@example.org' });
  });

  it('find people by how they sign in, which others may neither see nor look for', async () => {
    const found = async (query: string) =>
      (await eye.all(`/v1/users?q=${prefix}&${query}`)).map(({ username }) => username.slice(prefix.length + 1));
    expect(await found('bot=true')).toEqual(['robby']);
    expect(await found('bot=false&signedInBefore=2020-01-01T00:00:00Z')).toEqual(['never']);
    expect(await found('signedInFrom=2020-01-01T00:00:00Z&secondFactor=false')).toEqual(['a', 'b', 'c']);
    expect(await found('secondFactor=true')).toEqual([]);
    expect(await found('createdBefore=2020-01-01T00:00:00Z')).toEqual([]);

    const [row] = (await eye.get(`/v1/users?q=${names[0]}`)).body.items;
    expect(row).toMatchObject({ secondFactor: false, signedInAt: expect.any(String) });
    const ada = await register(service.url);
    const [seen] = (await ada.get(`/v1/users?q=${names[0]}`)).body.items;
    expect(Object.keys(seen)).not.toContain('signedInAt');
    expect(outcome(await ada.get('/v1/users?secondFactor=false'))).toBe('forbidden');
    expect(outcome(await ada.get('/v1/users?bot=true'))).toBe(200);
  });

  it('see how many messages somebody has posted, which others do not', async () => {
    const ada = await register(service.url);
    const room = await ada.room();
    for (const text of ['one', 'two']) await ada.says(room, text);
    const path = `/v1/users/${ada.id}`;
    expect((await eye.get(path)).body.messages).toBe(2);
    expect((await eye.get(`/v1/users/${eye.id}`)).body.messages).toBe(0);
    expect(Object.keys((await ada.get(path)).body)).not.toContain('messages');
  });

  it('get people as a file, without addresses and with nothing that a spreadsheet computes', async () => {
    const file = await eye.get(`/v1/users/export?q=${prefix}`, { accept: 'text/csv' });
    expect(file.headers['content-disposition']).toBe('attachment; filename="people.csv"');
    const lines = file.text.trimEnd().split('\r\n');
    expect(lines.slice(1).map((line) => line.split(',')[1])).toEqual([...names, `${prefix}_robby`, `${prefix}_never`]);
    expect(lines.at(-1)).toContain(",'=cmd(),");
    expect(file.text).not.toContain('@');
    expect((await admin.get(`/v1/users/export?q=${prefix}`)).text).toContain('never@example.org');
    const ada = await register(service.url);
    expect(outcome(await ada.get('/v1/users/export'))).toBe('forbidden');
    expect(outcome(await visitor.get('/v1/users/export'))).toBe('unauthenticated');
  });

  it('see in which rooms somebody is', async () => {
    const ada = await register(service.url);
    const [first, second] = [await ada.room({ visibility: 'hidden' }), await ada.room()];
    await ada.says(first, 'the newest message');
    const { items } = (await eye.get(`/v1/users/${ada.id}/rooms?limit=1`)).body;
    expect(items).toMatchObject([{ room: { id: first, messageCount: 1 }, role: 'owner' }]);
    expect((await eye.all(`/v1/users/${ada.id}/rooms`, 1)).map(({ room }) => room.id)).toEqual([first, second]);
    expect(outcome(await eye.get(`/v1/users/${unknownId()}/rooms`))).toBe('not_found');
    expect(outcome(await ada.get(`/v1/users/${ada.id}/rooms`))).toBe('forbidden');
    expect(outcome(await visitor.get(`/v1/users/${ada.id}/rooms`))).toBe('unauthenticated');
  });
});

describe('a restart', () => {
  it('keeps accounts, sessions, revocations and suspensions', async () => {
    const [ada, bob, cem] = [await register(service.url), await register(service.url), await register(service.url)];
    await ada.patch('/v1/me', { displayName: 'Ada Lovelace' });
    await bob.post('/v1/auth/logout');
    await admin.patch(`/v1/users/${cem.id}`, { suspended: true });

    await service.restart();
    visitor = new Visitor(service.url);
    admin = admin.at(service.url);

    expect((await ada.at(service.url).get('/v1/me')).body).toMatchObject({ id: ada.id, displayName: 'Ada Lovelace' });
    expect((await refreshWith(ada.refreshToken)).status).toBe(200);
    expect(await sessionOf(bob.at(service.url))).toBe('unauthenticated');
    expect(await sessionOf(cem.at(service.url))).toBe('unauthenticated');
    const again = await visitor.post('/v1/auth/login', { username: cem.username, password });
    expect(outcome(again)).toBe('forbidden');
    expect(outcome(await visitor.post('/v1/auth/register', { username: ada.username, password }))).toBe('name_taken');
  });
});

describe('the calls of accounts', () => {
  it('need a credential, except those that give one', async () => {
    expect(outcome(await visitor.patch('/v1/me', { displayName: 'x' }))).toBe('unauthenticated');
    expect(outcome(await visitor.get('/v1/users'))).toBe('unauthenticated');
    expect(outcome(await visitor.post('/v1/me/deactivate', { password }))).toBe('unauthenticated');
    expect(errors.unauthenticated.status).toBe(401);
  });

  it('have all been seen with each of their answers', () => {
    expect(neverSeen('Accounts')).toEqual([]);
  });
});
