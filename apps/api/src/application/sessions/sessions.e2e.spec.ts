import { hash } from '@node-rs/argon2';
import { Client } from '@verbatim/client';
import postgres, { type Sql } from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { neverSeen, outcome } from '../../tests/harness/contract.testing.js';
import {
  eventually,
  openSocket,
  password,
  register,
  signIn,
  type TestPerson,
  type TestSocket,
  unknownId,
  Visitor,
} from '../../tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { Authenticator } from './authenticator.testing.js';

/** Two replicas: what is done at the left one has to be felt at the right one. */
let left: TestService;
let right: TestService;
let sql: Sql;
let visitor: Visitor;
let admin: TestPerson;
/** Seconds by which the service's clock is ahead. */
let ahead = 0;
const clock = () => new Date(Date.now() + ahead * 1_000);
const DAY = 86_400;

beforeAll(async () => {
  left = await startTestService({ clock });
  right = await startTestService({ clock, beside: left });
  sql = postgres(left.databaseUrl, { max: 1 });
  visitor = new Visitor(left.url);
  admin = await signIn(left.url);
});
afterAll(async () => {
  await sql.end();
  await right.stop();
  await left.stop();
});
afterEach(() => {
  ahead = 0;
});

const me = async (person: TestPerson, service = left) => outcome(await person.at(service.url).get('/v1/me'));
const again = (person: TestPerson, service = left, given = password) =>
  signIn(service.url, { username: person.username, password: given });
const login = (person: TestPerson, given: string, more: object = {}) =>
  visitor.post('/v1/auth/login', { username: person.username, password: given, ...more });
const sessionsOf = (person: TestPerson) => person.all('/v1/me/sessions');
const lastEvents = async (person: TestPerson, count: number) =>
  (await admin.all(`/v1/users/${person.id}/events`)).slice(-count).map(({ type, data }) => [type, data]);

/** Somebody whose socket at the right replica is following a room, in which others go on talking. */
async function listening(person: TestPerson, host: TestPerson): Promise<{ socket: TestSocket; room: string }> {
  const room = await host.roomWith([person]);
  const socket = await person.at(right.url).follow(room);
  return { socket, room };
}

/** Does something at the left replica, and sees that within a second the person is out at the right one, for good. */
async function endsWithinASecond(person: TestPerson, host: TestPerson, act: () => Promise<unknown>): Promise<void> {
  const { socket, room } = await listening(person, host);
  const ticket = await person.at(right.url).ticket();
  await act();
  const done = Date.now();
  const code = await socket.closed;
  expect(code).toBe(4003);
  expect(Date.now() - done).toBeLessThan(1_000);
  expect(await me(person, right)).toBe('unauthenticated');
  expect(await me(person, left)).toBe('unauthenticated');
  const heard = socket.heard.length;
  await host.says(room, 'among ourselves');
  for (const way of [{ ticket }, { headers: { authorization: `Bearer ${person.accessToken}` } }]) {
    const late = openSocket(right.url, way);
    late.socket.on('open', () => late.send('follow', { room, after: -1 }));
    expect(await late.closed).toBe(4001);
    expect(late.heard).toEqual([]);
  }
  expect(socket.heard.length).toBe(heard);
}

