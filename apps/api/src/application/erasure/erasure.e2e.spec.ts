import { randomBytes } from 'node:crypto';
import { openEventStore, verifyLog } from '@verbatim/event-store';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import {
  because,
  eventually,
  register,
  signIn,
  type TestPerson,
  unknownId,
  Visitor,
} from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { logicalDump } from './logical-dump.testing.js';

let service: TestService;
let admin: TestPerson;
let ada: TestPerson;

beforeAll(async () => {
  service = await startTestService();
  [admin, ada] = [await signIn(service.url), await register(service.url)];
});
afterAll(() => service.stop());

/** A word that is nowhere else. */
const rare = () => `q${randomBytes(7).toString('hex')}z`;

const erase = async (scope: object, more: object = {}): Promise<string> => {
  const body = { ground: 'consent_withdrawn', reason: 'Letter 12', ...scope, ...more };
  const { status, body: answer } = await admin.post('/v1/erasures', body);
  expect(status).toBe(202);
  return answer.id;
};
const statusOf = async (id: string) => (await admin.get(`/v1/erasures/${id}`)).body.status;
const done = (id: string) =>
  eventually(
    () => statusOf(id),
    (status) => status === 'done',
  );

async function dump(): Promise<string> {
  const sql = postgres(service.databaseUrl, { max: 1, onnotice: () => {} });
  return logicalDump(sql).finally(() => sql.end());
}

async function expectChainsToHold(): Promise<void> {
  const store = await openEventStore({ url: service.databaseUrl, directUrl: service.databaseUrl });
  try {
    const check = await verifyLog(store);
    expect(check.broken).toEqual([]);
    expect(check.events).toBeGreaterThan(20);
  } finally {
    await store.close();
  }
}

describe('a person who is erased', () => {
  it('leaves nothing that they wrote or were called, and the chains hold', async () => {
    const bob = await register(service.url);
    const words = Array.from({ length: 8 }, rare) as [string, string, string, string, string, string, string, string];
    const [said, edited, named, mail, reason, theme, token, others] = words;
    await bob.patch('/v1/me', { displayName: named });
    await admin.patch(`/v1/users/${bob.id}`, { email: `${mail}@example.org` });
    await bob.put('/v1/me/preferences', { preferences: theme });
    await bob.post('/v1/me/tokens', { name: token, scopes: ['read'] });
    const room = await ada.roomWith([[bob, 'moderator']]);
    await bob.post(`/v1/rooms/${room}/messages`, { text: said }, { 'idempotency-key': 'k1' });
    const { id } = await bob.says(room, 'first');
    await bob.patch(`/v1/rooms/${room}/messages/${id}`, { text: edited });
    const theirs = await ada.says(room, others);
    await bob.delete(`/v1/rooms/${room}/messages/${theirs.id}`, { reason });
    const kept = rare();
    await ada.says(room, kept);
    await eventually(
      async () => (await ada.get(`/v1/search?q=${said}&room=${room}`)).body.items.length,
      (found) => found === 1,
    );
    const before = await dump();
    // The reason of a redaction is in no read model.
    for (const word of [said, edited, named, mail]) expect(before).toContain(word);

    const erasure = await erase({ person: bob.id });
    await done(erasure);

    const after = await dump();
    // Not one key of theirs is left, that of the account itself among them.
    expect(after).not.toContain(`|${bob.id}|`);
    for (const word of [said, edited, named, mail, reason, theme, token]) expect(after).not.toContain(word);
    expect(after).toContain(kept);
    const events = await admin.all(`/v1/rooms/${room}/events`, 200, because());
    const told = {
      events,
      messages: (await ada.get(`/v1/rooms/${room}/messages`)).body,
      user: (await admin.get(`/v1/users/${bob.id}`)).body,
      userEvents: (await admin.get(`/v1/users/${bob.id}/events`)).body,
      found: (await ada.get(`/v1/search?q=${said}&room=${room}`)).body,
      state: (await admin.get(`/v1/rooms/${room}/state`, because())).body,
    };
    for (const [where, answer] of Object.entries(told))
      for (const [what, word] of Object.entries({ said, edited, named, mail, reason, theme, token }))
        expect([where, what, JSON.stringify(answer).includes(word)]).toEqual([where, what, false]);
    expect(JSON.stringify(told.messages)).toContain(kept);
    expect(outcome(await bob.get('/v1/me'))).toBe('unauthenticated');
    const login = { username: bob.username, password: 'correct horse' };
    expect(outcome(await new Visitor(service.url).post('/v1/auth/login', login))).toBe('unauthenticated');
    await expectChainsToHold();

    const { certificate } = (await admin.get(`/v1/erasures/${erasure}`)).body;
    expect(certificate).toMatch(/^verbatim-erasure\/1\n(\S+)\n\{.*\}\n\n— \1\/certificates /);
    expect(certificate).toContain(`the username ${bob.username}`);
    expect(certificate).toContain('consent_withdrawn');
    expect(certificate).not.toContain('Letter 12');
  });

  it('is not an administrator', async () => {
    expect(outcome(await admin.post('/v1/erasures', { person: admin.id, ground: 'other', reason: 'x' }))).toBe(
      'conflict',
    );
  });
});

