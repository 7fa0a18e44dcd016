import { randomUUID } from 'node:crypto';
import { closeReasons, maxFrameBytes } from '@verbatim/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import {
  neverSeenOnSockets,
  openSocket,
  register,
  signIn,
  type TestPerson,
  type TestSocket,
  unknownId,
  Visitor,
} from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

let service: TestService;
let admin: TestPerson;
let ada: TestPerson;
let bob: TestPerson;
let cem: TestPerson;

beforeAll(async () => {
  service = await startTestService();
  admin = await signIn(service.url);
  [ada, bob, cem] = [await register(service.url), await register(service.url), await register(service.url)];
});
afterAll(() => service.stop());

const textsOf = (events: { data: { text?: string } }[]) => events.map(({ data }) => data.text);
const revisionsOf = (events: { revision: number }[]) => events.map(({ revision }) => revision);
const upTo = (revision: number) => Array.from({ length: revision + 1 }, (_, i) => i);
/** Waits until an event of this revision has come. */
const reached = (socket: TestSocket, room: string, revision: number, patience?: number) =>
  socket.when(() => (socket.events(room).at(-1)?.revision ?? -1) >= revision, patience);

/** Posts many messages, a hundred at a time. */
async function flood(socket: TestSocket, room: string, count: number, text: (i: number) => string): Promise<void> {
  for (let posted = 0; posted < count; posted += 100) {
    const before = socket.frames.length;
    const portion = Math.min(100, count - posted);
    for (let i = posted; i < posted + portion; i++) socket.send('post', { room, text: text(i) });
    await socket.when(() => socket.frames.slice(before).filter(({ event }) => event === 'ack').length === portion);
  }
}

describe('opening a socket', () => {
  it('is answered by a hello that names the user', async () => {
    const socket = openSocket(service.url, { ticket: await ada.ticket() });
    const hello = await socket.next('hello');
    expect(socket.frames).toEqual([hello]);
    expect(hello.data).toMatchObject({ protocol: 1, user: (await ada.get('/v1/me')).body, maxFrameBytes });
    const other = await ada.connect();
    expect(other.frames[0]!.data.session).toBe(hello.data.session);
    socket.close();
    other.close();
  });

  it('announces maintenance, as does every socket when it begins and ends', async () => {
    const early = await ada.connect();
    const { body: begun } = await admin.put('/v1/maintenance', { text: 'A new disk' });
    expect((await early.next('maintenance')).data.maintenance).toEqual(begun);
    const late = await ada.connect();
    expect(late.frames[0]!.data.maintenance).toEqual(begun);
    await admin.delete('/v1/maintenance');
    for (const socket of [early, late]) {
      expect((await socket.next('maintenance')).data.maintenance).toBeNull();
      socket.close();
    }
  });

  it('takes an Authorization header as well', async () => {
    const headers = { authorization: `Bearer ${ada.accessToken}` };
    const socket = openSocket(service.url, { headers });
    expect((await socket.next('hello')).data.user.id).toBe(ada.id);
    socket.close();
  });

  it.each([
    ['nothing', {}],
    ['an invented ticket', { ticket: 'invented' }],
    ['an empty ticket', { ticket: '' }],
    ['an invented token', { headers: { authorization: 'Bearer invented' } }],
  ])('with %s ends with 4001', async (_, credential) => {
    const socket = openSocket(service.url, credential);
    expect(await socket.closed).toBe(4001);
    expect(socket.frames).toEqual([]);
  });

  it('handles frames that were sent before the hello', async () => {
    const socket = openSocket(service.url, { ticket: await ada.ticket() });
    await new Promise((resolve) => socket.socket.once('open', resolve));
    const pong = await socket.ask('ping');
    expect(pong.event).toBe('pong');
    expect(socket.frames[0]!.event).toBe('hello');
    socket.close();
  });

  it('is an upgrade and nothing else', async () => {
    expect(outcome(await new Visitor(service.url).get('/v1/ws'))).toBe('not_found');
  });
});

