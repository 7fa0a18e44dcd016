import { storedEventSchema } from '@verbatim/protocol';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { neverSeen, outcome } from '../../tests/harness/contract.testing.js';
import {
  eventually,
  register,
  signIn,
  type TestPerson,
  unknownId,
  Visitor,
} from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { Receiver, verifies } from '../../units/webhooks/receiver.testing.js';

const environment = { WEBHOOK_ALLOW_PRIVATE: 'on' };
let left: TestService;
let right: TestService;
let admin: TestPerson;
let ada: TestPerson;
let bob: TestPerson;
let receiver: Receiver;
/** Seconds by which the clocks of both are ahead. */
let ahead = 0;

beforeAll(async () => {
  const clock = () => new Date(Date.now() + ahead * 1_000);
  left = await startTestService({ environment, clock });
  right = await startTestService({ environment, clock, beside: left });
  admin = await signIn(left.url);
  ada = await register(left.url);
  bob = await register(left.url);
});
afterAll(async () => {
  await right.stop();
  await left.stop();
});
beforeEach(async () => {
  receiver = await Receiver.start();
});
afterEach(() => receiver.down());

const webhooksOf = (room: string) => `/v1/rooms/${room}/webhooks`;

async function hooked(room: string, more: object = {}, by = ada, to = receiver) {
  const { status, body } = await by.post(webhooksOf(room), { url: to.url, ...more });
  expect(status).toBe(201);
  return body as { id: string; secret: string };
}
const state = async (room: string, id: string) => (await ada.get(`${webhooksOf(room)}/${id}`)).body;
const delivered = (count: number, to = receiver) =>
  eventually(
    async () => to.texts(),
    (texts) => texts.length >= count,
  );
const stopped = (room: string, id: string) =>
  eventually(
    () => state(room, id),
    (one) => !one.active,
  );