describe('the sessions of a person', () => {
  it('are listed, the latest first, with where they began', async () => {
    const ada = await register(left.url);
    const body = { username: ada.username, password };
    await visitor.post('/v1/auth/login', body, { 'user-agent': 'Lovelace/1.0 (Analytical Engine)' });
    const [latest, first, ...none] = await sessionsOf(ada);

    expect(none).toEqual([]);
    expect(latest).toMatchObject({
      how: 'password',
      current: false,
      address: '127.0.0.1',
      userAgent: 'Lovelace/1.0 (Analytical Engine)',
    });
    expect(first).toMatchObject({ how: 'registration', current: true });
    expect(await ada.all('/v1/me/sessions', 1)).toEqual([latest, first]);
    const seen = await admin.all(`/v1/users/${ada.id}/sessions`);
    expect(seen).toEqual([latest, { ...first, current: false }]);
    expect(outcome(await admin.get(`/v1/users/${unknownId()}/sessions`))).toBe('not_found');
  });

  it('keep address and program sealed', async () => {
    await visitor.post('/v1/auth/login', administrator, { 'user-agent': 'Babbage' });
    const rows = await sql<{ device: string }[]>`select device from vault.sessions`;
    const kept = rows.map(({ device }) => Buffer.from(device, 'base64url').toString('latin1')).join();
    expect(kept).not.toContain('Babbage');
    expect(kept).not.toContain('127.0.0.1');
  });

  it('show when they were last renewed', async () => {
    const ada = await register(left.url);
    ahead = DAY;
    const renewed = await visitor.post('/v1/auth/refresh', { refreshToken: ada.refreshToken });
    const { items } = (await visitor.get('/v1/me/sessions', { authorization: `Bearer ${renewed.body.accessToken}` }))
      .body;
    expect(Date.parse(items[0].lastUsedAt) - Date.parse(items[0].createdAt)).toBeGreaterThanOrEqual(DAY * 1_000);
  });

  it('end one by one, each once', async () => {
    const [ada, bob] = [await register(left.url), await register(left.url)];
    const elsewhere = await again(ada);
    const [other] = (await sessionsOf(ada)).filter(({ current }) => !current);
    expect(outcome(await bob.delete(`/v1/me/sessions/${other.id}`))).toBe('not_found');
    await endsWithinASecond(elsewhere, bob, async () =>
      expect(outcome(await ada.delete(`/v1/me/sessions/${other.id}`))).toBe(204),
    );
    expect(outcome(await ada.delete(`/v1/me/sessions/${other.id}`))).toBe('not_found');
    const renewal = await visitor.post('/v1/auth/refresh', { refreshToken: elsewhere.refreshToken });
    expect(outcome(renewal)).toBe('unauthenticated');
    expect(await me(ada, right)).toBe(200);
    expect(await lastEvents(ada, 1)).toEqual([['SessionRevoked', { sessionId: other.id, cause: 'revoked' }]]);
  });

  it('end all but the one that asks', async () => {
    const [ada, bob] = [await register(left.url), await register(left.url)];
    const [one, two] = [await again(ada), await again(ada, right)];
    await endsWithinASecond(two, bob, () => ada.delete('/v1/me/sessions'));
    expect(await me(one, right)).toBe('unauthenticated');
    expect(await me(ada, right)).toBe(200);
    expect(await sessionsOf(ada)).toHaveLength(1);
  });

  it('are ended by administrators, one or all', async () => {
    const [ada, bob] = [await register(left.url), await register(left.url)];
    const path = `/v1/users/${ada.id}/sessions`;
    const [own] = await sessionsOf(ada);
    expect(outcome(await admin.delete(`${path}/${unknownId()}`))).toBe('not_found');
    expect(outcome(await admin.delete(`/v1/users/${bob.id}/sessions/${own.id}`))).toBe('not_found');
    await endsWithinASecond(ada, bob, () => admin.delete(`${path}/${own.id}`));
    const [one, two] = [await again(ada), await again(ada, right)];
    await endsWithinASecond(one, bob, () => admin.delete(path));
    expect(await me(two, right)).toBe('unauthenticated');
    expect(outcome(await admin.delete(`/v1/users/${unknownId()}/sessions`))).toBe('not_found');
    expect(await me(await again(ada))).toBe(200);
  });

  it('are listed together with those of all others, the latest first', async () => {
    const [ada, bob, auditor] = [await register(left.url), await register(left.url), await register(left.url)];
    await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
    await again(ada);
    const all = await admin.all('/v1/sessions');
    const ids = all.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort().reverse());
    expect(all.filter(({ current }) => current)).toHaveLength(1);
    const ofAda = all.filter(({ user }) => user.id === ada.id);
    expect(ofAda.map(({ user, ...session }) => [user.username, session])).toEqual(
      (await admin.all(`/v1/users/${ada.id}/sessions`)).map((session) => [ada.username, session]),
    );
    expect(ofAda).toHaveLength(2);
    const alike = ({ current: _, ...session }: { current: boolean }) => session;
    expect((await auditor.all(`/v1/sessions?user=${ada.id}`, 1)).map(alike)).toEqual(ofAda.map(alike));
    expect(await admin.all(`/v1/sessions?user=${unknownId()}`)).toEqual([]);

    await admin.patch(`/v1/users/${ada.id}`, { suspended: true });
    await sql`update vault.sessions set expires_at = now() where user_id = ${bob.id}`;
    const still = (await admin.all('/v1/sessions')).map(({ user }) => user.id);
    for (const { id } of [ada, bob]) expect(still).not.toContain(id);
    expect(outcome(await bob.get('/v1/sessions'))).toBe('forbidden');
    expect(outcome(await visitor.get('/v1/sessions'))).toBe('unauthenticated');
  });

  it('that were revoked without the event are ended by asking again', async () => {
    const ada = await register(left.url);
    const elsewhere = await again(ada);
    const [other] = (await sessionsOf(ada)).filter(({ current }) => !current);
    // As a process leaves it that dies between the two steps.
    await sql`update vault.sessions set revoked_at = now() where id = ${other.id}`;
    expect(await me(elsewhere, right)).toBe(200);
    expect(outcome(await ada.delete(`/v1/me/sessions/${other.id}`))).toBe(204);
    const socket = openSocket(right.url, { headers: { authorization: `Bearer ${elsewhere.accessToken}` } });
    await socket.closed;
    expect(await me(elsewhere, right)).toBe('unauthenticated');
  });

  it('are for their owner and for administrators', async () => {
    const [ada, bob] = [await register(left.url), await register(left.url)];
    const [own] = await sessionsOf(ada);
    const path = `/v1/users/${ada.id}`;
    for (const ask of [
      (who: Visitor) => who.get(`${path}/sessions`),
      (who: Visitor) => who.delete(`${path}/sessions`),
      (who: Visitor) => who.delete(`${path}/sessions/${own.id}`),
      (who: Visitor) => who.post(`${path}/password-reset`),
    ]) {
      expect(outcome(await ask(bob))).toBe('forbidden');
      expect(outcome(await ask(visitor))).toBe('unauthenticated');
    }
    for (const ask of [
      () => visitor.get('/v1/me/sessions'),
      () => visitor.delete('/v1/me/sessions'),
      () => visitor.delete(`/v1/me/sessions/${own.id}`),
      () => visitor.put('/v1/me/password', { currentPassword: password, newPassword: password }),
      () => visitor.get('/v1/me/totp'),
      () => visitor.post('/v1/me/totp'),
      () => visitor.post('/v1/me/totp/confirm', { code: '123456' }),
      () => visitor.delete('/v1/me/totp', { password }),
      () => visitor.post('/v1/me/totp/recovery-codes'),
      () => visitor.delete(`/v1/users/${unknownId()}/totp`),
      () => visitor.post('/v1/auth/step-up', { password }),
    ])
      expect(outcome(await ask())).toBe('unauthenticated');
  });
});

