import { randomBytes } from 'node:crypto';
import { roomStream, userStream } from '@verbatim/domain';
import pino from 'pino';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../config.js';
import { newId } from '../../new-id.js';
import { outcome } from '../../tests/harness/contract.testing.js';
import {
  because,
  eventually,
  freshName,
  register,
  signIn,
  type TestPerson,
  Visitor,
} from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { openTools } from '../../tools/tools.js';

const master = randomBytes(32).toString('base64');
let left: TestService;
let right: TestService;
let admin: TestPerson;
let ada: TestPerson;
let bob: TestPerson;
/** Milliseconds by which the clocks of both are ahead. */
let ahead = 0;

beforeAll(async () => {
  const environment = { MASTER_KEY: master };
  const clock = () => new Date(Date.now() + ahead);
  left = await startTestService({ environment, clock });
  right = await startTestService({ environment, clock, beside: left });
  [admin, ada, bob] = [await signIn(left.url), await register(left.url), await register(left.url)];
});
afterAll(async () => {
  await right.stop();
  await left.stop();
});

const incomingOf = (room: string) => `/v1/rooms/${room}/incoming-webhooks`;
const anybody = () => new Visitor(right.url);

async function hook(room: string, name = 'Build server', by = ada) {
  const { status, body } = await by.post(incomingOf(room), { name });
  expect(status).toBe(201);
  return body as { id: string; botId: string; path: string };
}
const userAt = async (id: string, url = right.url) => (await admin.at(url).get(`/v1/users/${id}`)).body;

describe('the bot of an incoming webhook ends', () => {
  it('when the webhook is removed, and what it said keeps its author', async () => {
    const room = await ada.roomWith([bob]);
    const { id, botId, path } = await hook(room);
    await anybody().post(path, { text: 'green' });
    expect(await userAt(botId)).toMatchObject({ status: 'active', bot: true });
    expect(outcome(await ada.delete(`${incomingOf(room)}/${id}`))).toBe(204);
    expect(await userAt(botId)).toMatchObject({ status: 'deactivated', bot: true });
    const [message] = (await bob.get(`/v1/rooms/${room}/messages?limit=1`)).body.items;
    expect(message).toMatchObject({ text: 'green', author: { id: botId, displayName: 'Build server' } });
    for (const wish of [{ deactivated: false }, { role: 'admin' }])
      expect(outcome(await admin.patch(`/v1/users/${botId}`, wish))).toBe('conflict');
    expect(outcome(await ada.post(`/v1/rooms/${room}/members`, { userId: botId }))).toBe('not_found');
  });

  it('when anybody closes its room', async () => {
    for (const by of [ada, admin]) {
      const room = await ada.room();
      const hooks = [await hook(room, 'One'), await hook(room, 'Two')];
      await by.post(`/v1/rooms/${room}/close`);
      for (const { botId, path } of hooks) {
        expect((await userAt(botId)).status).toBe('deactivated');
        expect(outcome(await anybody().post(path, { text: 'hello' }))).toBe('room_closed');
      }
    }
  });

  it('even when the process died in between: the next start ends it', async () => {
    const room = await ada.room();
    const [one, two] = [await hook(room, 'One'), await hook(room, 'Two')];
    const sql = postgres(left.databaseUrl, { max: 1 });
    await sql.unsafe(`
      create function refuse_for_now() returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$;
      create trigger not_now before insert on log.events for each row
        when (new.type = 'UserDeactivated') execute function refuse_for_now()`);
    try {
      await ada.delete(`${incomingOf(room)}/${one.id}`);
    } finally {
      await sql.unsafe('drop trigger not_now on log.events; drop function refuse_for_now()');
      await sql.end();
    }
    expect(await userAt(one.botId)).toMatchObject({ status: 'active' });
    await right.restart();
    await eventually(
      () => userAt(one.botId),
      ({ status }) => status === 'deactivated',
    );
    expect((await userAt(two.botId)).status).toBe('active');
  }, 60_000);

  it('even if an older release left it behind', async () => {
    const old = await leaveOldBots();
    await right.restart();
    for (const botId of [old.removed, old.closed, old.orphan])
      await eventually(
        () => userAt(botId),
        ({ status }) => status === 'deactivated',
      );
    expect((await userAt(old.living)).status).toBe('active');
    expect((await userAt(old.byAdministrator)).status).toBe('active');
    const found = await admin.at(right.url).get(`/v1/users?usernames=${old.names.join()}&bot=true`);
    expect(found.body.items.map(({ id }: { id: string }) => id)).toEqual([old.byAdministrator]);
  }, 60_000);
});