describe('an outgoing webhook', () => {
  it('gets new events in order, signed, as a member would see them', async () => {
    const room = await ada.roomWith([bob]);
    await bob.says(room, 'before');
    const { id, secret } = await hooked(room);
    const said = Array.from({ length: 30 }, (_, i) => `message ${i}`);
    for (const [i, text] of said.entries()) await bob.at(i % 2 ? left.url : right.url).says(room, text);
    expect(await delivered(30)).toEqual(said);
    for (const got of receiver.got) {
      expect(verifies(got, secret)).toBe(true);
      expect(verifies({ ...got, text: `${got.text} ` }, secret)).toBe(false);
      expect(got.headers['webhook-id']).toBe(got.event.id);
      expect(Math.abs(Date.now() / 1_000 - Number(got.headers['webhook-timestamp']))).toBeLessThan(60);
      expect(storedEventSchema.parse(got.event)).toEqual(got.event);
    }
    const [event] = (await bob.get(`/v1/rooms/${room}/events?from=${receiver.got[0]?.event.revision}&limit=1`)).body
      .items;
    expect(receiver.got[0]?.event).toEqual(event);
    const { deliveries } = await eventually(
      () => state(room, id),
      (one) => one.deliveries.behind === 0,
    );
    expect(deliveries).toMatchObject({ lastStatus: 200, lastError: null, nextAttemptAt: null });
  });

  it('gets only the types of events that it asked for', async () => {
    const room = await ada.roomWith([bob]);
    const { id } = await hooked(room, { events: ['MessageRedacted', 'ReactionAdded'] });
    const message = await bob.says(room, 'hello');
    await ada.put(`/v1/rooms/${room}/messages/${message.id}/reactions/%F0%9F%91%8D`);
    await ada.delete(`/v1/rooms/${room}/messages/${message.id}`, { reason: 'between us' });
    await delivered(2);
    expect(receiver.events().map(({ type }) => type)).toEqual(['ReactionAdded', 'MessageRedacted']);
    // Why it was redacted is for moderators.
    expect(receiver.got[1]?.event.data).not.toHaveProperty('reason');
    await ada.patch(`${webhooksOf(room)}/${id}`, { events: ['MessagePosted'] });
    await bob.says(room, 'again');
    await delivered(3);
    expect(receiver.events().at(-1)).toMatchObject({ type: 'MessagePosted', data: { text: 'again' } });
  });

  it('loses nothing while its receiver is down', async () => {
    const room = await ada.room();
    const { id } = await hooked(room);
    await ada.says(room, 'one');
    await delivered(1);
    await receiver.down();
    for (const text of ['two', 'three', 'four']) await ada.says(room, text);
    const failing = await eventually(
      () => state(room, id),
      (one) => one.deliveries.lastError !== null,
    );
    expect(failing.active).toBe(true);
    expect(failing.deliveries).toMatchObject({ lastStatus: null, lastError: 'The connection failed.', behind: 3 });
    expect(Date.parse(failing.deliveries.nextAttemptAt)).toBeGreaterThan(Date.parse(failing.deliveries.lastAttemptAt));
    receiver.refuse(500);
    await receiver.up();
    await eventually(
      () => state(room, id),
      (one) => one.deliveries.lastStatus === 500,
    );
    receiver.accept();
    expect(await delivered(4)).toEqual(['one', 'two', 'three', 'four']);
    const { deliveries } = await eventually(
      () => state(room, id),
      (one) => one.deliveries.behind === 0,
    );
    expect(deliveries).toMatchObject({ lastStatus: 200, lastError: null });
  });

  it('never gets a text that was redacted or edited before it was sent', async () => {
    const room = await ada.roomWith([bob]);
    receiver.refuse(503);
    await hooked(room, { events: ['MessagePosted', 'MessageEdited', 'MessageRedacted'] });
    await ada.says(room, 'the first');
    await eventually(
      async () => receiver.got.length,
      (count) => count > 0,
    );
    const regretted = await bob.says(room, 'a secret that slipped out');
    const edited = await bob.says(room, 'a mistake');
    await bob.patch(`/v1/rooms/${room}/messages/${edited.id}`, { text: 'put right' });
    await bob.delete(`/v1/rooms/${room}/messages/${regretted.id}`);
    receiver.accept();
    await delivered(5);
    expect(receiver.texts()).toEqual(['the first', null, null, 'put right', undefined]);
    const sent = receiver.got.map(({ text }) => text).join();
    expect(sent).not.toContain('slipped out');
    expect(sent).not.toContain('a mistake');
  });

  it('does not wait for a slow receiver of others', async () => {
    const room = await ada.room();
    const slow = await Receiver.start();
    slow.answer = () => undefined;
    for (let i = 0; i < 5; i++) await hooked(room, {}, ada, slow);
    await hooked(room);
    await ada.says(room, 'quick');
    await eventually(
      async () => slow.got.length,
      (count) => count === 5,
    );
    await delivered(1);
    await ada.says(room, 'and again');
    await delivered(2);
    expect(slow.got).toHaveLength(5);
    await slow.down();
  });

  it('follows no redirect, and reads no endless answer', async () => {
    const room = await ada.room();
    const other = await Receiver.start();
    receiver.answer = (response) => response.writeHead(307, { location: other.url }).end();
    const { id } = await hooked(room);
    await ada.says(room, 'hello');
    const redirected = await eventually(
      () => state(room, id),
      (one) => one.deliveries.lastStatus !== null,
    );
    expect(redirected.deliveries).toMatchObject({ lastStatus: 307, lastError: 'It answered 307.' });
    expect(other.got).toEqual([]);
    await other.down();
    let endless = 0;
    receiver.answer = (response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384))) endless += 16_384;
      };
      response.on('drain', more);
      more();
    };
    const taken = await eventually(
      () => state(room, id),
      (one) => one.deliveries.lastError === null,
    );
    expect(taken.deliveries).toMatchObject({ lastStatus: 200, behind: 0 });
    expect(endless).toBeLessThan(64 * 2 ** 20);
  });

  it('stops when the receiver says that it is gone, and continues there when somebody restarts it', async () => {
    const room = await ada.room();
    const { id } = await hooked(room);
    receiver.refuse(410);
    await ada.says(room, 'nobody home');
    expect(await stopped(room, id)).toMatchObject({ stopped: 'receiver_gone', deliveries: { lastStatus: 410 } });
    receiver.accept();
    await ada.says(room, 'still nobody');
    await ada.at(right.url).patch(`${webhooksOf(room)}/${id}`, { active: true });
    expect(await delivered(2)).toEqual(['nobody home', 'still nobody']);
  });

  it('stops after three days of failures', async () => {
    const room = await ada.room();
    const { id } = await hooked(room);
    receiver.refuse(500);
    await ada.says(room, 'hello');
    await eventually(
      () => state(room, id),
      (one) => one.deliveries.lastStatus === 500,
    );
    // Tokens of sessions expire meanwhile.
    ahead += 3 * 86_400 + 60;
    [ada, bob, admin] = [await again(ada), await again(bob), await signIn(left.url)];
    expect(await stopped(room, id)).toMatchObject({ stopped: 'failing', deliveries: { nextAttemptAt: null } });
    receiver.accept();
    await ada.patch(`${webhooksOf(room)}/${id}`, { active: true });
    expect(await delivered(1)).toEqual(['hello']);
  });

  it('skips what happened while it was paused', async () => {
    const room = await ada.room();
    const { id } = await hooked(room, { active: false });
    await ada.says(room, 'not yet');
    await ada.patch(`${webhooksOf(room)}/${id}`, { active: true });
    await ada.says(room, 'one');
    expect(await delivered(1)).toEqual(['one']);
    expect(await ada.patch(`${webhooksOf(room)}/${id}`, { active: false })).toMatchObject({
      body: { active: false, stopped: 'paused' },
    });
    await ada.at(right.url).says(room, 'between us');
    await ada.at(right.url).patch(`${webhooksOf(room)}/${id}`, { active: true });
    await ada.says(room, 'two');
    expect(await delivered(2)).toEqual(['one', 'two']);
  });

  it('uses the new secret after rotation, and the new address after a change', async () => {
    const room = await ada.room();
    const { id, secret: first } = await hooked(room);
    const { body } = await ada.post(`${webhooksOf(room)}/${id}/rotate-secret`);
    expect(body.secret).not.toBe(first);
    await ada.says(room, 'hello');
    await delivered(1);
    expect(receiver.got.map((got) => [verifies(got, first), verifies(got, body.secret)])).toEqual([[false, true]]);
    const other = await Receiver.start();
    await ada.patch(`${webhooksOf(room)}/${id}`, { url: other.url });
    await ada.says(room, 'moved');
    expect(await delivered(1, other)).toEqual(['moved']);
    expect(receiver.got).toHaveLength(1);
    await other.down();
  });

  it('sends nothing once it is removed', async () => {
    const room = await ada.room();
    const { id } = await hooked(room);
    const other = await Receiver.start();
    await hooked(room, {}, ada, other);
    expect(outcome(await ada.at(right.url).delete(`${webhooksOf(room)}/${id}`))).toBe(204);
    await ada.says(room, 'hello');
    await delivered(1, other);
    expect(receiver.got).toEqual([]);
    expect(outcome(await ada.get(`${webhooksOf(room)}/${id}`))).toBe('not_found');
    await other.down();
  });

  it.each([
    [
      'is an owner no more',
      (room: string, id: string) => admin.patch(`/v1/rooms/${room}/members/${id}`, { role: 'moderator' }),
    ],
    ['was removed', (room: string, id: string) => admin.delete(`/v1/rooms/${room}/members/${id}`)],
    ['was suspended', (_: string, id: string) => admin.patch(`/v1/users/${id}`, { suspended: true })],
  ])('ends when the one who answers for it %s', async (_, lose) => {
    const cem = await register(left.url);
    const room = await ada.roomWith([[cem, 'owner'], bob], { visibility: 'private' });
    const { id } = await hooked(room, {}, cem);
    await bob.says(room, 'hello');
    await delivered(1);
    await lose(room, cem.id);
    await bob.at(right.url).says(room, 'without cem');
    expect(await stopped(room, id)).toMatchObject({ stopped: 'owner_gone', owner: cem.id });
    expect(receiver.texts()).toEqual(['hello']);
    // Another owner may take it over, for what comes then.
    const taken = await ada.patch(`${webhooksOf(room)}/${id}`, { active: true });
    expect(taken.body).toMatchObject({ active: true, owner: ada.id });
    await bob.says(room, 'with ada');
    expect(await delivered(2)).toEqual(['hello', 'with ada']);
  });

  it('keeps address and secret out of the log and of every answer', async () => {
    const room = await ada.room();
    const { id, secret } = await hooked(room, { events: ['MessagePosted'] });
    const answers = [
      await ada.get(`${webhooksOf(room)}/${id}`),
      await ada.get(webhooksOf(room)),
      await admin.get(`/v1/rooms/${room}/events`),
    ];
    const sql = postgres(left.databaseUrl, { max: 1 });
    const stored = [
      await sql`select sealed from log.events`,
      await sql`select * from vault.webhook_secrets`,
      await sql`select * from desk.idempotency`,
    ];
    await sql.end();
    for (const text of [...answers.map(({ text }) => text), JSON.stringify(stored)]) {
      expect(text).not.toContain('s3cret');
      expect(text).not.toContain(secret.slice(6));
    }
    const events = (await ada.get(`/v1/rooms/${room}/events`)).body.items;
    expect(events.at(-1)).toMatchObject({
      type: 'WebhookAdded',
      data: { webhookId: id, host: new URL(receiver.url).host },
    });
  });

  it('is for owners and administrators, and limited to 20 a room', async () => {
    const room = await ada.roomWith([bob]);
    const { id } = await hooked(room);
    const calls: [method: 'get' | 'post' | 'patch' | 'delete', path: string, body?: object][] = [
      ['post', webhooksOf(room), { url: receiver.url }],
      ['get', webhooksOf(room)],
      ['get', `${webhooksOf(room)}/${id}`],
      ['patch', `${webhooksOf(room)}/${id}`, { active: true }],
      ['delete', `${webhooksOf(room)}/${id}`],
      ['post', `${webhooksOf(room)}/${id}/rotate-secret`],
      ['post', `/v1/rooms/${room}/incoming-webhooks`, { name: 'a' }],
      ['get', `/v1/rooms/${room}/incoming-webhooks`],
      ['delete', `/v1/rooms/${room}/incoming-webhooks/${id}`],
    ];
    const dora = await register(left.url);
    for (const [method, path, body] of calls) {
      expect(outcome(await bob.send(method, path, body))).toBe('forbidden');
      expect(outcome(await dora.send(method, path, body))).toBe('not_a_member');
      expect(outcome(await new Visitor(left.url).send(method, path, body))).toBe('unauthenticated');
      expect(outcome(await ada.send(method, path.replace(room, unknownId()).replace(id, unknownId()), body))).toBe(
        'not_found',
      );
      if (path.includes(id))
        expect(outcome(await ada.send(method, path.replace(id, unknownId()), body))).toBe('not_found');
    }
    expect(outcome(await admin.get(webhooksOf(room)))).toBe(200);
    for (let i = 1; i < 20; i++) await hooked(room);
    expect(outcome(await ada.post(webhooksOf(room), { url: receiver.url }))).toBe('conflict');
    expect((await ada.get(webhooksOf(room))).body.items).toHaveLength(20);
    await ada.post(`/v1/rooms/${room}/close`);
    await ada.delete(`${webhooksOf(room)}/${id}`);
    expect(outcome(await ada.post(webhooksOf(room), { url: receiver.url }))).toBe('room_closed');
    for (const url of ['ftp://example.org', 'example.org', '', 'javascript:alert(1)']) {
      expect(outcome(await ada.post(webhooksOf(await ada.room()), { url }))).toBe('invalid_request');
      expect(outcome(await ada.patch(`${webhooksOf(room)}/${unknownId()}`, { url }))).toBe('invalid_request');
    }
  });
});

