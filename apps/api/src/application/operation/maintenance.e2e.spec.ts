import { type Client, OutcomeUnknown } from '@verbatim/client';
import type { Maintenance } from '@verbatim/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import {
  because,
  eventually,
  freshName,
  password,
  register,
  signIn,
  type TestPerson,
  unknownId,
  Visitor,
} from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

/** Two replicas; the administrator is at one of them, and the others at the other unless it is said otherwise. */
let left: TestService;
let right: TestService;
let admin: TestPerson;
let auditor: TestPerson;
let ada: TestPerson;
let bob: TestPerson;
let visitor: Visitor;
let room: string;

beforeAll(async () => {
  left = await startTestService();
  right = await startTestService({ beside: left });
  admin = await signIn(left.url);
  [auditor, ada, bob] = [await register(right.url), await register(right.url), await register(right.url)];
  await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
  visitor = new Visitor(right.url);
  room = await ada.roomWith([bob]);
});
afterEach(async () => {
  await admin.delete('/v1/maintenance');
  await known(null);
});
afterAll(async () => {
  await right.stop();
  await left.stop();
});

const about = async (): Promise<Maintenance | null> => (await visitor.get('/v1/about')).body.maintenance;
/** Resolves when the other replica knows. */
const known = (text: string | null) => eventually(about, (now) => (now?.text ?? null) === text);
const text = 'A new disk';
async function begin(): Promise<Maintenance> {
  const begun = await admin.client.call('beginMaintenance', { body: { text } });
  await known(text);
  return begun;
}

describe('maintenance', () => {
  it('is shown to everybody, at every replica within a second, until it is ended', async () => {
    const socket = await bob.connect();
    const until = new Date(Date.now() + 600_000).toISOString();
    const asked = Date.now();
    const begun = await admin.client.call('beginMaintenance', { body: { text, until } });
    expect((await socket.next('maintenance')).data.maintenance).toEqual(begun);
    expect(Date.now() - asked).toBeLessThan(1_000);
    expect(begun).toMatchObject({ text, until });
    expect(await about()).toEqual(begun);
    expect((await auditor.get('/v1/settings')).body.maintenance).toEqual(begun);
    expect((await bob.connect()).frames[0]?.data.maintenance).toEqual(begun);
    await admin.delete('/v1/maintenance');
    expect((await socket.next('maintenance')).data.maintenance).toBeNull();
    expect(await about()).toBeNull();
  });

  it('is begun and ended once, whichever of two administrators comes first', async () => {
    const { id } = await register(left.url);
    await admin.patch(`/v1/users/${id}`, { role: 'admin' });
    const there = (await signIn(left.url)).at(right.url);
    const begun = await Promise.all([admin, there].map((who) => who.put('/v1/maintenance', { text })));
    expect(begun.map(outcome)).toEqual([200, 200]);
    expect(begun[0]?.body).toEqual(begun[1]?.body);
    const revised = await there.put('/v1/maintenance', { text: 'A larger disk' });
    expect(revised.body).toEqual({ ...begun[0]?.body, text: 'A larger disk' });
    expect(await Promise.all([admin, there].map(async (who) => outcome(await who.delete('/v1/maintenance'))))).toEqual([
      204, 204,
    ]);
  });

  it('outlasts a restart', async () => {
    const begun = await begin();
    await right.restart();
    [ada, bob, auditor] = [ada.at(right.url), bob.at(right.url), auditor.at(right.url)];
    visitor = new Visitor(right.url);
    expect(await about()).toEqual(begun);
    expect(outcome(await ada.post(`/v1/rooms/${room}/messages`, { text: 'x' }))).toBe('maintenance');
  });
});