/** As releases before this one recorded them: bots like those of administrators. */
async function leaveOldBots() {
  const url = left.databaseUrl;
  const database = { url, directUrl: url, lost: new Promise<never>(() => undefined), stop: async () => undefined };
  const tools = await openTools({
    config: readConfig({ MASTER_KEY: master, VERBATIM_DATA: '/nowhere' }),
    database,
    log: pino({ level: 'silent' }),
  });
  const at = '2026-01-31T12:00:00.000Z';
  const append = async (stream: string, ...facts: { type: string; data: object; schema?: number }[]) => {
    const drafts = facts.map((fact) => ({ id: newId(), schema: 1, at, actor: ada.id, correlation: newId(), ...fact }));
    await tools.store.append(stream, -1n, await tools.sealer.seal(stream, 0n, null, drafts));
  };
  const register = async (id: string, username = `hook-${id.slice(-12)}`) => {
    const data = { username, displayName: 'Old bot', email: null, role: 'user', origin: 'bot' };
    await append(userStream(id), { type: 'UserRegistered', data });
    return id;
  };
  const room = async (botId: string, ...more: { type: string; data: object }[]) => {
    const [webhookId, settings] = [newId(), { visibility: 'public', history: 'full', passwordId: null }];
    const facts = [
      { type: 'RoomCreated', data: { name: `old ${webhookId}`, topic: '', ...settings } },
      { type: 'MemberJoined', data: { userId: ada.id, role: 'owner' } },
      { type: 'IncomingWebhookAdded', data: { webhookId, botId, name: 'Old bot' } },
      { type: 'MemberJoined', data: { userId: botId, role: 'member' } },
      ...more.map(({ type, data }) => ({ type, data: { webhookId, ...data } })),
    ];
    await append(roomStream(newId()), ...facts);
    return botId;
  };
  const removed = await room(await register(newId()), { type: 'IncomingWebhookRemoved', data: {} });
  const closed = await room(await register(newId()), { type: 'ChatClosed', data: { reason: null } });
  const living = await room(await register(newId()));
  const orphan = await register(newId());
  const byAdministrator = await register(newId(), 'hook-line-and-sinker');
  await tools.close();
  const names = [removed, closed, living, orphan].map((id) => `hook-${id.slice(-12)}`);
  return { removed, closed, living, orphan, byAdministrator, names: [...names, 'hook-line-and-sinker'] };
}