describe('a message that is erased', () => {
  it('is gone alone: what its author wrote before and after it on the same day stays', async () => {
    const room = await ada.room();
    const [before, gone, edited, after] = [rare(), rare(), rare(), rare()];
    await ada.says(room, before);
    const { id } = await ada.says(room, gone);
    await ada.patch(`/v1/rooms/${room}/messages/${id}`, { text: edited });
    await done(await erase({ room, message: id }));
    await ada.says(room, after);

    const events = await admin.all(`/v1/rooms/${room}/events`, 200, because());
    const texts = events.filter(({ data }) => 'text' in data).map(({ data }) => data.text);
    expect(texts).toEqual([before, null, null, after]);
    const all = await dump();
    for (const word of [gone, edited]) expect(all).not.toContain(word);

    // Also where the keys are read anew, and once more beside the first one.
    const second = await ada.says(room, rare());
    await done(await erase({ room, message: second.id }));
    await service.restart();
    const again = await admin.at(service.url).all(`/v1/rooms/${room}/events`, 200, because());
    expect(again.filter(({ data }) => 'text' in data).map(({ data }) => data.text)).toEqual([
      before,
      null,
      null,
      after,
      null,
    ]);
    admin = admin.at(service.url);
    ada = ada.at(service.url);
    await expectChainsToHold();
  });
});

describe('a room that is erased', () => {
  it('is closed, and has no name and no texts any more', async () => {
    const [name, said] = [rare(), rare()];
    const room = await ada.room({ name });
    await ada.says(room, said);
    await done(await erase({ room }));
    const all = await dump();
    for (const word of [name, said]) expect(all).not.toContain(word);
    expect((await ada.get(`/v1/rooms/${room}`)).body).toMatchObject({ name: null, status: 'closed' });
  });
});

describe('a direct room', () => {
  it('stays open, so that days and messages of it are erased, but not the whole', async () => {
    const bob = await register(service.url);
    const { id: room } = (await ada.put(`/v1/direct/${bob.username}`)).body;
    const said = rare();
    const { id: message } = await ada.says(room, said);
    expect(outcome(await admin.post('/v1/erasures', { room, ground: 'other', reason: 'x' }))).toBe('conflict');
    await done(await erase({ room, message }));
    expect(await dump()).not.toContain(said);
  });
});

describe('an erasure that cannot be carried out', () => {
  it('does not hold up the others', async () => {
    const [chief, dan] = [await register(service.url), await register(service.url)];
    const { body: hold } = await admin.post('/v1/holds', { person: chief.id, reason: 'Case 6' });
    const stuck = await erase({ person: chief.id });
    // Made the only administrator meanwhile, whom nobody can deactivate.
    await admin.patch(`/v1/users/${chief.id}`, { role: 'admin' });
    const chiefNow = await signIn(service.url, { username: chief.username, password: 'correct horse' });
    await chiefNow.patch(`/v1/users/${admin.id}`, { role: 'user' });
    expect(outcome(await chiefNow.delete(`/v1/holds/${hold.id}`))).toBe(204);
    const { body } = await chiefNow.post('/v1/erasures', { person: dan.id, ground: 'other', reason: 'Letter 13' });
    const of = async (id: string) => (await chiefNow.get(`/v1/erasures/${id}`)).body.status;
    await eventually(
      () => of(body.id),
      (status) => status === 'done',
    );
    expect(await of(stuck)).toBe('running');
    const { problem } = (await chiefNow.get(`/v1/erasures/${stuck}`)).body;
    expect(problem).toMatch(/administrator/);
    await chiefNow.patch(`/v1/users/${admin.id}`, { role: 'admin' });
    admin = await signIn(service.url);
  });
});

describe('a hold', () => {
  it('keeps an erasure from beginning until it is lifted', async () => {
    const eve = await register(service.url);
    const room = await ada.roomWith([eve]);
    const said = rare();
    await eve.says(room, said);
    const { status, body: hold } = await admin.post('/v1/holds', { room, reason: 'Case 7' });
    expect(status).toBe(201);
    const [person, whole] = [await erase({ person: eve.id }), await erase({ room })];
    await eventually(
      async () => [await statusOf(person), await statusOf(whole)],
      (states) => states.every((one) => one === 'held'),
    );
    expect(
      (await ada.get(`/v1/rooms/${room}/messages`)).body.items.map(({ text }: { text: string }) => text),
    ).toContain(said);
    expect(outcome(await admin.delete(`/v1/holds/${hold.id}`))).toBe(204);
    await Promise.all([done(person), done(whole)]);
    expect(await dump()).not.toContain(said);
    expect(outcome(await admin.delete(`/v1/holds/${hold.id}`))).toBe('not_found');
  });

  it('of one person does not hold up another', async () => {
    const [eve, dan] = [await register(service.url), await register(service.url)];
    await admin.post('/v1/holds', { person: eve.id, reason: 'Case 8' });
    const id = await erase({ person: dan.id });
    await done(id);
    expect(await statusOf(await erase({ person: eve.id }))).toBe('held');
  });

  it('and erasures are on the audit trail, with their reasons', async () => {
    const trail = await admin.all('/v1/audit?kind=user&action=ErasureRequested');
    expect(trail.length).toBeGreaterThan(2);
    expect(trail[0]).toMatchObject({ reason: 'Letter 12', detail: 'consent_withdrawn' });
  });
});

