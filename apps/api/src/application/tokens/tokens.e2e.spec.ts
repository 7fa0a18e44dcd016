import { type Call, callList, clientEvents, type Scope, scopeOfFrame, scopes } from '@verbatim/protocol';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { neverSeen, outcome } from '../../tests/harness/contract.testing.js';
import {
  eventually,
  freshName,
  openSocket,
  password,
  register,
  signIn,
  TestPerson,
  unknownId,
  Visitor,
} from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

let left: TestService;
let right: TestService;
let admin: TestPerson;
let ada: TestPerson;
/** Seconds by which the clocks of both are ahead. */
let ahead = 0;

beforeAll(async () => {
  const clock = () => new Date(Date.now() + ahead * 1_000);
  left = await startTestService({ clock });
  right = await startTestService({ beside: left, clock });
  admin = await signIn(left.url);
  ada = await register(left.url);
});
afterAll(async () => {
  await right.stop();
  await left.stop();
});

const DAY = 86_400;
const wish = (named: readonly Scope[] = scopes, more: object = {}) => ({
  name: 'build server',
  scopes: named,
  ...more,
});

/** The same person with a personal token in place of the session. */
const withToken = (person: TestPerson, token: string, url = person.url) =>
  new TestPerson(url, person.id, person.username, token, '');

async function tokenOf(person: TestPerson, named?: readonly Scope[], more?: object) {
  const { status, body } = await person.post('/v1/me/tokens', wish(named, more));
  expect(status).toBe(201);
  return body as { id: string; token: string; expiresAt: string };
}

async function bot(by = admin): Promise<TestPerson> {
  const { body } = await by.post('/v1/bots', { username: freshName(), displayName: 'Robby' });
  return new TestPerson(left.url, body.id, body.username, '', '');
}

const opened = (url: string, token: string) => openSocket(url, { headers: { authorization: `Bearer ${token}` } });

/** Milliseconds in which what was decided must have taken effect everywhere. */
const AT_ONCE = 1_000;
const within = async (what: Promise<unknown>) => {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error('it took too long')), AT_ONCE));
  return Promise.race([what, late]);
};

describe('a personal token', () => {
  it('is shown once, listed without itself, and kept as a hash only', async () => {
    const { id, token } = await tokenOf(ada, ['read'], { expiresInDays: 7 });
    expect(token).toMatch(/^vbt_[A-Za-z0-9_-]{49}$/);
    const listed = await ada.get('/v1/me/tokens');
    const mine = listed.body.items.find((item: { id: string }) => item.id === id);
    expect(mine).toMatchObject({ name: 'build server', scopes: ['read'], lastUsedAt: null });
    const days = (Date.parse(mine.expiresAt) - Date.parse(mine.createdAt)) / 1_000 / DAY;
    expect(days).toBeCloseTo(7, 3);
    const random = token.slice(4, 40);
    expect(listed.text).not.toContain(random);
    expect(await everythingStored()).not.toContain(random);
  });

  it('opens every door at every replica, at once', async () => {
    const room = await ada.room();
    for (const url of [left.url, right.url, left.url]) {
      const { token } = await tokenOf(ada);
      const program = withToken(ada, token, url);
      expect((await program.get('/v1/me')).body.id).toBe(ada.id);
      await program.says(room, 'from a program');
      const socket = opened(url, token);
      const { data } = await socket.next('hello');
      expect(data.user.id).toBe(ada.id);
      expect((await socket.ask('post', { room, text: 'over a socket' })).event).toBe('ack');
      socket.close();
      const browser = await program.connect();
      expect((await browser.ask('follow', { room })).event).toBe('following');
      browser.close();
    }
  });

  it('tells when it was last used', async () => {
    const { id, token } = await tokenOf(ada);
    await withToken(ada, token).get('/v1/me');
    const lastUsed = async () =>
      (await ada.get('/v1/me/tokens')).body.items.find((item: { id: string }) => item.id === id).lastUsedAt;
    const first = await eventually(lastUsed, (at) => at !== null);
    await withToken(ada, token, right.url).get('/v1/me');
    await withToken(ada, token).get('/v1/me');
    // Within the minute it is not written again; after it, it is.
    ahead += 90;
    await withToken(ada, token).get('/v1/me');
    const second = await eventually(lastUsed, (at) => at !== first);
    expect(Date.parse(second) - Date.parse(first)).toBeGreaterThanOrEqual(90_000 - 1_000);
  });

  it.each([
    ['made up', `vbt_${'A'.repeat(49)}`],
    ['cut', 'vbt_'],
    ['a lookalike', 'vbt_hello'],
  ])('that is %s opens nothing', async (_, token) => {
    expect(outcome(await withToken(ada, token).get('/v1/me'))).toBe('unauthenticated');
    expect(await opened(left.url, token).closed).toBe(4001);
  });

  it('is refused when it would never expire, has no scope, or is one too many', async () => {
    const cem = await register(left.url);
    const refused = async (body: object) => outcome(await cem.post('/v1/me/tokens', body));
    expect(await refused(wish([]))).toBe('invalid_request');
    expect(await refused(wish(['read', 'read']))).toBe('invalid_request');
    expect(await refused(wish(scopes, { expiresInDays: null }))).toBe('invalid_request');
    expect(await refused(wish(scopes, { expiresInDays: 366 }))).toBe('invalid_request');
    expect(await refused(wish(scopes, { scopes: ['admin'] }))).toBe('invalid_request');
    for (let i = 0; i < 50; i++) await tokenOf(cem);
    expect(await refused(wish())).toBe('conflict');
    expect((await cem.get('/v1/me/tokens')).body.items).toHaveLength(50);
  });
});

