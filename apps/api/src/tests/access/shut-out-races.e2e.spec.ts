import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome } from '../harness/contract.testing.js';
import {
  because,
  eventually,
  openSocket,
  password,
  register,
  signIn,
  type TestPerson,
  Visitor,
} from '../harness/test-client.testing.js';
import { startTestService, type TestService } from '../harness/test-service.testing.js';

/**
 * Somebody is shut out at one replica while much is made for their account at both. Whatever comes of it, nothing that was
 * made until then opens the account once it is back, and nothing that was made after stays.
 */

const ROUNDS = Number(process.env.SHUT_OUT_ROUNDS ?? 12);
let left: TestService;
let right: TestService;
let admin: TestPerson;

beforeAll(async () => {
  left = await startTestService();
  right = await startTestService({ beside: left });
  admin = await signIn(left.url);
});
afterAll(async () => {
  await right.stop();
  await left.stop();
});

const makeToken = { name: 'of a race', scopes: ['read'], expiresInDays: 1 };
const me = (accessToken: string, url: string) =>
  new Visitor(url).get('/v1/me', { authorization: `Bearer ${accessToken}` });

/** Everything that was handed out for the account, as far as it was. */
interface Loot {
  readonly access: string[];
  readonly refresh: string[];
  readonly resets: string[];
  readonly tickets: string[];
}

/** Tries to get hold of all that opens an account, at both replicas, about `spread` milliseconds long. */
async function grab(person: TestPerson, spread: number): Promise<Loot> {
  const loot: Loot = { access: [], refresh: [], resets: [], tickets: [] };
  const keep = (from: string[], text: string | undefined) => void (text && from.push(text));
  const tries = [left, right].flatMap(({ url }) => [
    ...[1, 2, 3].map(() => async () => {
      keep(loot.access, (await person.at(url).post('/v1/me/tokens', makeToken)).body.token);
    }),
    async () => {
      const { body } = await new Visitor(url).post('/v1/auth/login', { username: person.username, password });
      keep(loot.access, body.accessToken);
      keep(loot.refresh, body.refreshToken);
    },
    async () => {
      const { body } = await admin.at(url).post(`/v1/users/${person.id}/password-reset`);
      keep(loot.resets, body.token);
    },
    async () => keep(loot.tickets, (await person.at(url).post('/v1/auth/ticket')).body.ticket),
  ]);
  await Promise.all(
    tries.map(async (attempt) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * spread));
      await attempt();
    }),
  );
  return loot;
}

describe.each([
  ['deactivated', { deactivated: true }, { deactivated: false }],
  ['suspended', { suspended: true }, { suspended: false }],
])('somebody who is %s meanwhile', (_, shutOut, letIn) => {
  it('comes back with nothing of what was made until then', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const person = await register(left.url);
      const path = `/v1/users/${person.id}`;
      const [loot, shut] = await Promise.all([
        grab(person, 30),
        (async () => {
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
          return (round % 2 ? admin : admin.at(right.url)).patch(path, shutOut);
        })(),
      ]);
      expect(shut.status).toBe(200);
      expect((await admin.patch(path, letIn)).status).toBe(200);
      for (const { url } of [left, right]) {
        for (const text of [person.accessToken, ...loot.access])
          await eventually(
            () => me(text, url).then(outcome),
            (answer) => answer === 'unauthenticated',
          );
        for (const refreshToken of [person.refreshToken, ...loot.refresh])
          expect(outcome(await new Visitor(url).post('/v1/auth/refresh', { refreshToken }))).toBe('unauthenticated');
      }
      for (const token of loot.resets)
        expect(
          outcome(await new Visitor(right.url).post('/v1/auth/reset', { token, newPassword: 'a thief was here' })),
        ).not.toBe(200);
      for (const ticket of loot.tickets) {
        const socket = openSocket(right.url, { ticket });
        const greeted = socket.next('hello').then(() => 'greeted');
        expect(await Promise.race([socket.closed, greeted])).not.toBe('greeted');
        greeted.catch(() => undefined);
      }
      expect((await admin.get(`${path}/tokens`)).body.items).toEqual([]);
      expect((await signIn(right.url, { username: person.username, password })).id).toBe(person.id);
    }
  }, 240_000);

  it('leaves no invitation and no webhook that was made after', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const person = await register(left.url);
      const room = await person.room();
      const path = `/v1/users/${person.id}`;
      const make = async (url: string) => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
        const there = person.at(url);
        const made = await Promise.all([
          there.post(`/v1/rooms/${room}/invitations`, {}),
          there.post(`/v1/rooms/${room}/webhooks`, { url: 'https://example.org/hook' }),
        ]);
        return made;
      };
      const [shut] = await Promise.all([
        new Promise((resolve) => setTimeout(resolve, Math.random() * 30)).then(() => admin.patch(path, shutOut)),
        ...[left, right, left, right].map(({ url }) => make(url)),
      ]);
      expect(shut.status).toBe(200);
      const account = (await admin.all(`${path}/events`)) as { type: string; position: number }[];
      const shutAt = account.find(({ type }) => type === 'UserDeactivated' || type === 'UserSuspended')?.position ?? 0;
      expect(shutAt).toBeGreaterThan(0);
      const events = (await admin.all(`/v1/rooms/${room}/events`, 200, because())) as {
        type: string;
        position: number;
        data: { webhookId: string };
      }[];
      const late = events.filter(({ type, position }) => type === 'WebhookAdded' && position > shutAt);
      const hooks = (await admin.get(`/v1/rooms/${room}/webhooks`)).body.items;
      for (const { data } of late)
        expect(hooks.find(({ id }: { id: string }) => id === data.webhookId)).toMatchObject({
          active: false,
          stopped: 'owner_gone',
        });
      expect((await admin.patch(path, letIn)).status).toBe(200);
    }
  }, 240_000);
});

it('a deactivated bot gets no token', async () => {
  const bot = (await admin.post('/v1/bots', { username: `robby${process.pid}` })).body;
  await admin.patch(`/v1/users/${bot.id}`, { deactivated: true });
  for (const { url } of [left, right])
    expect(outcome(await admin.at(url).post(`/v1/users/${bot.id}/tokens`, makeToken))).toBe('forbidden');
  await admin.patch(`/v1/users/${bot.id}`, { deactivated: false });
  const made = await admin.at(right.url).post(`/v1/users/${bot.id}/tokens`, makeToken);
  expect(made.status).toBe(201);
  expect((await me(made.body.token, left.url)).body.id).toBe(bot.id);
});
