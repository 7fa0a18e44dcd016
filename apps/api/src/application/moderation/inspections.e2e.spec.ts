import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import {
  because,
  eventually,
  freshName,
  register,
  signIn,
  type TestPerson,
} from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

let service: TestService;
let admin: TestPerson;
let auditor: TestPerson;
let ada: TestPerson;
let bob: TestPerson;
let cem: TestPerson;

beforeAll(async () => {
  service = await startTestService();
  admin = await signIn(service.url);
  [auditor, ada, bob, cem] = [
    await register(service.url),
    await register(service.url),
    await register(service.url),
    await register(service.url),
  ];
  await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
});
afterAll(() => service.stop());

const at = (room: string, path: string) => `/v1/rooms/${room}/${path}`;
const inspectionsOf = async (room: string) =>
  (await ada.all(at(room, 'events')))
    .filter(({ type }) => type === 'RoomInspected')
    .map(({ actor, data }) => [actor.id, data.what, data.reason]);

describe('reading a room from outside', () => {
  const reads = (room: string) => ['messages', 'events', 'members', 'bans', 'reports'].map((path) => at(room, path));

  it('takes a reason, in every call and in rooms of every kind', async () => {
    const direct = (await ada.put(`/v1/direct/${bob.username}`)).body.id;
    const [open, hidden] = [await ada.room(), await ada.room({ visibility: 'hidden' })];
    await ada.post(at(open, 'close'));
    for (const person of [admin, auditor]) {
      for (const room of [direct, open, hidden]) {
        const paths = reads(room).filter((path) => room !== open || !path.endsWith('members'));
        for (const path of [...paths, `/v1/search?q=x&room=${room}`]) {
          expect([path, outcome(await person.get(path))]).toEqual([path, 'reason_required']);
          expect([path, outcome(await person.get(path, because()))]).toEqual([path, 200]);
        }
        const socket = await person.connect();
        expect(await socket.refused('follow', { room })).toBe('reason_required');
        expect((await socket.ask('follow', { room, reason: 'Ticket 7' })).event).toBe('following');
        socket.close();
      }
    }
    expect(await inspectionsOf(direct)).toEqual([]);
    expect(
      (await auditor.all(at(direct, 'events'), 200, because())).filter(({ type }) => type === 'RoomInspected'),
    ).toHaveLength(4);
    // For each of the two once for reading on, and once for the search.
    for (const room of [open, hidden]) expect(await inspectionsOf(room)).toHaveLength(4);
  });

  it('is recorded before it is answered, once for each reason', async () => {
    const room = await ada.room();
    for (const text of ['one', 'two', 'three']) await ada.says(room, text);
    expect(await auditor.all(at(room, 'messages'), 1, because('Anfrage Müller 50 %'))).toHaveLength(3);
    await auditor.get(at(room, 'events'), because('Anfrage Müller 50 %'));
    await auditor.get(at(room, 'events'), because('another'));
    await admin.get(at(room, 'messages'), because('another'));
    expect(await inspectionsOf(room)).toEqual([
      [auditor.id, 'messages', 'Anfrage Müller 50 %'],
      [auditor.id, 'events', 'another'],
      [admin.id, 'messages', 'another'],
    ]);
  });

  it('is visible to owners only, and other members see no gap', async () => {
    const room = await ada.roomWith([[bob, 'moderator'], cem]);
    const sockets = [await ada.follow(room), await bob.follow(room), await cem.follow(room)];
    await auditor.get(at(room, 'messages'), because('Fingerhut'));
    await ada.says(room, 'after');
    for (const socket of sockets) await socket.when(() => socket.events(room).length === 2);
    expect(sockets.map((socket) => socket.events(room)[0].type)).toEqual([
      'RoomInspected',
      'EventWithheld',
      'EventWithheld',
    ]);
    for (const person of [bob, cem]) {
      const { text, body } = await person.get(at(room, 'events'));
      expect(text).not.toMatch(/Fingerhut|RoomInspected/);
      expect(text).not.toContain(auditor.id);
      const events = body.items as { revision: number; prev: string | null; hash: string }[];
      expect(events.map(({ revision }) => revision)).toEqual(events.map((_, i) => i));
      for (const [i, { prev }] of events.entries()) expect(prev).toBe(i === 0 ? null : events[i - 1]?.hash);
    }
    for (const socket of sockets.slice(1)) expect(socket.heard.join()).not.toMatch(/Fingerhut|RoomInspected/);
    expect(sockets[0]?.heard.join()).toContain('Fingerhut');
    for (const socket of sockets) socket.close();
  });

  it('is not shown in presence', async () => {
    const room = await ada.roomWith([bob]);
    const mine = await ada.follow(room);
    const theirs = await auditor.follow(room, undefined, 'Ticket 7');
    expect(await theirs.refused('typing', { room })).toBe('forbidden');
    const governor = await admin.follow(room, undefined, 'Ticket 7');
    expect(await governor.refused('typing', { room })).toBe('not_a_member');
    const others = await bob.follow(room);
    expect((await mine.next('presence')).data.user.id).toBe(bob.id);
    for (const socket of [theirs, governor, others]) socket.close();
    expect((await mine.next('presence')).data).toMatchObject({ online: false, user: { id: bob.id } });
    mine.close();
  });

  it('requires no reason from members', async () => {
    const room = await ada.room();
    await admin.post(at(room, 'members'));
    for (const path of reads(room)) expect(outcome(await admin.get(path))).toBe(200);
    (await admin.follow(room)).close();
    expect(await inspectionsOf(room)).toEqual([]);
  });

  it.each(['%', '%zz', '%ff', 'caf\xe9', 'x'.repeat(501), '%20', '%00'])(
    'takes no reason that cannot be read: %j',
    async (reason) => {
      const room = await ada.room();
      for (const person of [auditor, ada]) {
        const answer = await person.get(at(room, 'messages'), { 'verbatim-reason': reason });
        expect(outcome(answer)).toBe('invalid_request');
        expect(answer.body.errors).toMatchObject([{ path: 'headers.verbatim-reason' }]);
      }
      expect(await inspectionsOf(room)).toEqual([]);
    },
  );

  it('is offered by the client', async () => {
    const room = await ada.room();
    await ada.says(room, 'Grüße');
    const reason = 'Prüfung 50 %';
    const { items } = await auditor.client.call('listMessages', { params: { id: room } }, { reason });
    expect(items.map(({ text }) => text)).toEqual(['Grüße']);
    for await (const { type } of auditor.client.follow(room, { after: -1, reason }))
      if (type === 'RoomInspected') break;
    expect(await inspectionsOf(room)).toEqual([[auditor.id, 'messages', reason]]);
  });

  it('finds what was said there', async () => {
    const room = await ada.room({ visibility: 'hidden' });
    await ada.says(room, 'Quittengelee');
    const found = await eventually(
      () => auditor.get(`/v1/search?q=quittengelee&room=${room}`, because()),
      ({ body }) => body.items.length === 1,
    );
    expect(found.body.items[0].text).toBe('Quittengelee');
    expect((await auditor.get('/v1/search?q=quittengelee')).body.items).toEqual([]);
    expect((await auditor.get('/v1/inbox')).body.items).toEqual([]);
  });
});