describe('scopes', () => {
  const path = ({ path }: Call) => path.replace('{userId}', unknownId()).replaceAll(/\{\w+\}/g, unknownId());
  const verb = ({ method }: Call) => method.toLowerCase() as 'get';
  const guarded = callList.filter(([, { auth }]) => auth !== 'none');

  it.each(guarded)('%s is refused without its scope', async (_, call) => {
    const { scope } = call;
    const others = scopes.filter((one) => one !== scope);
    const token = await admin.post('/v1/me/tokens', wish(others));
    const answer = await withToken(admin, token.body.token).send(verb(call), path(call), {});
    expect(outcome(answer)).toBe('forbidden');
    expect(answer.body.detail).toContain(scope === 'session' ? 'signed in' : `the scope ${scope}`);
    await admin.delete(`/v1/me/tokens/${token.body.id}`);
  });

  it('hold on sockets for each frame', async () => {
    const room = await ada.room();
    for (const scope of scopes) {
      const { token } = await tokenOf(ada, [scope]);
      const socket = opened(left.url, token);
      await socket.next('hello');
      for (const event of clientEvents) {
        const data = { room, messageId: unknownId(), text: 'a', emoji: '👍', revision: 0 };
        const ref = socket.send(event, data);
        socket.send('ping');
        const answer = await socket.when(
          () => socket.frames.find((frame) => frame.ref === ref) ?? (event === 'typing' && socket.frames.at(-1)),
        );
        const lacking = answer.data.detail === `The personal token lacks the scope ${scopeOfFrame[event]}.`;
        expect([event, lacking]).toEqual([event, scopeOfFrame[event] !== scope]);
        if (lacking) expect(answer.data.code).toBe('forbidden');
      }
      socket.close();
    }
  });

  it('go along with a ticket', async () => {
    const room = await ada.room();
    const { id, token } = await tokenOf(ada, ['read']);
    const program = withToken(ada, token);
    const socket = await program.connect();
    expect(await socket.refused('post', { room, text: 'a' })).toBe('forbidden');
    const ticket = await program.ticket();
    await ada.delete(`/v1/me/tokens/${id}`);
    expect(await socket.closed).toBe(4003);
    expect(await openSocket(right.url, { ticket }).closed).toBe(4001);
  });
});