describe('following a room', () => {
  it('sends what happens from now on, also to the author', async () => {
    const room = await ada.roomWith([bob]);
    await ada.says(room, 'before');
    const [speaker, listener] = [await ada.follow(room), await bob.connect()];
    const { data } = await listener.ask('follow', { room });
    expect(data).toEqual({ room, revision: 3, recovered: true });

    const { data: ack } = await speaker.ask('post', { room, text: 'Grüße 👋' });

    for (const socket of [speaker, listener]) {
      const { events } = (await socket.next('events')).data;
      expect(events).toEqual([
        {
          revision: ack.revision,
          type: 'MessagePosted',
          at: expect.any(String),
          actor: { id: ada.id, username: ada.username },
          data: { messageId: ack.id, text: 'Grüße 👋', replyTo: null, kind: 'text' },
        },
      ]);
      socket.close();
    }
  });

  it('sends the past as well, after any revision', async () => {
    const room = await ada.roomWith([bob]);
    for (let i = 0; i < 5; i++) await ada.says(room, `message ${i}`);
    for (const after of [-1, 0, 4, 6, 7]) {
      const socket = await bob.follow(room, after);
      const { revision } = await ada.says(room, 'now');
      await reached(socket, room, revision);
      expect(revisionsOf(socket.events(room))).toEqual(upTo(revision).slice(after + 1));
      socket.close();
    }
  });

  it('sends the same as the events API', async () => {
    const room = await ada.roomWith([bob], { topic: 'Tee' });
    const { id } = await ada.says(room, 'heiß');
    await bob.put(`/v1/rooms/${room}/messages/${id}/reactions/%F0%9F%91%8D`);
    await ada.patch(`/v1/rooms/${room}/messages/${id}`, { text: 'lauwarm' });
    await ada.post(`/v1/rooms/${room}/close`, { reason: 'leer' });
    const socket = await bob.follow(room, -1);
    await reached(socket, room, 6);
    const told = (await bob.all(`/v1/rooms/${room}/events`)).map(({ revision, type, at, actor, data }) => {
      return { revision, type, at, actor, data };
    });
    expect(socket.events(room)).toEqual(told);
    socket.close();
  });

  it('sends what is not of the one room in frames of the others', async () => {
    const [one, two] = [await ada.room(), await ada.room()];
    const socket = await ada.follow(one, -1);
    await socket.ask('follow', { room: two, after: 1 });
    await ada.says(two, 'second');
    await ada.says(one, 'first');
    await reached(socket, one, 2);
    await reached(socket, two, 2);
    expect(revisionsOf(socket.events(one))).toEqual([0, 1, 2]);
    expect(revisionsOf(socket.events(two))).toEqual([2]);
    socket.close();
  });

  it('ends with unfollow, and can begin again where it ended', async () => {
    const room = await ada.room();
    const socket = await ada.follow(room, -1);
    await reached(socket, room, 1);
    expect(await socket.ask('unfollow', { room })).toMatchObject({ event: 'unfollowed', data: { room } });
    expect(await socket.ask('unfollow', { room })).toMatchObject({ event: 'unfollowed' });
    await socket.ask('post', { room, text: 'unheard' });
    expect(socket.events(room)).toHaveLength(2);

    await socket.ask('follow', { room, after: 1 });
    await reached(socket, room, 2);
    await socket.ask('follow', { room, after: 1 });
    await ada.says(room, 'heard');
    await reached(socket, room, 3);
    expect(revisionsOf(socket.events(room))).toEqual([0, 1, 2, 2, 3]);
    socket.close();
  });

  it('beyond the end of the room is not recovered, and nothing is followed', async () => {
    const room = await ada.room();
    const socket = await ada.connect();
    const { data } = await socket.ask('follow', { room, after: 100 });
    expect(data).toEqual({ room, revision: 1, recovered: false });
    await socket.ask('post', { room, text: 'unheard' });
    await socket.settled();
    expect(socket.events(room)).toEqual([]);
    socket.close();
  });

  it('begins with one’s joining where the history does', async () => {
    const room = await ada.room({ visibility: 'private', history: 'joined' });
    await ada.says(room, 'before');
    await ada.post(`/v1/rooms/${room}/members`, { userId: bob.id });
    const socket = await bob.follow(room, -1);
    await ada.says(room, 'after');
    await reached(socket, room, 4);
    expect(revisionsOf(socket.events(room))).toEqual([3, 4]);
    socket.close();
  });

  it('is for those who may read', async () => {
    const [open, hidden] = [await ada.room(), await ada.room({ visibility: 'hidden' })];
    const [socket, governor] = [await bob.connect(), await admin.connect()];
    expect(await socket.refused('follow', { room: open })).toBe('not_a_member');
    expect(await socket.refused('follow', { room: hidden })).toBe('not_found');
    expect(await socket.refused('follow', { room: unknownId() })).toBe('not_found');
    expect(await governor.refused('follow', { room: hidden, after: -1 })).toBe('reason_required');
    const inspecting = { room: hidden, after: -1, reason: 'Ticket 7' };
    expect(await governor.ask('follow', inspecting)).toMatchObject({ event: 'following' });
    socket.close();
    governor.close();
  });
});