describe('in maintenance', () => {
  it('what anybody but administrators changes is refused, with their words and when to come again', async () => {
    const { id: message } = await ada.says(room, 'before');
    const hook = (await ada.post(`/v1/rooms/${room}/incoming-webhooks`, { name: 'Feeds' })).body;
    const { path } = hook as { path: string };
    const invitation = (await admin.post('/v1/invitations', { uses: 1 })).body.code;
    await begin();
    const refused = await ada.post(`/v1/rooms/${room}/messages`, { text: 'x' });
    expect([refused.status, refused.body.code, refused.body.detail]).toEqual([503, 'maintenance', text]);
    expect(refused.headers['retry-after']).toBe('30');
    const username = freshName();
    const wishes = [
      ada.patch(`/v1/rooms/${room}/messages/${message}`, { text: 'x' }),
      ada.delete(`/v1/rooms/${room}/messages/${message}`),
      ada.put(`/v1/rooms/${room}/messages/${message}/reactions/%F0%9F%91%8D`),
      ada.post('/v1/rooms', { name: 'a new one', password: 'open sesame' }),
      ada.patch(`/v1/rooms/${room}`, { name: 'another name' }),
      ada.put(`/v1/direct/${bob.username}`),
      ada.patch('/v1/me', { displayName: 'Countess' }),
      ada.post('/v1/me/tokens', { name: 'script', scopes: ['read'], expiresInDays: 1 }),
      ada.post(`/v1/rooms/${room}/invitations`),
      ada.post(`/v1/rooms/${room}/incoming-webhooks`, { name: 'More' }),
      ada.post(`/v1/rooms/${room}/webhooks`, { url: 'https://example.org/', events: ['MessagePosted'] }),
      visitor.post(path, { text: 'x' }),
      visitor.post('/v1/auth/register', { username, password }),
      visitor.post('/v1/auth/register', { username, password, invitation }),
    ];
    for (const answer of await Promise.all(wishes)) expect([answer.body, outcome(answer)]).toContain('maintenance');
    const socket = await bob.connect();
    const { event, data } = await socket.ask('post', { room, text: 'x' });
    expect([event, data.code, data.detail, data.retryAfterMs]).toEqual(['error', 'maintenance', text, 30_000]);
    expect(await socket.refused('leave', { room })).toBe('maintenance');
    await admin.delete('/v1/maintenance');
    await known(null);
    // Nothing of it was left behind: the names are free, the invitation is good, the room is as it was.
    expect((await ada.get(`/v1/rooms/${room}/messages?limit=1`)).body.items[0].text).toBe('before');
    expect(outcome(await ada.post('/v1/rooms', { name: 'a new one' }))).toBe(201);
    expect(outcome(await visitor.post('/v1/auth/register', { username, password, invitation }))).toBe(201);
  });

  it('people sign in, read and keep their accounts safe, and administrators do what they like', async () => {
    const { revision } = await ada.says(room, 'to read');
    await begin();
    const again = await signIn(right.url, { username: bob.username, password });
    const done = [
      again.get(`/v1/rooms/${room}/messages`),
      again.put(`/v1/rooms/${room}/read`, { revision }),
      again.put('/v1/me/preferences', { preferences: '{}' }),
      again.delete('/v1/me/sessions'),
      auditor.get(`/v1/rooms/${room}/messages`, because()),
      admin.put('/v1/announcement', { text: 'Soon' }),
    ];
    for (const answer of await Promise.all(done)) expect([200, 204]).toContain(outcome(answer));
    bob = again;
    const changed = await bob.put('/v1/me/password', { currentPassword: password, newPassword: `${password} 2` });
    expect(outcome(changed)).toBe(204);
    expect(outcome(await admin.post('/v1/users', { username: freshName() }))).toBe(201);
    const socket = await bob.follow(room);
    await admin.post(`/v1/rooms/${room}/members`);
    expect(outcome(await admin.post(`/v1/rooms/${room}/messages`, { text: 'by an administrator' }))).toBe(201);
    await socket.when(() => socket.events(room).some(({ type }) => type === 'MessagePosted'));
    expect(outcome(await bob.post('/v1/auth/logout'))).toBe(204);
  });

  it('what was stored before is answered as before when it is repeated', async () => {
    const [id, key] = [unknownId(), { 'idempotency-key': unknownId() }];
    const first = await ada.says(room, 'once', { id });
    const made = await ada.post('/v1/rooms', { name: `room ${unknownId()}` }, key);
    await begin();
    const again = await ada.post(`/v1/rooms/${room}/messages`, { id, text: 'once' });
    expect([again.status, again.body.revision]).toEqual([200, first.revision]);
    expect((await ada.post('/v1/rooms', { name: made.body.name }, key)).body).toEqual(made.body);
    const socket = await ada.connect();
    expect((await socket.ask('post', { room, id, text: 'once' })).data).toMatchObject({ duplicate: true });
    expect(await socket.refused('post', { room, id: unknownId(), text: 'once more' })).toBe('maintenance');
  });

  it('the client takes it for not done, and posts once it is over', async () => {
    const { client } = ada;
    const heard: (Maintenance | null)[] = [];
    client.on('maintenance', (now) => heard.push(now));
    client.connect();
    await eventually(
      async () => client.state,
      (state) => state === 'online',
    );
    const begun = await begin();
    const failure = await client.post(room, 'x', { deadlineMs: 20_000 }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'maintenance', retryable: true, retryAfterMs: 30_000 });
    expect(failure).not.toBeInstanceOf(OutcomeUnknown);
    await admin.delete('/v1/maintenance');
    await eventually(
      async () => heard,
      () => heard.length === 2,
    );
    expect(heard).toEqual([begun, null]);
    expect(await (client as Client).post(room, 'x')).toMatchObject({ duplicate: false });
    client.close();
  });
});