describe('an ended token', () => {
  /** Sockets at both replicas that were opened with a token, and the token's programs there. */
  async function inUse(person: TestPerson, token: string) {
    const programs = [left.url, right.url].map((url) => withToken(person, token, url));
    for (const program of programs) expect(outcome(await program.get('/v1/me'))).toBe(200);
    const sockets = await Promise.all(programs.map(async (program) => program.connect()));
    return { programs, sockets };
  }
  const ended = async ({ programs, sockets }: Awaited<ReturnType<typeof inUse>>) => {
    expect(await within(Promise.all(sockets.map(({ closed }) => closed)))).toEqual([4003, 4003]);
    for (const program of programs) expect(outcome(await program.get('/v1/me'))).toBe('unauthenticated');
  };

  it('is nothing anywhere within a second, when its owner revokes it', async () => {
    const { id, token } = await tokenOf(ada);
    const other = await inUse(ada, (await tokenOf(ada)).token);
    const used = await inUse(ada, token);
    expect(outcome(await ada.delete(`/v1/me/tokens/${id}`))).toBe(204);
    await ended(used);
    expect(outcome(await ada.delete(`/v1/me/tokens/${id}`))).toBe('not_found');
    for (const program of other.programs) expect(outcome(await program.get('/v1/me'))).toBe(200);
    for (const socket of other.sockets) await socket.settled();
  });

  it('nor what was created with it, even if an interruption left that behind', async () => {
    const [parent, child] = [await tokenOf(ada), await tokenOf(ada)];
    expect(outcome(await ada.delete(`/v1/me/tokens/${parent.id}`))).toBe(204);
    // As after a crash between the end of the first and that of the second.
    const sql = postgres(left.databaseUrl, { max: 1 });
    await sql`update vault.personal_tokens set parent_id = ${parent.id} where id = ${child.id}`;
    await sql.end();
    const used = await inUse(ada, child.token);
    const bob = await register(left.url);
    expect(outcome(await bob.delete(`/v1/me/tokens/${parent.id}`))).toBe('not_found');
    expect(outcome(await ada.delete(`/v1/me/tokens/${parent.id}`))).toBe(204);
    await ended(used);
    expect(outcome(await ada.delete(`/v1/me/tokens/${parent.id}`))).toBe('not_found');
  });

  it('nor when an administrator revokes it', async () => {
    const { id, token } = await tokenOf(ada);
    const used = await inUse(ada, token);
    const tokens = `/v1/users/${ada.id}/tokens`;
    expect((await admin.get(tokens)).body.items.map((item: { id: string }) => item.id)).toContain(id);
    expect(outcome(await admin.at(right.url).delete(`${tokens}/${id}`))).toBe(204);
    await ended(used);
    expect(outcome(await admin.delete(`${tokens}/${id}`))).toBe('not_found');
  });

  it('nor when the person is suspended, for good', async () => {
    const cem = await register(left.url);
    const used = await inUse(cem, (await tokenOf(cem)).token);
    await admin.patch(`/v1/users/${cem.id}`, { suspended: true });
    await ended(used);
    await admin.patch(`/v1/users/${cem.id}`, { suspended: false });
    for (const program of used.programs) expect(outcome(await program.get('/v1/me'))).toBe('unauthenticated');
    expect((await admin.get(`/v1/users/${cem.id}/tokens`)).body.items).toEqual([]);
  });

  it('nor when it expires', async () => {
    const { token } = await tokenOf(ada, scopes, { expiresInDays: 1 });
    const used = await inUse(ada, token);
    ahead += DAY + 1;
    await ended(used);
    ada = await signIn(left.url, { username: ada.username, password });
    admin = await signIn(left.url);
  });

  it('not even where the feed is late', async () => {
    const { id, token } = await tokenOf(ada);
    const used = await inUse(ada, token);
    // Gone from the vault without a word from the feed, as for a replica that lags.
    const sql = postgres(left.databaseUrl, { max: 1 });
    await sql`delete from vault.personal_tokens where id = ${id}`;
    await sql.end();
    expect(await Promise.all(used.sockets.map(({ closed }) => closed))).toEqual([4003, 4003]);
    for (const program of used.programs) {
      const answer = await eventually(
        () => program.get('/v1/me'),
        (one) => outcome(one) !== 200,
      );
      expect(outcome(answer)).toBe('unauthenticated');
    }
  });
});

describe('all tokens', () => {
  it('are listed to administrators and auditors, the latest first, as far as they are good', async () => {
    const [bob, auditor, robby] = [await register(left.url), await register(left.url), await bot()];
    await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
    const first = await tokenOf(bob, ['read'], { name: 'first' });
    const made = await admin.post(`/v1/users/${robby.id}/tokens`, wish(['post'], { expiresInDays: null }));
    const second = await tokenOf(bob, ['read', 'post'], { name: 'second', expiresInDays: 1 });
    const revoked = await tokenOf(bob);
    await bob.delete(`/v1/me/tokens/${revoked.id}`);
    const ofBoth = async (query = '', who = admin) =>
      (await who.all(`/v1/tokens?${query}`, 2)).filter(({ user }) => [bob.id, robby.id].includes(user.id));
    const idsOf = async (query = '', who = admin) => (await ofBoth(query, who)).map(({ id }) => id);

    expect(await ofBoth()).toMatchObject([
      { id: second.id, user: { id: bob.id, username: bob.username }, bot: false, scopes: ['read', 'post'] },
      { id: made.body.id, user: { id: robby.id, username: robby.username }, bot: true, expiresAt: null },
      { id: first.id, name: 'first', lastUsedAt: null },
    ]);
    expect(await idsOf('', auditor)).toEqual([second.id, made.body.id, first.id]);
    expect(await idsOf('bot=true')).toEqual([made.body.id]);
    expect(await idsOf('bot=false')).toEqual([second.id, first.id]);
    expect(await idsOf(`user=${bob.id}`)).toEqual([second.id, first.id]);
    const { text } = await admin.get('/v1/tokens');
    expect(text).not.toContain(made.body.token.slice(4, 40));
    ahead += DAY + 1;
    ada = await signIn(left.url, { username: ada.username, password });
    admin = await signIn(left.url);
    expect(await idsOf()).toEqual([made.body.id, first.id]);
    await admin.patch(`/v1/users/${bob.id}`, { suspended: true });
    await eventually(
      () => idsOf(),
      (ids) => ids.length === 1,
    );
    expect(await idsOf()).toEqual([made.body.id]);
    expect(outcome(await ada.get('/v1/tokens'))).toBe('forbidden');
    expect(outcome(await new Visitor(left.url).get('/v1/tokens'))).toBe('unauthenticated');
  });
});