describe('what shuts an account', () => {
  it('is felt at the other replica within a second: a suspension', async () => {
    const [ada, bob] = [await register(left.url), await register(left.url)];
    await endsWithinASecond(ada, bob, () => admin.patch(`/v1/users/${ada.id}`, { suspended: true }));
    await admin.patch(`/v1/users/${ada.id}`, { suspended: false });
    expect(await me(ada, right)).toBe('unauthenticated');
  });

  it('is felt at the other replica within a second: giving it up', async () => {
    const [ada, bob] = [await register(left.url), await register(left.url)];
    await endsWithinASecond(ada, bob, () => ada.post('/v1/me/deactivate', { password }));
    await admin.patch(`/v1/users/${ada.id}`, { deactivated: false });
    expect(await me(ada, right)).toBe('unauthenticated');
  });
});

describe('changing the password', () => {
  const fresh = 'a fresh and longer one';
  const change = (person: TestPerson, currentPassword: string, newPassword: string) =>
    person.put('/v1/me/password', { currentPassword, newPassword });

  it('ends the other sessions everywhere, and the old password', async () => {
    const [ada, bob] = [await register(left.url), await register(left.url)];
    const elsewhere = await again(ada);
    await endsWithinASecond(elsewhere, bob, async () => expect(outcome(await change(ada, password, fresh))).toBe(204));
    expect(await me(ada, right)).toBe(200);
    expect(outcome(await login(ada, password))).toBe('unauthenticated');
    expect(outcome(await login(ada, fresh))).toBe(200);
    const recorded = (await lastEvents(ada, 3)).slice(0, 2);
    expect(recorded).toEqual([
      ['PasswordChanged', { how: 'change' }],
      ['SessionRevoked', { sessionId: expect.any(String), cause: 'password' }],
    ]);
  });

  it('takes the current one, and one that is not the first to be tried', async () => {
    const ada = await register(left.url);
    expect(outcome(await change(ada, 'a wrong password', fresh))).toBe('forbidden');
    expect(outcome(await change(ada, password, 'Password123'))).toBe('invalid_request');
    expect(outcome(await change(ada, password, 'x'.repeat(257)))).toBe('invalid_request');
    expect(outcome(await login(ada, password))).toBe(200);
  });

  it('leaves no session to those who signed in with the old one at that moment', async () => {
    const ada = await register(left.url);
    const entering = Array.from({ length: 6 }, () => login(ada, password));
    const [changed, ...entered] = await Promise.all([change(ada, password, fresh), ...entering]);
    expect(outcome(changed!)).toBe(204);
    for (const { status, body } of entered) {
      if (status !== 200) continue;
      const { refreshToken } = body;
      expect(outcome(await visitor.post('/v1/auth/refresh', { refreshToken }))).toBe('unauthenticated');
    }
    expect(await sessionsOf(ada)).toHaveLength(1);
  });
});