describe('3,000 events, and five who go on posting', () => {
  const [edited, redacted] = ['Quittengelee', 'Zwetschgenmus'] as const;
  let room: string;

  beforeAll(async () => {
    room = await ada.roomWith([bob, cem]);
    const [one, two] = [await ada.says(room, edited), await ada.says(room, redacted)];
    const socket = await ada.connect();
    await flood(socket, room, 2_992, (i) => `message ${i}`);
    await socket.ask('edit', { room, messageId: one.id, text: 'what stays' });
    await socket.ask('redact', { room, messageId: two.id });
    socket.close();
  });

  it('come in order, without gap or duplicate, to everyone who follows meanwhile', async () => {
    const people = [ada, bob, cem, bob, ada];
    const posters = await Promise.all(people.map((person) => person.connect()));
    const posting = posters.map((socket, p) => flood(socket, room, 200, (i) => `poster ${p} message ${i}`));
    const followers = await Promise.all([-1, -1, 1_500, 2_900, -1].map((after) => bob.follow(room, after)));
    await Promise.all(posting);
    const { body } = await ada.get(`/v1/rooms/${room}/events?from=3900&limit=200`);
    const last = body.items.at(-1).revision;
    expect(last).toBe(2_999 + 1_000);

    for (const [i, after] of [-1, -1, 1_500, 2_900, -1].entries()) {
      const follower = followers[i]!;
      await reached(follower, room, last, 20_000);
      expect(revisionsOf(follower.events(room))).toEqual(upTo(last).slice(after + 1));
      follower.close();
    }
    const texts = textsOf(followers[0]!.events(room));
    for (const [p, poster] of posters.entries()) {
      const mine = texts.filter((text) => text?.startsWith(`poster ${p} `));
      expect(mine).toEqual(Array.from({ length: 200 }, (_, i) => `poster ${p} message ${i}`));
      poster.close();
    }
  });

  it('come in order, without gap or duplicate, to somebody who follows again and again', async () => {
    const busy = await ada.roomWith([bob]);
    const [poster, other, restless] = [await ada.connect(), await bob.connect(), await bob.follow(busy, -1)];
    let posting = true;
    const posted = Promise.all([poster, other].map((socket) => flood(socket, busy, 750, (i) => `${i}`))).finally(() => {
      posting = false;
    });
    while (posting) {
      await restless.ask('unfollow', { room: busy });
      await restless.ask('follow', { room: busy, after: restless.events(busy).at(-1)?.revision ?? -1 });
    }
    await posted;
    await reached(restless, busy, 1_502);
    expect(revisionsOf(restless.events(busy))).toEqual(upTo(1_502));
    for (const socket of [poster, other, restless]) socket.close();
  });

  it('contain no text that was replaced, however long ago it was posted', async () => {
    const socket = await bob.follow(room, -1);
    await reached(socket, room, 2_999, 20_000);
    const told = socket.heard.join('\n') + (await bob.get(`/v1/rooms/${room}/events?limit=200`)).text;
    expect(told).toContain('what stays');
    expect(told).not.toContain(edited);
    expect(told).not.toContain(redacted);
    socket.close();
  });

  it('end where somebody was removed, also for the one who is still catching up', async () => {
    const dora = await register(service.url);
    await dora.post(`/v1/rooms/${room}/members`);
    const socket = await dora.follow(room, -1);
    const removal = ada.delete(`/v1/rooms/${room}/members/${dora.id}`);
    await ada.says(room, 'after the removal');
    await removal;
    const { data } = await socket.next('removed');
    await ada.says(room, 'long after the removal');
    await socket.settled();

    expect(data).toEqual({ room, reason: 'removed' });
    const events = socket.events(room);
    expect(revisionsOf(events)).toEqual(upTo(events.length - 1));
    expect(socket.heard.findIndex((text) => text.includes('"removed"'))).toBeGreaterThan(
      socket.heard.findLastIndex((text) => text.includes('"events"')),
    );
    const removed = (await ada.all(`/v1/rooms/${room}/events?from=3999`)).find(({ type }) => type === 'MemberRemoved');
    expect(events.at(-1)?.revision ?? -1).toBeLessThanOrEqual(removed.revision);
    socket.close();
  });
});