describe('a bot', () => {
  it('is created by administrators, and distinguished from people', async () => {
    const { id, username } = await bot();
    const [listed] = (await ada.get(`/v1/users?q=${username}`)).body.items;
    expect(listed).toMatchObject({ id, username, displayName: 'Robby', role: 'user', bot: true });
    const [person] = (await ada.get(`/v1/users?q=${ada.username}`)).body.items;
    expect(person).not.toHaveProperty('bot');
    expect(outcome(await admin.post('/v1/bots', { username }))).toBe('name_taken');
    expect(outcome(await ada.post('/v1/bots', { username: freshName() }))).toBe('forbidden');
  });

  it('has tokens that an administrator makes, also ones that never expire', async () => {
    const robby = await bot();
    const tokens = `/v1/users/${robby.id}/tokens`;
    const made = await admin.post(tokens, wish(['read', 'post'], { expiresInDays: null }));
    expect(made.body).toMatchObject({ expiresAt: null, scopes: ['read', 'post'] });
    const program = withToken(robby, made.body.token, right.url);
    expect((await program.get('/v1/me')).body).toMatchObject({ id: robby.id, bot: true });
    const room = await ada.roomWith([robby]);
    const message = await program.says(room, 'beep');
    expect(message.author).toMatchObject({ id: robby.id, username: robby.username });
    expect(outcome(await admin.post(`/v1/users/${ada.id}/tokens`, wish()))).toBe('forbidden');
    expect(outcome(await admin.post(`/v1/users/${unknownId()}/tokens`, wish()))).toBe('not_found');
    expect(outcome(await admin.get(`/v1/users/${unknownId()}/tokens`))).toBe('not_found');
    for (let i = 1; i < 50; i++) await admin.post(tokens, wish());
    expect(outcome(await admin.post(tokens, wish()))).toBe('conflict');
  });

  it('cannot sign in', async () => {
    const { username } = await bot();
    for (const guess of ['', password, username]) {
      const answer = await new Visitor(left.url).post('/v1/auth/login', { username, password: guess || 'x' });
      expect(outcome(answer)).toBe('unauthenticated');
    }
  });
});

it('what happens to tokens is recorded without them', async () => {
  const { id, token } = await tokenOf(ada, ['read'], { name: 'a name of my own' });
  await ada.delete(`/v1/me/tokens/${id}`);
  const stored = await everythingStored();
  expect(stored).toContain(id);
  expect(stored).not.toContain(token.slice(4));
  const sql = postgres(left.databaseUrl, { max: 1 });
  const events = await sql`select sealed from log.events where stream = ${`user-${ada.id}`}`;
  await sql.end();
  expect(JSON.stringify(events)).toContain(id);
  expect(JSON.stringify(events)).not.toContain('a name of my own');
});

it('a token is not made in a session that was taken over later, until one has proved once more who one is', async () => {
  const boss = await register(left.url);
  await admin.patch(`/v1/users/${boss.id}`, { role: 'admin' });
  ahead += 16 * 60;
  const { body } = await new Visitor(left.url).post('/v1/auth/refresh', { refreshToken: boss.refreshToken });
  const later = Object.assign(boss.at(left.url), body) as TestPerson;
  const paths = ['/v1/me/tokens', `/v1/users/${(await bot(later)).id}/tokens`];
  for (const path of paths) expect(outcome(await later.post(path, wish()))).toBe('mfa_required');
  expect(outcome(await later.post('/v1/auth/step-up', { password }))).toBe(204);
  for (const path of paths) expect(outcome(await later.post(path, wish()))).toBe(201);
});

it('the calls have all been seen with each of their answers', async () => {
  const visitor = new Visitor(left.url);
  for (const [, call] of callList.filter(([, { tag }]) => tag === 'Tokens')) {
    const target = call.path.replaceAll(/\{\w+\}/g, unknownId());
    expect(outcome(await visitor.send(call.method.toLowerCase() as 'get', target, {}))).toBe('unauthenticated');
  }
  expect(neverSeen('Tokens')).toEqual([]);
});

/** All events and all that the vault keeps of tokens, as text. */
async function everythingStored(): Promise<string> {
  const sql = postgres(left.databaseUrl, { max: 1 });
  const rows = [
    await sql`select * from log.events`,
    await sql`select * from vault.personal_tokens`,
    await sql`select * from desk.idempotency`,
  ];
  await sql.end();
  return JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
}