describe('hashes of passwords', () => {
  it('made at another cost are replaced at the next sign-in', async () => {
    const ada = await register(left.url);
    const old = await hash(password, { memoryCost: 8_192, timeCost: 1, parallelism: 1 });
    const kept = async () =>
      (
        await sql<{ password_hash: string }[]>`select password_hash from vault.credentials where user_id = ${ada.id}`
      )[0]!.password_hash;
    await sql`update vault.credentials set password_hash = ${old} where user_id = ${ada.id}`;
    expect(outcome(await login(ada, 'a wrong password'))).toBe('unauthenticated');
    expect(await kept()).toBe(old);
    expect(outcome(await login(ada, password))).toBe(200);
    expect(await kept()).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(outcome(await login(ada, password))).toBe(200);
  });
});

describe('a password reset', () => {
  const fresh = 'chosen after a reset';
  const issue = async (person: TestPerson) => (await admin.post(`/v1/users/${person.id}/password-reset`)).body;
  const reset = (token: string, newPassword = fresh) => visitor.post('/v1/auth/reset', { token, newPassword });

  it('lets a person choose a password once, and ends all their sessions', async () => {
    const [ada, bob] = [await register(left.url), await register(left.url)];
    const { token, expiresIn } = await issue(ada);
    expect(expiresIn).toBe(DAY);
    expect(outcome(await login(ada, password))).toBe(200);
    expect(outcome(await reset(token, '1234567890'))).toBe('invalid_request');
    await endsWithinASecond(ada, bob, async () => expect(outcome(await reset(token))).toBe(204));
    expect(outcome(await reset(token))).toBe('unauthenticated');
    expect(outcome(await login(ada, password))).toBe('unauthenticated');
    expect(outcome(await login(ada, fresh))).toBe(200);
    const types = (await admin.all(`/v1/users/${ada.id}/events`)).map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['PasswordResetIssued', 'PasswordChanged']));
  });

  it('is good for one of two who use it at once', async () => {
    const { token } = await issue(await register(left.url));
    const answers = await Promise.all([
      reset(token),
      new Visitor(right.url).post('/v1/auth/reset', { token, newPassword: fresh }),
    ]);
    expect(answers.map(outcome).map(String).sort()).toEqual(['204', 'unauthenticated']);
  });

  it('is void after a day, after another, and after a change', async () => {
    const ada = await register(left.url);
    const first = await issue(ada);
    const second = await issue(ada);
    expect(outcome(await reset(first.token))).toBe('unauthenticated');
    ahead = DAY + 1;
    expect(outcome(await reset(second.token))).toBe('unauthenticated');
    ahead = 0;
    await ada.put('/v1/me/password', { currentPassword: password, newPassword: fresh });
    expect(outcome(await reset(second.token))).toBe('unauthenticated');
    expect(outcome(await admin.post(`/v1/users/${unknownId()}/password-reset`))).toBe('not_found');
  });

  it('is kept as a hash', async () => {
    const { token } = await issue(await register(left.url));
    const rows = await sql<{ hash: string }[]>`select hash from vault.password_resets`;
    expect(rows.map(({ hash }) => hash)).not.toContain(token);
  });
});