describe('the lists', () => {
  it('name who asked for what, when and why, and which hold forbids it, the newest first', async () => {
    const eve = await register(service.url);
    const room = await ada.roomWith([eve]);
    const { id: message } = await eve.says(room, 'secret');
    const { body: hold } = await admin.post('/v1/holds', { person: eve.id, reason: 'Case 9' });
    const held = await erase({ room, message });
    const { body: free } = await admin.post('/v1/holds', { room, from: '2026-01-01', to: '2026-01-31', reason: 'x' });
    const days = await erase({ room: await ada.room(), from: '2026-02-01', to: '2026-02-03' });
    await done(days);

    const [first, second] = (await admin.get('/v1/erasures?limit=2')).body.items;
    const by = { id: admin.id, username: admin.username };
    expect(first).toMatchObject({ id: days, status: 'done', by, heldBy: [], ground: 'consent_withdrawn' });
    expect(first).toMatchObject({ scope: { kind: 'days', from: '2026-02-01', to: '2026-02-03', person: null } });
    expect(first.certificate).toContain(first.beganAt);
    expect(first.finishedAt >= first.beganAt && first.beganAt >= first.requestedAt).toBe(true);
    expect(second).toMatchObject({ id: held, status: 'held', reason: 'Letter 12', beganAt: null, certificate: null });
    expect(second).toMatchObject({ heldBy: [hold.id], scope: { kind: 'message', room, message } });
    expect((await admin.get(`/v1/erasures/${held}`)).body).toEqual(second);

    const holds = (await admin.get('/v1/holds')).body.items;
    expect(holds.slice(0, 2)).toMatchObject([
      { id: free.id, scope: { kind: 'days', room, from: '2026-01-01' }, by, reason: 'x' },
      { id: hold.id, scope: { kind: 'person', person: eve.id }, reason: 'Case 9' },
    ]);
    await admin.delete(`/v1/holds/${free.id}`);
    expect((await admin.get('/v1/holds?limit=1')).body.items[0].id).toBe(hold.id);
  });

  it('come in pages, each erasure once, and are for administrators and auditors', async () => {
    const whole = (await admin.get('/v1/erasures?limit=200')).body.items.map(({ id }: { id: string }) => id);
    expect(whole.length).toBeGreaterThan(4);
    expect((await admin.all('/v1/erasures', 2)).map(({ id }) => id)).toEqual(whole);
    const holds = (await admin.get('/v1/holds?limit=200')).body.items;
    expect(await admin.all('/v1/holds', 1)).toEqual(holds);
    expect(outcome(await admin.get('/v1/erasures?cursor=x'))).toBe('invalid_request');
    const grace = await register(service.url);
    for (const path of ['/v1/erasures', '/v1/holds']) expect(outcome(await grace.get(path))).toBe('forbidden');
    await admin.patch(`/v1/users/${grace.id}`, { role: 'auditor' });
    for (const path of ['/v1/erasures', '/v1/holds']) expect(outcome(await grace.get(path))).toBe(200);
  });
});

describe('what may not be asked for', () => {
  it('is refused', async () => {
    const room = await ada.room();
    const [why, today] = [{ ground: 'other', reason: 'x' }, new Date().toISOString().slice(0, 10)];
    const ask = async (body: object) => outcome(await admin.post('/v1/erasures', body));
    expect(await ask({ room, ground: 'other' })).toBe('reason_required');
    expect(await ask({ ...why })).toBe('invalid_request');
    expect(await ask({ ...why, room, person: ada.id })).toBe('invalid_request');
    expect(await ask({ ...why, room, from: today })).toBe('invalid_request');
    expect(await ask({ ...why, room, from: today, to: today })).toBe('invalid_request');
    expect(await ask({ ...why, room, ground: 'whim' })).toBe('invalid_request');
    expect(await ask({ ...why, room: unknownId() })).toBe('not_found');
    expect(await ask({ ...why, room, message: unknownId() })).toBe('not_found');
    expect(await ask({ ...why, person: unknownId() })).toBe('not_found');
    expect(outcome(await ada.post('/v1/erasures', { ...why, room }))).toBe('forbidden');
    expect(outcome(await admin.get(`/v1/erasures/${unknownId()}`))).toBe('not_found');
    expect(outcome(await admin.post('/v1/holds', { room }))).toBe('reason_required');
  });
});
