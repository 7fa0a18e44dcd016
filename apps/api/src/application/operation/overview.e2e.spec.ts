import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LoadHistory } from '../../storage/desk/load-history.js';
import { outcome } from '../../tests/harness/contract.testing.js';
import { eventually, password, register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

let service: TestService;
let sql: Sql;
let admin: TestPerson;
let now = new Date('2026-05-10T10:03:00.000Z');

const overview = async () => (await admin.get('/v1/overview')).body;

beforeAll(async () => {
  const environment = { RATE_LIMITS: 'on', LIMIT_SIGN_IN: '3/60' };
  service = await startTestService({ environment, clock: () => now });
  sql = postgres(service.databaseUrl, { max: 2, onnotice: () => undefined });
  admin = await signIn(service.url);
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

describe('the overview', () => {
  it('counts the reports that nobody has settled', async () => {
    const [ada, bob] = [await register(service.url), await register(service.url)];
    const room = await ada.roomWith([bob]);
    const { id } = await ada.says(room, 'buy my soap');
    const before = (await overview()).openReports;
    const report = await bob.post(`/v1/rooms/${room}/messages/${id}/reports`, { reason: 'Advertising' });
    expect((await overview()).openReports).toBe(before + 1);
    const body = { outcome: 'dismissed', note: null };
    await ada.post(`/v1/rooms/${room}/reports/${report.body.id}/settle`, body);
    expect((await overview()).openReports).toBe(before);
  });

  it('names people who are locked out until they are in again', async () => {
    const carol = await register(service.url);
    const attempt = (word: string) =>
      fetch(`${service.url}/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username: carol.username, password: word }),
      });
    for (let i = 0; i < 3; i += 1) await attempt('not the password');
    const waits = ({ waiting }: { waiting: { people: { person: { id: string }; why: string }[] } }) =>
      waiting.people.find(({ person }) => person.id === carol.id)?.why;
    await eventually(overview, (told) => waits(told) === 'locked_out');
    await sql`update desk.sign_in_attempts set open_at = '-infinity'`;
    expect((await attempt(password)).status).toBe(200);
    expect(waits(await overview())).toBeUndefined();
  });

  it('names people with a link to choose a password, also once it has run out, until they use one', async () => {
    const { user, passwordReset } = (await admin.post('/v1/users', { username: 'invited-dora' })).body;
    const standing = async () => {
      const { count, people } = (await overview()).waiting;
      expect(people.length).toBe(count);
      return people.find(({ person }: { person: { id: string } }) => person.id === user.id);
    };
    expect(await standing()).toEqual({
      person: { id: user.id, username: 'invited-dora' },
      why: 'link_open',
      since: now.toISOString(),
    });
    await sql`update vault.password_resets set expires_at = ${new Date(now.getTime() - 1_000)} where user_id = ${user.id}`;
    expect((await standing()).why).toBe('link_expired');
    const { token } = (await admin.post(`/v1/users/${user.id}/password-reset`)).body;
    expect(token).not.toBe(passwordReset.token);
    await admin.post('/v1/auth/reset', { token, newPassword: 'a fresh password' });
    expect(await standing()).toBeUndefined();
  });

  it('shows the most people connected in each quarter of an hour of the last day', async () => {
    const history = await LoadHistory.open(sql, () => now);
    await history.note({ people: 7, sockets: 9 });
    await history.note({ people: 4, sockets: 11 });
    now = new Date('2026-05-10T10:17:00.000Z');
    await history.note({ people: 2, sockets: 2 });
    admin = await signIn(service.url);
    expect((await overview()).connected).toEqual([
      { at: '2026-05-10T10:00:00.000Z', people: 7, sockets: 11 },
      { at: '2026-05-10T10:15:00.000Z', people: 2, sockets: 2 },
    ]);
    now = new Date('2026-05-11T10:01:00.000Z');
    admin = await signIn(service.url);
    expect((await overview()).connected.map(({ at }: { at: string }) => at)).toEqual(['2026-05-10T10:15:00.000Z']);
  });

  it('keeps a bounded number of samples', async () => {
    const history = await LoadHistory.open(sql, () => now);
    now = new Date('2026-07-01T00:00:00.000Z');
    await history.note({ people: 1, sockets: 1 });
    await history.sweep();
    expect((await sql`select at from desk.load_history`).length).toBe(1);
    admin = await signIn(service.url);
  });

  it('shows the state of the process that answers', async () => {
    const { process } = await overview();
    expect(process).toMatchObject({ missing: [], behind: 0 });
    expect(process.memoryBytes).toBeGreaterThan(2 ** 20);
  });
});

describe('an administrator', () => {
  it('suspends somebody with a reason, which the account records for administrators and auditors', async () => {
    const eve = await register(service.url);
    expect(outcome(await admin.patch(`/v1/users/${eve.id}`, { reason: 'alone' }))).toBe('invalid_request');
    expect(outcome(await admin.patch(`/v1/users/${eve.id}`, { suspended: true, reason: 'Sold soap 🧼' }))).toBe(200);
    const { items } = (await admin.get(`/v1/users/${eve.id}/events`)).body;
    const suspended = items.find(({ type }: { type: string }) => type === 'UserSuspended');
    expect(suspended.data).toEqual({ reason: 'Sold soap 🧼' });
    expect(suspended.sealed).not.toContain('soap');
  });

  it('shows who closed a room, when and why, and hides it from others', async () => {
    const ada = await register(service.url);
    const room = await ada.room();
    const closing = async (who: TestPerson) => (await who.get(`/v1/rooms/${room}`)).body.closing;
    expect(await closing(admin)).toBeNull();
    await ada.post(`/v1/rooms/${room}/close`, { reason: 'Done here.' });
    expect(await closing(admin)).toEqual({ at: now.toISOString(), by: ada.id, reason: 'Done here.' });
    expect(await closing(ada)).toBeUndefined();
  });

  it('finds people by their ids in one call', async () => {
    const people = [await register(service.url), await register(service.url)];
    await register(service.url);
    const ids = people.map(({ id }) => id);
    const { items } = (await admin.get(`/v1/users?ids=${ids.join(',')}`)).body;
    expect(items.map(({ id }: { id: string }) => id).sort()).toEqual(ids.sort());
    expect(outcome(await admin.get('/v1/users?ids=not-an-id'))).toBe('invalid_request');
  });
});
