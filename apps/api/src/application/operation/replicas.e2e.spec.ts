import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import {
  eventually,
  freshName,
  password,
  register,
  signIn,
  type TestPerson,
  Visitor,
} from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

/** Two services beside each other on one database: `left` and `right` are the same person at their doors. */
let left: TestService;
let right: TestService;
let admin: TestPerson;
let ada: { left: TestPerson; right: TestPerson };
let bob: { left: TestPerson; right: TestPerson };

const atBoth = (person: TestPerson) => ({ left: person.at(left.url), right: person.at(right.url) });

beforeAll(async () => {
  left = await startTestService();
  right = await startTestService({ beside: left });
  admin = await signIn(left.url);
  ada = atBoth(await register(left.url));
  bob = atBoth(await register(left.url));
});
afterAll(async () => {
  await right.stop();
  await left.stop();
});

describe('a write at one door', () => {
  it('is seen by the next read at the other', async () => {
    const room = await ada.left.roomWith([bob.left]);
    for (let i = 0; i < 20; i++) {
      const [here, there] = i % 2 ? [ada.left, bob.right] : [ada.right, bob.left];
      const { id, revision } = await here.says(room, `message ${i}`);
      const [messages, events, entry, seen] = await Promise.all([
        there.get(`/v1/rooms/${room}/messages?limit=1`),
        there.get(`/v1/rooms/${room}/events?from=${revision}`),
        there.get('/v1/inbox?limit=1'),
        there.get(`/v1/rooms/${room}`),
      ]);
      expect(messages.body.items[0].id).toBe(id);
      expect(events.body.items[0].data.messageId).toBe(id);
      expect(entry.body.items[0]).toMatchObject({ unread: i + 1, lastMessage: { id } });
      expect(seen.body.revision).toBe(revision);
    }
  });

  it('is seen there in accounts, rooms and members as well', async () => {
    for (let i = 0; i < 10; i++) {
      await ada.left.patch('/v1/me', { displayName: `Ada ${i}` });
      expect((await ada.right.get('/v1/me')).body.displayName).toBe(`Ada ${i}`);
      const room = await ada.left.room({ visibility: 'hidden' });
      expect(outcome(await ada.right.get(`/v1/rooms/${room}`))).toBe(200);
      await ada.left.post(`/v1/rooms/${room}/members`, { userId: bob.left.id });
      expect(outcome(await bob.right.get(`/v1/rooms/${room}/messages`))).toBe(200);
      expect((await bob.right.get(`/v1/rooms/${room}/members`)).body.items).toHaveLength(2);
      await ada.left.delete(`/v1/rooms/${room}/members/${bob.left.id}`);
      expect(outcome(await bob.right.get(`/v1/rooms/${room}/messages`))).toBe('not_found');
      expect(outcome(await bob.right.get(`/v1/rooms/${room}/events`))).toBe('not_found');
      const { id } = await ada.left.says(room, 'soon gone');
      await ada.left.delete(`/v1/rooms/${room}/messages/${id}`);
      await ada.right.post(`/v1/rooms/${room}/members`, { userId: bob.left.id });
      expect((await bob.left.get(`/v1/rooms/${room}/events`)).text).not.toContain('soon gone');
      expect((await bob.right.get(`/v1/rooms/${room}/events`)).text).not.toContain('soon gone');
    }
  });

  it('over a socket is seen at the other by a read that names its position', async () => {
    const room = await ada.left.room();
    const socket = await ada.left.connect();
    for (let i = 0; i < 20; i++) {
      const { data } = await socket.ask('post', { room, text: `message ${i}` });
      const headers = { 'verbatim-position': `${data.position}` };
      const [newest] = (await ada.right.get(`/v1/rooms/${room}/messages?limit=1`, headers)).body.items;
      expect(newest.revision).toBe(data.revision);
    }
    socket.close();
  });

  it('reaches those who follow at the other', async () => {
    const room = await ada.left.roomWith([bob.left]);
    const [here, there] = [await ada.left.follow(room), await bob.right.follow(room)];
    for (let i = 0; i < 10; i++) {
      await here.ask('post', { room, text: `left ${i}` });
      await there.ask('post', { room, text: `right ${i}` });
    }
    for (const socket of [here, there]) {
      await socket.when(() => socket.events(room).length === 20);
      expect(socket.events(room).map(({ revision }) => revision)).toEqual(Array.from({ length: 20 }, (_, i) => i + 3));
      socket.close();
    }
  });
});