describe('a second factor', () => {
  const setUp = (person: TestPerson) => Authenticator.setUp(person, clock);

  it('is set up with a first code, which ends the other sessions', async () => {
    const [ada, bob] = [await register(left.url), await register(left.url)];
    const elsewhere = await again(ada);
    expect((await ada.get('/v1/me/totp')).body).toEqual({ enabled: false, required: false, recoveryCodesLeft: 0 });
    expect(outcome(await ada.post('/v1/me/totp/confirm', { code: '123456' }))).toBe('conflict');
    const { secret, uri } = (await ada.post('/v1/me/totp')).body;
    expect(uri).toBe(
      `otpauth://totp/Verbatim:${ada.username}?issuer=Verbatim&secret=${secret}&algorithm=SHA1&digits=6&period=30`,
    );
    const phone = new Authenticator(secret, clock);
    expect(outcome(await ada.post('/v1/me/totp/confirm', { code: phone.code(5) }))).toBe('forbidden');
    await endsWithinASecond(elsewhere, bob, async () => {
      const { body } = await ada.post('/v1/me/totp/confirm', { code: phone.code() });
      expect(new Set(body.recoveryCodes).size).toBe(10);
      expect(body.recoveryCodes[0]).toMatch(/^[a-z0-9]{4}(-[a-z0-9]{4}){3}$/);
    });
    expect((await ada.get('/v1/me/totp')).body).toEqual({ enabled: true, required: false, recoveryCodesLeft: 10 });
    expect(outcome(await ada.post('/v1/me/totp'))).toBe('conflict');
    expect(outcome(await ada.post('/v1/me/totp/confirm', { code: phone.code(1) }))).toBe('conflict');
  });

  it('changes nothing until it is confirmed', async () => {
    const ada = await register(left.url);
    await ada.post('/v1/me/totp');
    expect(outcome(await login(ada, password))).toBe(200);
  });

  it('takes each code once, a step early or late, at whichever replica', async () => {
    const ada = await register(left.url);
    const { phone } = await setUp(ada);
    const enter = (code: string, url = left.url) =>
      new Visitor(url).post('/v1/auth/login', { username: ada.username, password, code });
    expect(outcome(await login(ada, password))).toBe('mfa_required');
    expect(outcome(await enter(phone.code()))).toBe('unauthenticated');
    ahead = 300;
    expect(outcome(await enter(phone.code(-2)))).toBe('unauthenticated');
    expect(outcome(await enter(phone.code(2)))).toBe('unauthenticated');
    expect(outcome(await enter(phone.code(-1)))).toBe(200);
    const both = await Promise.all([enter(phone.code()), enter(phone.code(), right.url)]);
    expect(both.map(outcome).map(String).sort()).toEqual(['200', 'unauthenticated']);
    expect(outcome(await enter(phone.code(-1)))).toBe('unauthenticated');
    const client = new Client({ servers: [left.url] });
    const { username } = ada;
    await expect(client.signIn({ username, password })).rejects.toMatchObject({ code: 'mfa_required' });
    expect((await client.signIn({ username, password, code: phone.code(1) })).id).toBe(ada.id);
    client.close();
  });

  it('takes a code in every spelling, wherever it takes one, and each code once', async () => {
    const spellings = [
      (code: string) => `${code.slice(0, 3)} ${code.slice(3)}`,
      (code: string) => ` ${code.slice(0, 3)}\u2009-\u00a0${code.slice(3)}\r\n`,
      (code: string) => [...code].join('\u200b'),
      (code: string) => code.replaceAll(/\d/g, (digit) => String.fromCodePoint(0x0966 + Number(digit))),
      (code: string) => code.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    ];
    const ada = await register(left.url);
    const { secret } = (await ada.post('/v1/me/totp')).body;
    const phone = new Authenticator(secret, clock);
    const spelled = (n: number, code = phone.code()) => (spellings[n] as (code: string) => string)(code);
    const enrolled = await ada.post('/v1/me/totp/confirm', { code: spelled(0) });
    expect(outcome(enrolled)).toBe(200);
    for (let n = 0; n < spellings.length; n++) {
      ahead += 30;
      const code = phone.code();
      expect(outcome(await login(ada, password, { code: spelled(n, code) }))).toBe(200);
      for (let other = 0; other < spellings.length; other++)
        expect(outcome(await login(ada, password, { code: spelled(other, code) }))).toBe('unauthenticated');
      expect(outcome(await ada.post('/v1/auth/step-up', { code }))).toBe('forbidden');
    }
    for (const spelling of spellings) {
      ahead += 30;
      expect(outcome(await ada.post('/v1/auth/step-up', { code: spelling(phone.code()) }))).toBe(204);
    }
    const [recovery = ''] = enrolled.body.recoveryCodes;
    const typed = ` ${recovery.toUpperCase().replaceAll('-', '\u00a0').replaceAll('0', 'o')}\n`;
    expect(outcome(await login(ada, password, { code: typed }))).toBe(200);
    expect(outcome(await login(ada, password, { code: recovery }))).toBe('unauthenticated');
    ahead += 30;
    expect(outcome(await ada.delete('/v1/me/totp', { code: spelled(3) }))).toBe(204);
  });

  it('is replaced by a recovery code, each once', async () => {
    const ada = await register(left.url);
    const { recoveryCodes } = await setUp(ada);
    const [code = '', other = ''] = recoveryCodes;
    expect(outcome(await login(ada, password, { code: 'aaaa-bbbb-cccc-dddd' }))).toBe('unauthenticated');
    expect(outcome(await login(ada, password, { code: code.toUpperCase().replaceAll('-', ' ') }))).toBe(200);
    expect(outcome(await login(ada, password, { code }))).toBe('unauthenticated');
    expect((await ada.get('/v1/me/totp')).body.recoveryCodesLeft).toBe(9);
    expect((await lastEvents(ada, 2)).map(([type]) => type)).toEqual(['RecoveryCodeUsed', 'SessionStarted']);

    const renewed = (await ada.post('/v1/me/totp/recovery-codes')).body.recoveryCodes;
    expect(outcome(await login(ada, password, { code: other }))).toBe('unauthenticated');
    expect(outcome(await login(ada, password, { code: renewed[0] }))).toBe(200);
  });

  it('is taken away with the password or a code', async () => {
    const ada = await register(left.url);
    const remove = (body: object) => ada.delete('/v1/me/totp', body);
    expect(outcome(await remove({ password }))).toBe('conflict');
    expect(outcome(await ada.post('/v1/me/totp/recovery-codes'))).toBe('conflict');
    const { phone } = await setUp(ada);
    expect(outcome(await remove({ password: 'a wrong password' }))).toBe('forbidden');
    expect(outcome(await remove({ code: phone.code() }))).toBe('forbidden');
    expect(outcome(await remove({ code: phone.code(1) }))).toBe(204);
    expect(outcome(await login(ada, password))).toBe(200);
    await setUp(ada);
    expect(outcome(await remove({ password }))).toBe(204);
    expect((await lastEvents(ada, 1))[0]?.[0]).toBe('TotpDisabled');
  });

  it('leaves nothing of the secret in events, and none in plain form in the vault', async () => {
    const ada = await register(left.url);
    const { secret } = (await ada.post('/v1/me/totp')).body;
    const { recoveryCodes } = (await ada.post('/v1/me/totp/confirm', { code: new Authenticator(secret, clock).code() }))
      .body;
    const rows = [
      ...(await sql`select sealed from log.events`),
      ...(await sql`select * from vault.totp`),
      ...(await sql`select * from vault.recovery_codes`),
    ];
    const kept = JSON.stringify(rows);
    for (const shown of [secret, ...recoveryCodes]) expect(kept).not.toContain(shown);
  });

  it('makes sensitive calls ask for a proof that is not older than 15 minutes', async () => {
    const ada = await register(left.url);
    const victim = await register(left.url);
    await admin.patch(`/v1/users/${ada.id}`, { role: 'admin' });
    const { phone } = await setUp(ada);
    const sensitive = [
      (who: TestPerson) => who.put('/v1/me/password', { currentPassword: 'a wrong password', newPassword: password }),
      (who: TestPerson) => who.post(`/v1/users/${victim.id}/password-reset`),
      (who: TestPerson) => who.patch(`/v1/users/${victim.id}`, { role: 'auditor' }),
      (who: TestPerson) => who.post('/v1/me/totp/recovery-codes'),
    ];
    ahead = 16 * 60;
    const { accessToken, refreshToken } = (await visitor.post('/v1/auth/refresh', { refreshToken: ada.refreshToken }))
      .body;
    const later = Object.assign(ada.at(left.url), { accessToken, refreshToken });
    const outcomes = async () => {
      const seen = [];
      for (const call of sensitive) seen.push(outcome(await call(later)));
      return seen;
    };
    expect(await outcomes()).toEqual(Array(4).fill('mfa_required'));
    expect(outcome(await later.patch(`/v1/users/${victim.id}`, { displayName: 'Renamed' }))).toBe(200);
    expect(outcome(await later.post('/v1/auth/step-up', { code: '000000' }))).toBe('forbidden');
    expect(outcome(await later.post('/v1/auth/step-up', { code: phone.code() }))).toBe(204);
    expect(await outcomes()).toEqual(['forbidden', 201, 200, 200]);
    await admin.patch(`/v1/users/${ada.id}`, { role: 'user' });
  });

  it('is not set up in a session that was taken over later', async () => {
    const ada = await register(left.url);
    const boss = await register(left.url);
    await admin.patch(`/v1/users/${boss.id}`, { role: 'admin' });
    ahead += 16 * 60;
    const later = async (person: TestPerson) => {
      const { body } = await visitor.post('/v1/auth/refresh', { refreshToken: person.refreshToken });
      return Object.assign(person.at(left.url), body);
    };
    for (const proof of ['mfa_required', 201]) {
      const [thief, usurper] = [await later(ada), await later(boss)];
      if (proof === 201)
        for (const who of [thief, usurper]) expect(outcome(await who.post('/v1/auth/step-up', { password }))).toBe(204);
      expect(outcome(await thief.post('/v1/me/totp'))).toBe(proof);
      expect(outcome(await usurper.delete(`/v1/users/${ada.id}/totp`))).toBe(proof === 201 ? 204 : proof);
      Object.assign(ada, { refreshToken: thief.refreshToken });
      Object.assign(boss, { refreshToken: usurper.refreshToken });
    }
    expect(outcome(await (await later(boss)).delete(`/v1/users/${unknownId()}/totp`))).toBe('not_found');
  });

  it('that was lost is taken away by an administrator who has just proved who they are', async () => {
    const ada = await register(left.url);
    await setUp(ada);
    expect(outcome(await login(ada, password))).toBe('mfa_required');
    const root = await signIn(left.url);
    expect(outcome(await ada.delete(`/v1/users/${ada.id}/totp`))).toBe('forbidden');
    expect(outcome(await root.delete(`/v1/users/${ada.id}/totp`))).toBe(204);
    expect(outcome(await root.delete(`/v1/users/${ada.id}/totp`))).toBe(204);
    expect(outcome(await login(ada, password))).toBe(200);
    const disabled = (await root.all(`/v1/users/${ada.id}/events`)).filter(({ type }) => type === 'TotpDisabled');
    expect(disabled.map(({ actor }) => actor.id)).toEqual([root.id]);
  });
});