describe('writing over a socket', () => {
  let room: string;
  let socket: TestSocket;
  let other: TestSocket;
  beforeAll(async () => {
    room = await ada.roomWith([bob]);
    [socket, other] = [await ada.connect(), await bob.follow(room)];
  });
  afterAll(() => {
    socket.close();
    other.close();
  });

  it('does the same as over REST, and returns revision and position', async () => {
    const said = (await socket.ask('post', { room, text: 'teh' })).data;
    const reply = (await socket.ask('post', { room, text: 'the?', replyTo: said.id })).data;
    const acks = [
      said,
      reply,
      (await socket.ask('edit', { room, messageId: said.id, text: 'the' })).data,
      (await socket.ask('react', { room, messageId: said.id, emoji: '👍' })).data,
      (await socket.ask('react', { room, messageId: said.id, emoji: '🎉' })).data,
      (await socket.ask('react', { room, messageId: said.id, emoji: '🎉', remove: true })).data,
      (await socket.ask('redact', { room, messageId: reply.id, reason: 'answered' })).data,
    ];

    const events = (await ada.all(`/v1/rooms/${room}/events`)).slice(3);
    expect(events.map(({ type }) => type)).toEqual([
      'MessagePosted',
      'MessagePosted',
      'MessageEdited',
      'ReactionAdded',
      'ReactionAdded',
      'ReactionRemoved',
      'MessageRedacted',
    ]);
    expect(acks.map(({ revision, position }) => ({ revision, position }))).toEqual(
      events.map(({ revision, position }) => ({ revision, position })),
    );
    const headers = { 'verbatim-position': `${acks.at(-1).position}` };
    const { items } = (await bob.get(`/v1/rooms/${room}/messages?order=oldest`, headers)).body;
    expect(items).toMatchObject([
      { id: said.id, text: 'the', reactions: [{ emoji: '👍', count: 1, mine: false }] },
      { id: reply.id, text: null, replyTo: said.id },
    ]);
    await reached(other, room, 9);
    expect(other.events(room).at(-1).data).toEqual({ messageId: reply.id, authorId: ada.id });
  });

  it('is acknowledged when there is nothing to change', async () => {
    const { id } = (await socket.ask('post', { room, text: 'x' })).data;
    await socket.ask('react', { room, messageId: id, emoji: '👍' });
    for (const remove of [false, true, true])
      expect((await socket.ask('react', { room, messageId: id, emoji: '👍', remove })).event).toBe('ack');
    await socket.ask('redact', { room, messageId: id });
    expect((await socket.ask('redact', { room, messageId: id })).event).toBe('ack');
  });

  it('lets one join and leave', async () => {
    const [open, locked] = [await ada.room(), await ada.room({ visibility: 'hidden', password: 'sesame' })];
    const guest = await bob.connect();
    expect((await guest.ask('join', { room: open })).data).toMatchObject({ revision: 2 });
    expect((await guest.ask('join', { room: open })).event).toBe('ack');
    expect(await guest.refused('join', { room: locked })).toBe('not_found');
    expect(await guest.refused('join', { room: locked, password: 'wrong' })).toBe('not_found');
    expect((await guest.ask('join', { room: locked, password: 'sesame' })).event).toBe('ack');
    expect((await guest.ask('follow', { room: locked })).event).toBe('following');
    expect((await guest.ask('leave', { room: locked })).data).toMatchObject({ revision: 3 });
    expect((await guest.next('removed')).data).toEqual({ room: locked, reason: 'left' });
    expect(await guest.refused('follow', { room: locked })).toBe('not_found');
    expect(await guest.refused('leave', { room: locked })).toBe('not_found');
    expect((await guest.ask('leave', { room: open })).event).toBe('ack');
    expect(await guest.refused('leave', { room: open })).toBe('not_a_member');
    guest.close();
  });

  it('keeps read marks to oneself', async () => {
    const own = await ada.roomWith([bob]);
    const { revision } = await ada.says(own, 'x');
    const [reader, watcher] = [await bob.connect(), await ada.follow(own, -1)];
    expect(await reader.ask('read', { room: own, revision })).toMatchObject({ event: 'ack', data: {} });
    const entry = (await bob.all('/v1/inbox')).find((item) => item.room.id === own);
    expect(entry).toMatchObject({ unread: 0, readRevision: revision });
    await watcher.settled();
    expect(revisionsOf(watcher.events(own))).toEqual([0, 1, 2, 3]);
    reader.close();
    watcher.close();
  });

  it('follows the rules of the room, with the codes of REST', async () => {
    const closed = await ada.roomWith([bob]);
    const message = await bob.says(closed, 'mine');
    const hidden = await ada.room({ visibility: 'hidden' });
    const { id } = (await socket.ask('post', { room, text: 'x' })).data;
    const stranger = await cem.connect();
    const refusals: [TestSocket, string, object, string][] = [
      [stranger, 'post', { room, text: 'x' }, 'not_a_member'],
      [stranger, 'post', { room: hidden, text: 'x' }, 'not_found'],
      [stranger, 'edit', { room, messageId: id, text: 'x' }, 'not_a_member'],
      [stranger, 'redact', { room, messageId: id }, 'not_a_member'],
      [stranger, 'react', { room, messageId: id, emoji: '👍' }, 'not_a_member'],
      [stranger, 'read', { room, revision: 1 }, 'not_a_member'],
      [stranger, 'typing', { room }, 'not_a_member'],
      [other, 'edit', { room, messageId: id, text: 'x' }, 'forbidden'],
      [other, 'redact', { room, messageId: id }, 'forbidden'],
      [other, 'edit', { room, messageId: unknownId(), text: 'x' }, 'not_found'],
      [other, 'post', { room, text: 'x', replyTo: unknownId() }, 'not_found'],
      [other, 'post', { room, text: 'x', id }, 'duplicate_id'],
    ];
    for (const [who, event, data, code] of refusals)
      expect([event, data, await who.refused(event, data)]).toEqual([event, data, code]);

    await ada.post(`/v1/rooms/${closed}/close`);
    for (const [event, data] of [
      ['post', { text: 'x' }],
      ['edit', { messageId: message.id, text: 'x' }],
      ['react', { messageId: message.id, emoji: '👍' }],
    ] as const)
      expect(await other.refused(event, { room: closed, ...data })).toBe('room_closed');
    expect(await stranger.refused('join', { room: closed })).toBe('room_closed');
    expect((await other.ask('redact', { room: closed, messageId: message.id })).event).toBe('ack');
    stranger.close();
  });

  it('answers every frame, however many are sent at once', async () => {
    const refs = Array.from({ length: 500 }, (_, i) =>
      socket.send(i % 5 ? 'ping' : 'post', i % 5 ? {} : { room, text: `${i}` }),
    );
    const answered = () => refs.filter((ref) => socket.frames.some((frame) => frame.ref === ref)).length;
    await socket.when(() => answered() === refs.length, 10_000);
    const events = (await ada.all(`/v1/rooms/${room}/events`)).slice(-100);
    expect(textsOf(events)).toEqual(Array.from({ length: 100 }, (_, i) => `${i * 5}`));
    const acks = socket.frames.filter(({ event, ref }) => event === 'ack' && ref !== undefined && refs.includes(ref));
    expect(acks.map(({ data }) => data.revision)).toEqual(events.map(({ revision }) => revision));
    // Commands that are stored together are all answered with the position that whoever reads on has to have passed.
    expect(acks.every(({ data }, i) => data.position >= events[i].position)).toBe(true);
  });
});