describe('an incoming webhook', () => {
  const incomingOf = (room: string) => `/v1/rooms/${room}/incoming-webhooks`;
  const anybody = () => new Visitor(right.url);

  it('posts as its own bot, through every replica, at once', async () => {
    const room = await ada.roomWith([bob], { visibility: 'hidden' });
    const { status, body } = await ada.post(incomingOf(room), { name: 'Build server' });
    expect(status).toBe(201);
    expect(body.path).toMatch(/^\/v1\/hooks\/vbh_[A-Za-z0-9_-]{49}$/);
    const posted = await anybody().post(body.path, { text: 'Build 1 is green.' });
    expect(posted.status).toBe(201);
    const [message] = (await bob.get(`/v1/rooms/${room}/messages?limit=1`)).body.items;
    expect(message).toMatchObject({
      ...{ id: posted.body.id, revision: posted.body.revision },
      text: 'Build 1 is green.',
    });
    expect(message.author).toMatchObject({ id: body.botId, displayName: 'Build server' });
    expect((await ada.get(`/v1/users/${body.botId}`)).body).toMatchObject({ displayName: 'Build server', bot: true });
    const listed = await ada.get(incomingOf(room));
    expect(listed.body.items).toMatchObject([{ id: body.id, name: 'Build server', botId: body.botId, owner: ada.id }]);
    expect(listed.text).not.toContain('vbh_');
    expect(outcome(await ada.post(incomingOf(room), { name: 'build server' }))).toBe('name_taken');
  });

  it('posts once for one id', async () => {
    const room = await ada.room();
    const { body } = await ada.post(incomingOf(room), { name: 'Build server' });
    const id = unknownId();
    const first = await anybody().post(body.path, { text: 'green', id });
    const second = await anybody().post(body.path, { text: 'green', id });
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.body).toEqual(first.body);
    expect(outcome(await anybody().post(body.path, { text: 'red', id }))).toBe('duplicate_id');
  });

  it('leads nowhere once it is removed, at once and through every replica', async () => {
    const room = await ada.room();
    const { body } = await ada.post(incomingOf(room), { name: 'Build server' });
    await anybody().post(body.path, { text: 'green' });
    expect(outcome(await ada.delete(`${incomingOf(room)}/${body.id}`))).toBe(204);
    for (const url of [left.url, right.url])
      expect(outcome(await new Visitor(url).post(body.path, { text: 'still green' }))).toBe('not_found');
    expect((await ada.get(`/v1/rooms/${room}/members`)).body.items).toHaveLength(1);
    // Not even when the bot is brought back.
    await ada.post(`/v1/rooms/${room}/members`, { userId: body.botId });
    expect(outcome(await anybody().post(body.path, { text: 'still green' }))).toBe('not_found');
    for (const path of ['/v1/hooks/hello', `/v1/hooks/vbh_${'A'.repeat(49)}`])
      expect(outcome(await anybody().post(path, { text: 'hello' }))).toBe('not_found');
  });

  it('follows the rules of the room', async () => {
    const room = await ada.room();
    const { body } = await ada.post(incomingOf(room), { name: 'Build server' });
    await ada.patch(`/v1/rooms/${room}/members/${body.botId}`, { role: 'guest' });
    expect(outcome(await anybody().post(body.path, { text: 'hello' }))).toBe('forbidden');
    await ada.delete(`/v1/rooms/${room}/members/${body.botId}`);
    expect(outcome(await anybody().post(body.path, { text: 'hello' }))).toBe('not_a_member');
    await ada.post(`/v1/rooms/${room}/members`, { userId: body.botId });
    await admin.patch(`/v1/users/${body.botId}`, { suspended: true });
    expect(outcome(await anybody().post(body.path, { text: 'hello' }))).toBe('forbidden');
    await admin.patch(`/v1/users/${body.botId}`, { suspended: false, deactivated: true });
    expect(outcome(await anybody().post(body.path, { text: 'hello' }))).toBe('forbidden');
    await admin.patch(`/v1/users/${body.botId}`, { deactivated: false });
    for (let i = 1; i < 20; i++) expect((await ada.post(incomingOf(room), { name: `bot ${i}` })).status).toBe(201);
    expect(outcome(await ada.post(incomingOf(room), { name: 'one more' }))).toBe('conflict');
    await ada.post(`/v1/rooms/${room}/close`);
    expect(outcome(await anybody().post(body.path, { text: 'hello' }))).toBe('room_closed');
    await ada.delete(`${incomingOf(room)}/${body.id}`);
    expect(outcome(await ada.post(incomingOf(room), { name: 'one more' }))).toBe('room_closed');
  });
});

it('the calls have all been seen with each of their answers', () => {
  expect(neverSeen('Webhooks')).toEqual([]);
});

const again = (person: TestPerson) => signIn(left.url, { username: person.username, password: 'correct horse' });