describe('a role that demands a second factor', () => {
  it('gives a session that can set it up and nothing else, until that is done', async () => {
    const strict = await startTestService({ clock, beside: left, environment: { REQUIRE_MFA: 'admin,auditor' } });
    try {
      const ada = (await register(left.url)).at(strict.url);
      const socket = await ada.connect();
      expect(outcome(await ada.get('/v1/users'))).toBe(200);
      await admin.patch(`/v1/users/${ada.id}`, { role: 'auditor' });

      expect(await socket.closed).toBe(4001);
      for (const path of ['/v1/users', '/v1/inbox', '/v1/me/sessions', `/v1/users/${ada.id}/events`])
        expect(outcome(await ada.get(path))).toBe('mfa_required');
      expect(outcome(await ada.post('/v1/auth/ticket'))).toBe('mfa_required');
      const refused = openSocket(strict.url, { headers: { authorization: `Bearer ${ada.accessToken}` } });
      expect(await refused.closed).toBe(4001);
      expect(outcome(await ada.get('/v1/me'))).toBe(200);
      expect((await ada.get('/v1/me/totp')).body).toMatchObject({ enabled: false, required: true });

      const entered = await new Visitor(strict.url).post('/v1/auth/login', { username: ada.username, password });
      expect(outcome(entered)).toBe(200);
      await Authenticator.setUp(ada, clock);
      expect(outcome(await ada.get('/v1/users'))).toBe(200);
      (await ada.connect()).close();
      expect(outcome(await ada.delete('/v1/me/totp', { password }))).toBe(204);
      expect(outcome(await ada.get('/v1/users'))).toBe('mfa_required');
    } finally {
      await strict.stop();
    }
  });
});