describe('typing', () => {
  it('is sent to the others who follow', async () => {
    const room = await ada.roomWith([bob, cem]);
    const [writer, second, reader] = [await ada.follow(room), await ada.follow(room), await bob.follow(room)];
    const elsewhere = await cem.connect();
    writer.send('typing', { room });
    expect((await reader.next('typing')).data).toEqual({ room, user: { id: ada.id, username: ada.username } });
    // Said again at once, it is not passed on.
    writer.send('typing', { room });
    for (const socket of [writer, second, elsewhere, reader]) await socket.settled();
    for (const socket of [writer, second, elsewhere])
      expect(socket.frames.map(({ event }) => event)).not.toContain('typing');
    expect(reader.frames.filter(({ event }) => event === 'typing')).toHaveLength(1);
    expect(await elsewhere.refused('typing', { room })).toBe('not_a_member');
    for (const socket of [writer, second, elsewhere, reader]) socket.close();
  });

  it.each<[string, (room: string) => Promise<unknown>]>([
    [
      'muted',
      (room) => ada.put(`/v1/rooms/${room}/mutes/${bob.id}`, { until: '2100-01-01T00:00:00Z', reason: 'loud' }),
    ],
    ['a guest', (room) => ada.patch(`/v1/rooms/${room}/members/${bob.id}`, { role: 'guest' })],
    ['in a closed room', (room) => ada.post(`/v1/rooms/${room}/close`)],
  ])('does not announce people who could not post: %s', async (_, silence) => {
    const room = await ada.roomWith([bob, cem]);
    const [writer, reader] = [await bob.follow(room), await cem.follow(room)];
    expect(((await silence(room)) as { status: number }).status).toBeLessThan(300);
    writer.send('typing', { room });
    for (const socket of [writer, reader]) await socket.settled();
    for (const socket of [writer, reader]) {
      expect(socket.frames.map(({ event }) => event)).not.toContain('typing');
      socket.close();
    }
  });
});