describe('an auditor', () => {
  it('sees all rooms, and changes nothing but their own account', async () => {
    const room = await ada.room({ visibility: 'hidden' });
    const { id } = await ada.says(room, 'x');
    expect((await auditor.all('/v1/rooms')).map((each) => each.id)).toContain(room);
    expect(outcome(await auditor.get(`/v1/rooms/${room}`))).toBe(200);

    const writes: [Parameters<TestPerson['send']>[0], string, object?][] = [
      ['post', '/v1/rooms', { name: freshName() }],
      ['patch', `/v1/rooms/${room}`, { topic: 'x' }],
      ['post', at(room, 'close')],
      ['post', at(await ada.room(), 'members')],
      ['delete', at(room, 'members/me')],
      ['post', at(room, 'messages'), { text: 'x' }],
      ['delete', at(room, `messages/${id}`)],
      ['put', at(room, `messages/${id}/reactions/%F0%9F%91%8D`)],
      ['put', at(room, 'read'), { revision: 1 }],
      ['put', `/v1/direct/${bob.username}`],
      ['patch', `/v1/users/${bob.id}`, { displayName: 'x' }],
    ];
    for (const [method, path, body] of writes)
      expect([path, outcome(await auditor.send(method, path, body))]).toEqual([path, 'forbidden']);
    const socket = await auditor.connect();
    for (const [event, data] of Object.entries({
      post: { text: 'x' },
      edit: { messageId: id, text: 'x' },
      redact: { messageId: id },
      react: { messageId: id, emoji: '👍' },
      join: {},
      leave: {},
      read: { revision: 1 },
      typing: {},
    }))
      expect([event, await socket.refused(event, { room, ...data })]).toEqual([event, 'forbidden']);
    socket.close();

    expect((await auditor.patch('/v1/me', { displayName: 'Augen' })).body.displayName).toBe('Augen');
    expect(outcome(await auditor.post('/v1/auth/ticket'))).toBe(201);
  });

  it('reads rooms that they are a member of without a reason', async () => {
    const person = await register(service.url);
    const room = await ada.roomWith([person]);
    await person.says(room, 'before');
    await admin.patch(`/v1/users/${person.id}`, { role: 'auditor' });
    expect(outcome(await person.get(at(room, 'messages')))).toBe(200);
    expect(outcome(await person.post(at(room, 'messages'), { text: 'after' }))).toBe('forbidden');
    expect(outcome(await person.post('/v1/auth/logout'))).toBe(204);
  });
});