describe('the last administrator', () => {
  /** Two administrators at two replicas, each of whom does something to the other, or to themselves. */
  async function race(acts: (people: [TestPerson, TestPerson]) => Promise<{ status: number }>[]): Promise<void> {
    const service = await startTestService();
    const beside = await startTestService({ beside: service });
    try {
      const first = await signIn(service.url);
      const second = (await register(service.url)).at(beside.url);
      await first.patch(`/v1/users/${second.id}`, { role: 'admin' });
      await eventually(
        () => second.get(`/v1/users/${first.id}/sessions`),
        ({ status }) => status === 200,
      );
      const answers = await Promise.all(acts([first, second]));
      expect(answers.filter(({ status }) => status < 300).length).toBeLessThanOrEqual(1);
      const remaining: number[] = [];
      for (const person of [first, second]) remaining.push((await person.get('/v1/users?limit=1')).status);
      const roles = await Promise.all([first, second].map(async (person) => (await person.get('/v1/me')).body.role));
      expect(roles.filter((role, i) => role === 'admin' && remaining[i] === 200).length).toBeGreaterThan(0);
    } finally {
      await beside.stop();
      await service.stop();
    }
  }

  it('stays, when two demote each other', async () => {
    for (let round = 0; round < 3; round++) {
      await race(([first, second]) => [
        first.patch(`/v1/users/${second.id}`, { role: 'user' }),
        second.patch(`/v1/users/${first.id}`, { role: 'user' }),
      ]);
    }
  });

  it('stays, when one gives up and is suspended by nobody who is left', async () => {
    await race(([first, second]) => [
      first.post('/v1/me/deactivate', { password: administrator.password }),
      second.post('/v1/me/deactivate', { password }),
    ]);
    await race(([first, second]) => [
      first.patch(`/v1/users/${second.id}`, { suspended: true }),
      second.patch(`/v1/users/${first.id}`, { deactivated: true }),
    ]);
  });
});

it('all calls of sessions have been seen with each of their answers', async () => {
  await visitor.get('/.well-known/jwks.json');
  expect(neverSeen('Sessions')).toEqual([]);
});