describe('presence', () => {
  const told = (socket: TestSocket) =>
    socket.frames
      .filter(({ event }) => event === 'presence')
      .map(({ data }) => `${data.user.username === ada.username ? 'ada' : 'bob'} ${data.online ? 'came' : 'went'}`);

  it('shows who comes and goes, once for each person', async () => {
    const room = await ada.roomWith([bob]);
    const watcher = await ada.follow(room);
    const [first, second] = [await bob.follow(room), await bob.follow(room)];
    await first.next('presence');
    expect(told(first)).toEqual(['ada came']);
    first.close();
    await first.closed;
    await watcher.settled();
    expect(told(watcher)).toEqual(['bob came']);

    await second.ask('unfollow', { room });
    await watcher.when(() => told(watcher).length === 2);
    await second.ask('follow', { room });
    await watcher.when(() => told(watcher).length === 3);
    await ada.delete(`/v1/rooms/${room}/members/${bob.id}`);
    await watcher.when(() => told(watcher).length === 4);
    expect(told(watcher)).toEqual(['bob came', 'bob went', 'bob came', 'bob went']);
    watcher.close();
    second.close();
  });
});

describe('losing the right to read', () => {
  it('by removal is announced, and nothing is sent after it', async () => {
    const room = await ada.roomWith([bob]);
    const [first, second, mine] = [await bob.follow(room), await bob.follow(room), await ada.follow(room)];
    await ada.delete(`/v1/rooms/${room}/members/${bob.id}`);
    await ada.says(room, 'among ourselves');
    await reached(mine, room, 4);

    for (const socket of [first, second]) {
      expect((await socket.next('removed')).data).toEqual({ room, reason: 'removed' });
      await socket.settled();
      expect(socket.events(room).map(({ type }) => type)).toEqual(['MemberRemoved']);
      expect(socket.heard.join()).not.toContain('among ourselves');
      expect(await socket.refused('follow', { room, after: -1 })).toBe('not_a_member');
      expect(await socket.refused('typing', { room })).toBe('not_a_member');
      socket.close();
    }
    mine.close();
  });

  it('by losing the role of administrator is announced to non-members', async () => {
    const person = await register(service.url);
    await admin.patch(`/v1/users/${person.id}`, { role: 'admin' });
    const [foreign, own] = [await ada.room({ visibility: 'hidden' }), await ada.roomWith([person])];
    const socket = await person.follow(foreign, undefined, 'Ticket 7');
    await socket.ask('follow', { room: own });
    await admin.patch(`/v1/users/${person.id}`, { role: 'user' });

    expect((await socket.next('removed')).data).toEqual({ room: foreign, reason: 'revoked' });
    await ada.says(foreign, 'among ourselves');
    await ada.says(own, 'to all');
    await reached(socket, own, 3);
    expect(socket.heard.join()).not.toContain('among ourselves');
    expect(await socket.refused('post', { room: foreign, text: 'x' })).toBe('not_found');
    socket.close();
  });

  it('of what moderators see comes and goes with the role', async () => {
    const room = await ada.roomWith([bob]);
    const socket = await bob.follow(room);
    const redactFor = async (reason: string) => {
      const { id } = await ada.says(room, 'x');
      await ada.delete(`/v1/rooms/${room}/messages/${id}`, { reason });
      await socket.when(
        () =>
          socket.events(room).at(-1)?.data.messageId === id && socket.events(room).at(-1).type === 'MessageRedacted',
      );
      return socket.events(room).at(-1).data.reason;
    };
    const become = (role: string) => ada.patch(`/v1/rooms/${room}/members/${bob.id}`, { role });
    expect(await redactFor('one')).toBeUndefined();
    await become('moderator');
    expect(await redactFor('two')).toBe('two');
    await become('guest');
    expect(await redactFor('three')).toBeUndefined();
    expect(await socket.refused('post', { room, text: 'x' })).toBe('forbidden');
    socket.close();
  });
});