describe('writers at both doors at once', () => {
  it('make one order, which everyone sees', async () => {
    const room = await ada.left.roomWith([bob.left]);
    const writers = [
      await ada.left.connect(),
      await ada.right.connect(),
      await bob.left.connect(),
      await bob.right.connect(),
    ];
    const readers = [await ada.left.follow(room), await bob.right.follow(room)];
    const refs = writers.map((socket) =>
      Array.from({ length: 50 }, (_, i) => socket.send('post', { room, text: `${i}` })),
    );
    for (const [w, socket] of writers.entries()) {
      const answers = await socket.when(() => {
        const frames = socket.frames.filter(({ ref }) => refs[w]!.includes(ref!));
        return frames.length === 50 && frames;
      }, 10_000);
      expect(answers.map(({ event }) => event)).toEqual(Array(50).fill('ack'));
      socket.close();
    }
    const stored = await ada.left.all(`/v1/rooms/${room}/events?from=3`);
    expect(stored).toHaveLength(200);
    for (const socket of readers) {
      await socket.when(() => socket.events(room).length === 200);
      expect(socket.events(room).map(({ revision, data }) => [revision, data.messageId])).toEqual(
        stored.map(({ revision, data }) => [revision, data.messageId]),
      );
      socket.close();
    }
  });

  it('post a message once, whichever doors they knock at', async () => {
    const room = await ada.left.room();
    const id = randomUUID();
    const attempts = [ada.left, ada.right, ada.left, ada.right].map((person) =>
      person.post(`/v1/rooms/${room}/messages`, { id, text: 'once' }),
    );
    expect((await Promise.all(attempts)).map(outcome).sort()).toEqual([200, 200, 200, 201]);
    expect(outcome(await ada.right.post(`/v1/rooms/${room}/messages`, { id, text: 'twice' }))).toBe('duplicate_id');
    expect(await ada.right.all(`/v1/rooms/${room}/messages`)).toHaveLength(1);
  });

  it('give a name to one person, and to one room', async () => {
    for (let race = 0; race < 5; race++) {
      const name = freshName();
      const people = [left, right].map(({ url }) =>
        new Visitor(url).post('/v1/auth/register', { username: name, password }),
      );
      expect((await Promise.all(people)).map(outcome).map(String).sort()).toEqual(['201', 'name_taken']);
      const rooms = [ada.left.post('/v1/rooms', { name }), bob.right.post('/v1/rooms', { name })];
      expect((await Promise.all(rooms)).map(outcome).map(String).sort()).toEqual(['201', 'name_taken']);
    }
  });

  it('make one direct room', async () => {
    const attempts = [
      ada.left.put(`/v1/direct/${bob.left.username}`),
      bob.right.put(`/v1/direct/${ada.left.username}`),
    ];
    const answers = await Promise.all(attempts);
    expect(answers.map(outcome).sort()).toEqual([200, 201]);
    expect(answers[0]!.body.id).toBe(answers[1]!.body.id);
  });

  it('have one effect with one Idempotency-Key', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const body = { name: freshName() };
    const first = await ada.left.post('/v1/rooms', body, headers);
    expect((await ada.right.post('/v1/rooms', body, headers)).body).toEqual(first.body);
  });
});