describe('the bot of an incoming webhook is not among people', () => {
  it('in any list, count or export', async () => {
    const room = await ada.room();
    const name = `Roboter ${freshName()}`;
    const accounts = async () => (await admin.get('/v1/overview')).body.accounts;
    const before = await accounts();
    const { botId, id } = await hook(room, name);
    const { username } = await userAt(botId);
    expect(username).toMatch(/^hook-[0-9a-f]{12}$/);
    expect(await accounts()).toBe(before);
    const everybody = await admin.all('/v1/users');
    expect(everybody.map(({ id }) => id)).toContain(ada.id);
    expect(everybody.map(({ id }) => id)).not.toContain(botId);
    for (const query of [
      `q=${encodeURIComponent(name)}`,
      `q=${username}`,
      `usernames=${username}`,
      'bot=true',
      'bot=false',
    ])
      for (const who of [ada, admin])
        expect(JSON.stringify(await who.all(`/v1/users?${query}`)), query).not.toContain(botId);
    expect((await admin.get('/v1/users/export')).text).not.toContain(username);
    expect(outcome(await ada.put(`/v1/direct/${username}`))).toBe('not_found');
    // Whoever sees what it says can look at who that is.
    expect(await userAt(botId)).toMatchObject({ displayName: name, bot: true });
    expect((await ada.get(`/v1/rooms/${room}/members`)).text).toContain(botId);
    await ada.delete(`${incomingOf(room)}/${id}`);
    expect((await admin.get(`/v1/users/export?status=deactivated`)).text).not.toContain(username);
    expect(await accounts()).toBe(before);
  });

  it('by its name, which is nobody else’s and cannot be taken', async () => {
    const room = await ada.room();
    await bob.patch('/v1/me', { displayName: 'Böb Builder' });
    for (const name of ['Böb Builder', 'BÖB BUILDER', bob.username, bob.username.toUpperCase(), ada.username])
      expect(outcome(await ada.post(incomingOf(room), { name })), name).toBe('name_taken');
    await hook(room, 'Build server');
    expect(outcome(await ada.post(incomingOf(room), { name: 'build SERVER' }))).toBe('name_taken');
    for (const name of ['Bob\u200b', 'Аdmin', '  ', 'a\u202eb'])
      expect(outcome(await ada.post(incomingOf(room), { name })), name).toBe('invalid_request');
    expect((await ada.get(incomingOf(room))).body.items).toHaveLength(1);
    await hook(await ada.room(), 'Build server');
    for (const username of ['hook-build', 'HOOK-0123456789ab']) {
      expect(
        outcome(await new Visitor(left.url).post('/v1/auth/register', { username, password: 'correct horse' })),
      ).toBe('name_taken');
      expect(outcome(await admin.post('/v1/bots', { username }))).toBe('name_taken');
      expect(outcome(await admin.post('/v1/users', { username }))).toBe('name_taken');
    }
  });

  it('by its username, which uses up no invitation either', async () => {
    const { id, code: invitation } = (await admin.post('/v1/invitations', {})).body;
    const wanted = { username: 'hook-guest', password: 'correct horse', invitation };
    expect(outcome(await new Visitor(left.url).post('/v1/auth/register', wanted))).toBe('name_taken');
    expect(await admin.all(`/v1/invitations/${id}/uses`)).toEqual([]);
  });

  it('in its rights: it has no tokens', async () => {
    const { botId } = await hook(await ada.room());
    const token = { name: 'more', scopes: ['read', 'post', 'manage'], expiresInDays: null };
    expect(outcome(await admin.post(`/v1/users/${botId}/tokens`, token))).toBe('forbidden');
  });
});

describe('the bots of incoming webhooks', () => {
  it('are limited for somebody who adds and removes them in a loop, through two replicas', async () => {
    const cem = await register(left.url);
    const rooms = [await cem.room(), await cem.room()];
    const before = (await admin.all(`/v1/rooms/${rooms[0]}/events`, 200, because())).length;
    const refusals: unknown[] = [];
    for (let i = 0; i < 120; i += 10) {
      const made = await Promise.all(
        Array.from({ length: 10 }, (_, j) => {
          const by = cem.at(j % 2 ? left.url : right.url);
          return by.post(incomingOf(rooms[j % 2] as string), { name: `Bot ${i + j}` });
        }),
      );
      refusals.push(...made.filter(({ status }) => status !== 201).map(outcome));
      await Promise.all(
        made
          .filter(({ status }) => status === 201)
          .map(({ body }) => cem.delete(`${incomingOf(body.roomId)}/${body.id}`)),
      );
    }
    const sql = postgres(left.databaseUrl, { max: 1 });
    const [row] = await sql`select count(*)::int as bots from vault.webhook_bots where owner = ${cem.id}`;
    await sql.end();
    expect(row?.bots).toBeLessThanOrEqual(100);
    expect(row?.bots).toBeGreaterThan(80);
    expect(new Set(refusals)).toEqual(new Set(['rate_limited']));
    expect((await admin.all(`/v1/rooms/${rooms[0]}/events`, 200, because())).length).toBeGreaterThan(before);
    // Others are not in the way of each other, and tomorrow is another day.
    await hook(await bob.room(), 'Other bot', bob);
    ahead += 86_400_000;
    const later = await signIn(left.url, { username: cem.username, password: 'correct horse' });
    await hook(rooms[0] as string, 'Tomorrow', later);
    [admin, ada, bob] = [
      await signIn(left.url),
      await signIn(left.url, { username: ada.username, password: 'correct horse' }),
      await signIn(left.url, { username: bob.username, password: 'correct horse' }),
    ];
  }, 120_000);
});