describe('watching the service', () => {
  const changes = (socket: TestSocket) =>
    socket.frames.filter(({ event }) => event === 'changed').map(({ data }) => data.categories as string[]);

  it('reports a change once, when reading shows it', async () => {
    const socket = await admin.connect();
    expect((await socket.ask('watch')).event).toBe('watching');
    const room = await ada.room();
    await socket.until(({ event, data }) => event === 'changed' && data.categories.includes('room'));
    expect((await admin.get(`/v1/rooms?limit=200`)).body.items.map(({ id }: { id: string }) => id)).toContain(room);
    const before = changes(socket).length;
    const since = Date.now();
    for (let i = 0; i < 40; i++) await ada.says(room, `message ${i}`);
    const cem = await register(service.url);
    await socket.until(({ event, data }) => event === 'changed' && data.categories.includes('user'));
    expect((await admin.get(`/v1/users/${cem.id}`)).status).toBe(200);
    expect(changes(socket).length - before).toBeLessThanOrEqual(2 + (Date.now() - since) / 1_000);
    socket.close();
  });

  it('ends when it is asked to', async () => {
    const [socket, other] = [await admin.connect(), await admin.connect()];
    await socket.ask('watch');
    await other.ask('watch');
    expect(await socket.refused('unwatch', 'please')).toBe('invalid_request');
    expect((await socket.ask('unwatch')).event).toBe('unwatched');
    await ada.room();
    await other.next('changed');
    expect(changes(socket)).toEqual([]);
    socket.close();
    other.close();
  });

  it('is for administrators and auditors, as long as they are such', async () => {
    const eve = await register(service.url);
    const early = await eve.connect();
    expect(await early.refused('watch')).toBe('forbidden');
    await admin.patch(`/v1/users/${eve.id}`, { role: 'auditor' });
    const socket = await eve.connect();
    await socket.ask('watch');
    await admin.patch(`/v1/users/${eve.id}`, { role: 'user' });
    await socket.next('unwatched');
    const told = changes(socket).length;
    const witness = await admin.connect();
    await witness.ask('watch');
    await ada.room();
    await witness.next('changed');
    expect(changes(socket)).toHaveLength(told);
    for (const each of [early, socket, witness]) each.close();
  });
});