describe('the overview', () => {
  const overview = async () => (await admin.get('/v1/overview')).body;

  it('counts what there is, and what happened on each day', async () => {
    const before = await overview();
    expect(before.days).toHaveLength(30);
    expect(before.days.at(-1).day).toBe(new Date().toISOString().slice(0, 10));
    const room = await ada.left.room();
    await ada.left.says(room, 'something');
    await register(right.url);
    await admin.post(`/v1/rooms/${await ada.right.room()}/close`, {});
    const after = await overview();
    expect(after.openRooms - before.openRooms).toBe(1);
    expect(after.messages - before.messages).toBe(1);
    expect(after.accounts - before.accounts).toBe(1);
    const growth = (what: string) => after.days.at(-1)[what] - before.days.at(-1)[what];
    expect(['accounts', 'rooms', 'messages'].map(growth)).toEqual([1, 2, 1]);
  });

  it('shows the load of each replica', async () => {
    const sockets = [await ada.left.connect(), await ada.right.connect(), await bob.right.connect()];
    const { replicas } = await eventually(overview, ({ replicas }) => replicas[1]?.sockets === 2);
    expect(replicas).toEqual([
      { id: expect.any(String), answers: true, sockets: 1, people: 1 },
      { id: expect.any(String), answers: false, sockets: 2, people: 2 },
    ]);
    for (const socket of sockets) socket.close();
    expect(outcome(await ada.left.get('/v1/overview'))).toBe('forbidden');
  });
});

describe('what is taken away at one door', () => {
  it('is taken away at the other: a removed person hears nothing more', async () => {
    const room = await ada.left.roomWith([bob.left]);
    const [socket, mine] = [await bob.right.follow(room), await ada.right.follow(room)];
    await ada.left.delete(`/v1/rooms/${room}/members/${bob.left.id}`);
    await ada.left.says(room, 'among ourselves');
    await mine.when(() => mine.events(room).length === 2);
    await socket.settled();

    expect(socket.events(room).map(({ type }) => type)).toEqual(['MemberRemoved']);
    expect(socket.frames.map(({ event }) => event)).toContain('removed');
    expect(await socket.refused('follow', { room, after: -1 })).toBe('not_a_member');
    expect(await socket.refused('post', { room, text: 'x' })).toBe('not_a_member');
    socket.close();
    mine.close();
  });

  it('is taken away at the other: a session', async () => {
    const person = atBoth(await register(left.url));
    const socket = await person.right.connect();
    const ticket = await person.left.ticket();
    await person.left.post('/v1/auth/logout');
    expect(await socket.closed).toBe(4003);
    expect(outcome(await person.right.get('/v1/me'))).toBe('unauthenticated');
    expect(ticket).toBeTruthy();
  });

  it('is taken away at the other: an account, and its earlier sessions for good', async () => {
    const person = atBoth(await register(left.url));
    const socket = await person.right.connect();
    await admin.patch(`/v1/users/${person.left.id}`, { suspended: true });
    expect(await socket.closed).toBe(4003);
    expect(outcome(await person.right.get('/v1/me'))).toBe('unauthenticated');
    await admin.patch(`/v1/users/${person.left.id}`, { suspended: false });
    const again = await signIn(right.url, { username: person.left.username, password });
    expect(outcome(await again.get('/v1/me'))).toBe(200);
    expect(outcome(await person.right.get('/v1/me'))).toBe('unauthenticated');
  });

  it('is taken away at the other: the role of administrator', async () => {
    const person = atBoth(await register(left.url));
    await admin.patch(`/v1/users/${person.left.id}`, { role: 'admin' });
    const room = await ada.left.room({ visibility: 'hidden' });
    await eventually(
      () => person.right.get(`/v1/rooms/${room}`),
      ({ status }) => status === 200,
    );
    const socket = await person.right.follow(room, undefined, 'Ticket 7');
    await admin.patch(`/v1/users/${person.left.id}`, { role: 'user' });
    expect((await socket.next('removed')).data).toEqual({ room, reason: 'revoked' });
    expect(await socket.refused('follow', { room })).toBe('not_found');
    socket.close();
  });
});

describe('when one of them ends', () => {
  it('the other goes on', async () => {
    const room = await ada.left.room();
    const third = await startTestService({ beside: left });
    const socket = await ada.left.at(third.url).follow(room);
    await ada.left.says(room, 'one');
    await socket.next('events');
    await third.stop();
    expect(await socket.closed).toBe(4009);
    await ada.left.says(room, 'two');
    await eventually(
      () => ada.right.get(`/v1/rooms/${room}/messages`),
      ({ body }) => body.items.length === 2,
    );
  });
});