describe('bad frames', () => {
  let socket: TestSocket;
  beforeAll(async () => {
    socket = await ada.connect();
  });
  afterAll(() => socket.close());

  it.each([
    ['no JSON', 'hello', undefined],
    ['nothing', '', undefined],
    ['a list', '[]', undefined],
    ['null', 'null', undefined],
    ['no event', '{"ref":"a"}', 'a'],
    ['an event that is none', '{"event":7,"ref":"b"}', 'b'],
    ['an event that nobody knows', '{"event":"dance","ref":0}', 0],
    ['an event of the server', '{"event":"hello","ref":1}', 1],
    ['an event by inheritance', '{"event":"constructor","ref":2}', 2],
    ['a ref that is an object', '{"event":"ping","ref":{}}', undefined],
    ['a long ref', `{"event":"ping","ref":"${'x'.repeat(101)}"}`, undefined],
    ['no data', '{"event":"post","ref":3}', 3],
    ['data of another kind', '{"event":"post","ref":4,"data":[]}', 4],
    ['a room that is no UUID', '{"event":"follow","ref":5,"data":{"room":"main"}}', 5],
    ['a lone surrogate', `{"event":"post","ref":6,"data":{"room":"${unknownId()}","text":"\\ud800"}}`, 6],
    ['NUL', `{"event":"post","ref":7,"data":{"room":"${unknownId()}","text":"\\u0000"}}`, 7],
    ['depth', `{"event":"post","ref":8,"data":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 8],
    ['UTF-8 that is none', Buffer.from([0x7b, 0xff, 0xfe]), undefined],
  ])('with %s are refused, and the socket stays usable', async (_, frame, ref) => {
    const before = socket.frames.length;
    socket.socket.send(frame, { binary: false });
    const refusal = await socket.when(() => socket.frames[before]);
    expect(refusal).toMatchObject({ event: 'error', data: { code: 'invalid_request', retryable: false } });
    expect(refusal.ref).toBe(ref);
    await socket.settled();
  });

  it('in binary are refused, and the socket stays usable', async () => {
    const before = socket.frames.length;
    socket.socket.send(Buffer.from('{"event":"ping"}'));
    expect(await socket.when(() => socket.frames[before])).toMatchObject({ event: 'error' });
    await socket.settled();
  });

  it('say what is wrong where', async () => {
    const { data } = await socket.ask('follow', { room: 'main', after: -2 });
    expect(data.errors).toEqual([
      { path: 'data.room', message: 'must be a UUID' },
      { path: 'data.after', message: 'must be at least -1' },
    ]);
  });

  it.each(['follow', 'unfollow', 'post', 'edit', 'redact', 'react', 'join', 'leave', 'read', 'typing', 'ping'])(
    'are told from good ones: %s',
    async (event) => {
      expect(await socket.refused(event, 7)).toBe('invalid_request');
    },
  );

  it('may be as long as the hello says, and no longer', async () => {
    const own = await ada.connect();
    const fill = (bytes: number) => {
      const frame = { event: 'post', ref: 'long', data: { room: unknownId(), text: '' } };
      frame.data.text = 'x'.repeat(bytes - JSON.stringify(frame).length);
      own.socket.send(JSON.stringify(frame));
    };
    fill(maxFrameBytes);
    expect((await own.next('error')).data.code).toBe('invalid_request');
    fill(maxFrameBytes + 1);
    expect(await own.closed).toBe(4013);
  });
});

describe('a client that does not read', () => {
  const length = 512;
  const last = length + 3;
  let room: string;
  let poster: TestSocket;
  beforeAll(async () => {
    room = await ada.roomWith([bob, cem]);
    poster = await ada.connect();
  });
  afterAll(() => poster.close());

  it('is cut off with 4008, while others are served as before, and can go on later', async () => {
    const [slow, quick] = [await bob.follow(room), await cem.follow(room)];
    slow.socket.pause();
    const delays: number[] = [];
    // 16 MiB are more than all buffers on the way hold.
    for (let i = 0; i < length; i += 8) {
      await flood(poster, room, 8, () => '👋'.repeat(8_000));
      const stored = performance.now();
      await reached(quick, room, i + 11);
      delays.push(performance.now() - stored);
    }
    slow.socket.resume();

    expect(await slow.closed).toBe(4008);
    expect(Math.max(...delays)).toBeLessThan(2_000);
    expect(revisionsOf(quick.events(room))).toEqual(upTo(last).slice(4));
    const heard = revisionsOf(slow.events(room));
    const again = await bob.follow(room, heard.at(-1));
    await reached(again, room, last, 10_000);
    expect([...heard, ...revisionsOf(again.events(room))]).toEqual(upTo(last).slice(4));
    quick.close();
    again.close();
  });

  it('is waited for while it gets the past, whatever happens meanwhile', async () => {
    const reader = await bob.connect();
    reader.send('follow', { room, after: -1 });
    reader.socket.pause();
    // More than are held back for one follower.
    await flood(poster, room, 2_100, (i) => `${i}`);
    reader.socket.resume();
    await reached(reader, room, last + 2_100, 10_000);
    expect(revisionsOf(reader.events(room))).toEqual(upTo(last + 2_100));
    reader.close();
  });
});

describe('the end of a connection', () => {
  it('comes with 4003 when the session ends', async () => {
    const person = await register(service.url);
    const socket = await person.connect();
    await person.post('/v1/auth/logout');
    expect(await socket.closed).toBe(4003);
  });

  it('comes with 4009 when the service ends, after a warning; nothing that was acknowledged is lost', async () => {
    const room = await ada.roomWith([bob]);
    const [poster, listener] = [await ada.connect(), await bob.follow(room)];
    const posted = new Map<string, string | number>();
    const keepPosting = setInterval(() => {
      const id = randomUUID();
      if (poster.socket.readyState === poster.socket.OPEN) posted.set(id, poster.send('post', { room, id, text: id }));
    }, 2);
    await reached(listener, room, 10);
    const url = service.url;
    const ticket = await ada.ticket();
    const restarted = service.restart();
    expect((await listener.next('drain')).data).toEqual({ retryAfterMs: expect.any(Number) });
    const late = openSocket(url, { ticket });
    const endings = await Promise.all([poster, listener, late].map(({ closed }) => closed));
    clearInterval(keepPosting);
    await restarted;
    expect(endings).toEqual([4009, 4009, 4009]);
    [admin, ada, bob, cem] = [admin, ada, bob, cem].map((person) => person.at(service.url)) as [
      TestPerson,
      TestPerson,
      TestPerson,
      TestPerson,
    ];

    const acked = [...posted].filter(([, ref]) =>
      poster.frames.some((frame) => frame.ref === ref && frame.event === 'ack'),
    );
    const again = await ada.connect();
    expect(acked.length).toBeGreaterThan(0);
    for (const [id] of acked)
      expect((await again.ask('post', { room, id, text: id })).data).toMatchObject({ duplicate: true });
    for (const id of posted.keys()) expect((await again.ask('post', { room, id, text: id })).event).toBe('ack');
    const texts = textsOf(await ada.all(`/v1/rooms/${room}/events?from=3`));
    expect(texts.sort()).toEqual([...posted.keys()].sort());

    const seen = listener.events(room).at(-1).revision;
    const resumed = await bob.follow(room, seen);
    const last = (await ada.says(room, 'on we go')).revision;
    await reached(resumed, room, last);
    expect(revisionsOf([...listener.events(room), ...resumed.events(room)])).toEqual(upTo(last).slice(3));
    again.close();
    resumed.close();
  });
});

it('every frame and every ending of the contract has been seen', () => {
  // Nothing limits rates yet.
  expect(neverSeenOnSockets()).toEqual([`${closeReasons.rateLimited.code}`]);
});
