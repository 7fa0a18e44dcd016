import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { neverSeen, outcome } from '../../tests/harness/contract.testing.js';
import {
  because,
  freshName,
  register,
  signIn,
  type TestPerson,
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

const join = async (person: TestPerson, room: string, body: object = {}) =>
  outcome(await person.post(`/v1/rooms/${room}/members`, body));
const idsOf = (items: { id: string }[]) => items.map(({ id }) => id);
const textsIn = async (person: TestPerson, room: string) =>
  (await person.all(`/v1/rooms/${room}/messages?order=oldest`)).map(({ text }) => text);

describe('the list of rooms', () => {
  it('can be filtered and sorted', async () => {
    const prefix = freshName();
    const make = async (name: string, visibility: string) =>
      (await ada.post('/v1/rooms', { name: `${prefix} ${name}`, visibility })).body.id as string;
    const quiet = await make('b', 'public');
    const busy = await make('a', 'hidden');
    await ada.post(`/v1/rooms/${busy}/members`, { userId: bob.id });
    await make('c', 'private');
    await ada.post(`/v1/rooms/${quiet}/messages`, { text: 'hello' });
    const find = async (query: string) => idsOf(await admin.all(`/v1/rooms?q=${prefix}&${query}`));

    expect(await find('visibility=hidden')).toEqual([busy]);
    expect((await find('sort=name&order=asc'))[0]).toBe(busy);
    expect((await find('sort=members'))[0]).toBe(busy);
    expect((await find('sort=activity'))[0]).toBe(quiet);
    expect((await find('sort=createdAt&order=asc'))[0]).toBe(quiet);
    for (const query of ['visibility=secret', 'sort=size', 'order=down'])
      expect(outcome(await admin.get(`/v1/rooms?${query}`))).toBe('invalid_request');
  });

  it('shows activity to administrators and auditors only', async () => {
    const { id, createdAt } = (await ada.post('/v1/rooms', { name: freshName() })).body;
    const seen = async (person: TestPerson) => (await person.get(`/v1/rooms/${id}`)).body;
    expect(await seen(admin)).toMatchObject({ messageCount: 0, activeAt: createdAt });
    const { postedAt } = (await ada.post(`/v1/rooms/${id}/messages`, { text: 'hello' })).body;
    expect(await seen(admin)).toMatchObject({ messageCount: 1, activeAt: postedAt });
    expect(await seen(ada)).not.toHaveProperty('messageCount');
  });
});

describe('creating a room', () => {
  it('makes it public, with its creator as owner', async () => {
    const name = freshName();
    const { status, body } = await ada.post('/v1/rooms', { name });

    expect(status).toBe(201);
    expect(body).toMatchObject({
      name,
      topic: '',
      visibility: 'public',
      history: 'full',
      hasPassword: false,
      status: 'open',
      memberCount: 1,
      createdBy: ada.id,
      revision: 1,
    });
    expect((await bob.get(`/v1/rooms/${body.id}`)).body).toEqual(body);
    const members = (await ada.get(`/v1/rooms/${body.id}/members`)).body.items;
    expect(members).toMatchObject([{ userId: ada.id, username: ada.username, role: 'owner' }]);
  });

  it('stores all settings, in NFC and with the name trimmed', async () => {
    const settings = { topic: 'Was wir trinken', visibility: 'hidden', history: 'joined', password: 'Milch' };
    const name = freshName();
    const { body } = await ada.post('/v1/rooms', { name: ` Cafe\u0301 ${name} `, ...settings });

    expect(body).toMatchObject({
      name: `Caf\u00e9 ${name}`,
      topic: settings.topic,
      visibility: 'hidden',
      history: 'joined',
      hasPassword: true,
    });
    expect((await ada.get(`/v1/rooms/${body.id}`)).body).toEqual(body);
  });

  it.each([
    ['no name', {}, 'body.name'],
    ['an empty name', { name: ' ' }, 'body.name'],
    ['a name of 81 characters', { name: '👩'.repeat(81) }, 'body.name'],
    ['a name with NUL', { name: 'a\u0000b' }, 'body.name'],
    ['a topic of 501 characters', { name: 'x', topic: 'x'.repeat(501) }, 'body.topic'],
    ['an unknown visibility', { name: 'x', visibility: 'direct' }, 'body.visibility'],
    ['an unknown history', { name: 'x', history: 'none' }, 'body.history'],
    ['an empty password', { name: 'x', password: '' }, 'body.password'],
  ])('refuses %s', async (_, body, path) => {
    const answer = await ada.post('/v1/rooms', body);
    expect(outcome(answer)).toBe('invalid_request');
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toEqual([path]);
  });

  it('counts characters as people do', async () => {
    expect((await ada.post('/v1/rooms', { name: '👩'.repeat(80), topic: '👩'.repeat(500) })).status).toBe(201);
  });
});

describe('the name of a room', () => {
  it('is taken regardless of case and the encoding of accents', async () => {
    const name = `Caf\u00e9 ${freshName()}`;
    await ada.room({ name });
    for (const taken of [name, name.toUpperCase(), name.normalize('NFD'), `  ${name.toLowerCase()} `]) {
      expect(outcome(await bob.post('/v1/rooms', { name: taken }))).toBe('name_taken');
      expect(outcome(await bob.post('/v1/rooms', { name: taken, visibility: 'private' }))).toBe('name_taken');
    }
  });

  it('is released by renaming the room', async () => {
    const [name, other] = [freshName(), freshName()];
    const room = await ada.room({ name });
    const { body } = await ada.patch(`/v1/rooms/${room}`, { name: other });
    expect(body.name).toBe(other);
    expect(outcome(await bob.post('/v1/rooms', { name: other.toUpperCase() }))).toBe('name_taken');
    expect(outcome(await bob.post('/v1/rooms', { name }))).toBe(201);
  });

  it('may change in case only', async () => {
    const name = freshName();
    const room = await ada.room({ name });
    expect((await ada.patch(`/v1/rooms/${room}`, { name: name.toUpperCase() })).body.name).toBe(name.toUpperCase());
    expect(outcome(await bob.post('/v1/rooms', { name }))).toBe('name_taken');
  });

  it('stays taken when renaming is refused', async () => {
    const [name, other] = [freshName(), freshName()];
    const room = await ada.room({ name });
    await bob.room({ name: other });
    expect(outcome(await ada.patch(`/v1/rooms/${room}`, { name: other }))).toBe('name_taken');
    expect((await ada.get(`/v1/rooms/${room}`)).body.name).toBe(name);
    expect(outcome(await bob.post('/v1/rooms', { name }))).toBe('name_taken');
  });

  it('is released by closing the room', async () => {
    const name = freshName();
    const room = await ada.room({ name });
    await ada.post(`/v1/rooms/${room}/close`, {});
    expect(outcome(await bob.post('/v1/rooms', { name }))).toBe(201);
  });

  it('need not be unique while the room is hidden', async () => {
    const name = freshName();
    const open = await ada.room({ name });
    const hidden = await bob.room({ name, visibility: 'hidden' });
    await bob.room({ name, visibility: 'hidden' });
    expect(outcome(await bob.patch(`/v1/rooms/${hidden}`, { visibility: 'private' }))).toBe('name_taken');

    await ada.patch(`/v1/rooms/${open}`, { visibility: 'hidden' });
    expect(outcome(await bob.patch(`/v1/rooms/${hidden}`, { visibility: 'public' }))).toBe(200);
    expect(outcome(await ada.patch(`/v1/rooms/${open}`, { visibility: 'public' }))).toBe('name_taken');
  });

  it('goes to one of two who race for it, 20 times', async () => {
    const race = async (name: string) => {
      const attempts = [ada.post('/v1/rooms', { name }), bob.post('/v1/rooms', { name: name.toUpperCase() })];
      expect((await Promise.all(attempts)).map(outcome).map(String).sort()).toEqual(['201', 'name_taken']);
      expect((await cem.get(`/v1/rooms?q=${encodeURIComponent(name)}`)).body.items).toHaveLength(1);
    };
    await Promise.all(Array.from({ length: 20 }, () => race(`Race ${freshName()}`)));
  });

  it('goes to one of those who race to rename their rooms', async () => {
    const name = freshName();
    const rooms = await Promise.all([ada.room(), ada.room(), ada.room()]);
    const outcomes = await Promise.all(
      rooms.map(async (room) => outcome(await ada.patch(`/v1/rooms/${room}`, { name }))),
    );
    expect(outcomes.map(String).sort()).toEqual(['200', 'name_taken', 'name_taken']);
  });
});

describe('finding rooms', () => {
  it('shows public rooms to all, and other rooms to those in them and to administrators', async () => {
    const word = freshName();
    const make = (visibility: string) => ada.room({ name: `${word} ${visibility}`, visibility });
    const [open, closedOff, hidden] = [await make('public'), await make('private'), await make('hidden')];
    const found = async (person: TestPerson) => idsOf(await person.all(`/v1/rooms?q=${word}`));

    expect(await found(ada)).toEqual([hidden, closedOff, open]);
    expect(await found(admin)).toEqual([hidden, closedOff, open]);
    expect(await found(bob)).toEqual([open]);
    await ada.post(`/v1/rooms/${hidden}/members`, { userId: bob.id });
    expect(await found(bob)).toEqual([hidden, open]);
  });

  it('matches part of the name, regardless of case and the encoding of accents', async () => {
    const word = freshName();
    const room = await ada.room({ name: `Über 100%_${word}` });
    const find = async (q: string) => idsOf((await bob.get(`/v1/rooms?q=${encodeURIComponent(q)}`)).body.items);

    expect(await find(`üBER 100%_${word}`)).toEqual([room]);
    expect(await find(`u\u0308ber 100%_${word}`)).toEqual([room]);
    expect(await find(`_${word}`)).toEqual([room]);
    expect(await find(`%${word}`)).toEqual([]);
  });

  it('can be limited to one’s own rooms, and to open or closed ones', async () => {
    const dora = await register(service.url);
    const [mine, ended] = [await dora.room(), await dora.room()];
    await dora.post(`/v1/rooms/${ended}/close`, {});
    const list = async (query: string) => idsOf(await dora.all(`/v1/rooms?${query}`));

    expect(await list('member=me')).toEqual([ended, mine]);
    expect(await list('member=me&status=open')).toEqual([mine]);
    expect(await list('member=me&status=closed')).toEqual([ended]);
    expect(await list('status=open')).not.toContain(ended);
    expect(await list('')).toEqual(expect.arrayContaining([mine, ended]));
  });

  it('returns every room once over all pages', async () => {
    const all = idsOf(await admin.all('/v1/rooms'));
    expect(new Set(all).size).toBe(all.length);
    expect(idsOf(await admin.all('/v1/rooms', 7))).toEqual(all);
  });

  it.each(['member=you', 'status=hidden', 'limit=0', 'limit=201', 'cursor=invented', 'cursor=WyJyb29tcyIsIngiXQ'])(
    'refuses %s',
    async (query) => {
      expect(outcome(await ada.get(`/v1/rooms?${query}`))).toBe('invalid_request');
    },
  );
});

describe('joining', () => {
  it('is free in a public room, and changes nothing the second time', async () => {
    const room = await ada.room();
    const first = await bob.post(`/v1/rooms/${room}/members`, {});
    const second = await bob.post(`/v1/rooms/${room}/members`);

    expect([first.status, second.status]).toEqual([201, 200]);
    expect(first.body).toMatchObject({ userId: bob.id, username: bob.username, role: 'member' });
    expect(second.body).toEqual(first.body);
    expect((await bob.get(`/v1/rooms/${room}`)).body).toMatchObject({ memberCount: 2, revision: 2 });
  });

  it('requires the password where there is one', async () => {
    for (const visibility of ['public', 'private']) {
      const room = await ada.room({ visibility, password: 'Ö pen' });
      expect(await join(bob, room)).toBe('forbidden');
      expect(await join(bob, room, { password: 'wrong' })).toBe('forbidden');
      expect(await join(bob, room, { password: 'O\u0308 pen' })).toBe(201);
    }
  });

  it('a private room without a password is impossible; its members are added', async () => {
    const room = await ada.room({ visibility: 'private' });
    expect(await join(bob, room)).toBe('forbidden');
    expect(await join(bob, room, { password: 'any' })).toBe('forbidden');
    expect(await join(ada, room, { userId: bob.id })).toBe(201);
    expect(await join(ada, room, { userId: bob.id })).toBe(200);
  });

  it('a hidden room requires its id and password', async () => {
    const [locked, sealed] = [
      await ada.room({ visibility: 'hidden', password: 'sesame' }),
      await ada.room({ visibility: 'hidden' }),
    ];
    for (const room of [locked, sealed, unknownId()]) {
      expect(await join(bob, room)).toBe('not_found');
      expect(await join(bob, room, { password: 'wrong' })).toBe('not_found');
      expect(outcome(await bob.get(`/v1/rooms/${room}`))).toBe('not_found');
    }
    expect(await join(bob, locked, { password: 'sesame' })).toBe(201);
    expect(outcome(await bob.get(`/v1/rooms/${locked}`))).toBe(200);
  });

  it('is allowed to administrators everywhere', async () => {
    for (const settings of [{ visibility: 'hidden' }, { visibility: 'private' }, { password: 'sesame' }]) {
      expect(await join(admin, await ada.room(settings))).toBe(201);
    }
  });

  it('takes as long to refuse for a hidden room as for a missing one', async () => {
    const locked = await ada.room({ visibility: 'hidden', password: 'sesame' });
    const tried = [locked, await ada.room({ visibility: 'hidden' }), unknownId()];
    const times = tried.map((): number[] => []);
    for (let round = 0; round < 7; round++)
      for (const [i, room] of tried.entries()) {
        const start = performance.now();
        expect(await join(bob, room, { password: 'wrong' })).toBe('not_found');
        times[i]?.push(performance.now() - start);
      }
    const medians = times.map((all) => all.sort((a, b) => a - b)[3] ?? 0);
    // Comparing a password takes twenty times as long as everything else.
    expect(Math.max(...medians) / Math.min(...medians)).toBeLessThan(4);
  });

  it('follows a change of the password', async () => {
    const room = await ada.room({ password: 'old' });
    await ada.patch(`/v1/rooms/${room}`, { password: 'new' });
    expect(await join(bob, room, { password: 'old' })).toBe('forbidden');
    expect(await join(bob, room, { password: 'new' })).toBe(201);
    expect((await ada.patch(`/v1/rooms/${room}`, { password: null })).body.hasPassword).toBe(false);
    expect(await join(cem, room)).toBe(201);
    await ada.put(`/v1/rooms/${room}/bans/${bob.id}`);
    expect(outcome(await ada.post(`/v1/rooms/${room}/members`, { userId: bob.id }))).toBe('conflict');
  });

  it('knows no roles of one’s own choice', async () => {
    const room = await ada.room();
    expect(await join(bob, room, { invitation: 'x' })).toBe('invalid_request');
    expect(await join(bob, room, { role: 'owner' })).toBe('invalid_request');
    expect(await join(ada, room, { userId: unknownId() })).toBe('not_found');
    expect(await join(ada, room, { userId: bob.id, role: 'king' })).toBe('invalid_request');
  });
});

describe('history', () => {
  it('starts at the latest joining if the room is set so', async () => {
    for (const visibility of ['private', 'hidden']) {
      const room = await ada.room({ visibility, history: 'joined' });
      await ada.says(room, 'before');
      await ada.post(`/v1/rooms/${room}/members`, { userId: bob.id });
      await ada.says(room, 'after');
      expect(await textsIn(bob, room)).toEqual(['after']);
      expect(await textsIn(ada, room)).toEqual(['before', 'after']);

      await bob.delete(`/v1/rooms/${room}/members/me`);
      await ada.says(room, 'meanwhile');
      await ada.post(`/v1/rooms/${room}/members`, { userId: bob.id });
      expect(await textsIn(bob, room)).toEqual([]);
    }
  });

  it('is complete otherwise, and always in public rooms', async () => {
    for (const settings of [{ visibility: 'private' }, { visibility: 'public', history: 'joined' }]) {
      const room = await ada.room(settings);
      await ada.says(room, 'before');
      await ada.post(`/v1/rooms/${room}/members`, { userId: bob.id });
      expect(await textsIn(bob, room)).toEqual(['before']);
    }
  });
});

describe('changing a room', () => {
  it('changes only the given settings', async () => {
    const room = await ada.room({ topic: 'old' });
    const before = (await ada.get(`/v1/rooms/${room}`)).body;
    const { body } = await ada.patch(`/v1/rooms/${room}`, { topic: 'new', visibility: 'private', history: 'joined' });

    expect(body).toEqual({ ...before, topic: 'new', visibility: 'private', history: 'joined', revision: 2 });
    expect((await ada.get(`/v1/rooms/${room}`)).body).toEqual(body);
    expect((await ada.patch(`/v1/rooms/${room}`, { topic: 'new' })).body).toEqual(body);
  });

  it.each([{}, { name: '' }, { name: null }, { visibility: 'direct' }, { password: 7 }])('refuses %j', async (body) => {
    const room = await ada.room();
    expect(outcome(await ada.patch(`/v1/rooms/${room}`, body))).toBe('invalid_request');
  });

  it('refuses malformed ids and ids of no room', async () => {
    expect(outcome(await ada.patch('/v1/rooms/main', { topic: 'x' }))).toBe('invalid_request');
    expect(outcome(await ada.patch(`/v1/rooms/${unknownId()}`, { topic: 'x' }))).toBe('not_found');
  });
});

describe('members', () => {
  it('are listed in the order of joining, page by page, with their current names', async () => {
    const people = await Promise.all(Array.from({ length: 7 }, () => register(service.url)));
    const room = await ada.room();
    for (const person of people) await join(person, room);
    const expected = [ada, ...people].map(({ id }) => id);
    await people[2]!.patch('/v1/me', { displayName: 'Third' });

    const members = await bob.all(`/v1/rooms/${room}/members`, 3);

    expect(members.map(({ userId }) => userId)).toEqual(expected);
    expect(members[3]).toMatchObject({ username: people[2]!.username, displayName: 'Third', role: 'member' });
  });

  it('of rooms that are not public are visible to members only', async () => {
    const [closedOff, hidden] = [await ada.room({ visibility: 'private' }), await ada.room({ visibility: 'hidden' })];
    const ask = async (person: TestPerson, room: string) => outcome(await person.get(`/v1/rooms/${room}/members`));
    expect(await ask(bob, closedOff)).toBe('not_a_member');
    expect(await ask(bob, hidden)).toBe('not_found');
    expect(await ask(bob, unknownId())).toBe('not_found');
    expect([await ask(ada, hidden), await ask(admin, hidden)]).toEqual([200, 'reason_required']);
    expect(outcome(await admin.get(`/v1/rooms/${hidden}/members`, because()))).toBe(200);
    expect(outcome(await bob.get(`/v1/rooms/${closedOff}/members?limit=x`))).toBe('invalid_request');
  });

  it('leave, and are removed', async () => {
    const room = await ada.roomWith([bob, cem]);
    expect((await bob.delete(`/v1/rooms/${room}/members/me`)).status).toBe(204);
    expect((await ada.delete(`/v1/rooms/${room}/members/${cem.id}`)).status).toBe(204);

    expect((await ada.get(`/v1/rooms/${room}`)).body.memberCount).toBe(1);
    for (const gone of [bob, cem]) expect(outcome(await gone.get(`/v1/rooms/${room}/messages`))).toBe('not_a_member');
    expect(outcome(await bob.delete(`/v1/rooms/${room}/members/me`))).toBe('not_a_member');
    expect(outcome(await ada.delete(`/v1/rooms/${room}/members/${bob.id}`))).toBe('not_found');
    expect(outcome(await ada.delete(`/v1/rooms/${room}/members/nobody`))).toBe('invalid_request');
    expect(await join(cem, room)).toBe(201);
  });

  it('get another role', async () => {
    const room = await ada.roomWith([bob]);
    const path = `/v1/rooms/${room}/members/${bob.id}`;
    for (const role of ['guest', 'moderator', 'owner', 'owner', 'member']) {
      expect((await ada.patch(path, { role })).body).toMatchObject({ userId: bob.id, role });
    }
    for (const body of [{}, { role: 'admin' }]) expect(outcome(await ada.patch(path, body))).toBe('invalid_request');
    expect(outcome(await ada.patch(`/v1/rooms/${room}/members/${cem.id}`, { role: 'guest' }))).toBe('not_found');
    expect(outcome(await ada.patch(`/v1/rooms/${room}/members/${ada.id}`, { role: 'guest' }))).toBe('conflict');
    expect((await ada.get(`/v1/rooms/${room}/members`)).body.items[1].role).toBe('member');
  });
});

/** Somebody, what they are in the room, and what becomes of each thing they try there. */
describe('who may do what', () => {
  const actors = ['owner', 'moderator', 'member', 'guest', 'outsider', 'admin'] as const;
  type Actor = (typeof actors)[number];
  interface Stage {
    readonly room: string;
    /** A message of somebody who is a plain member. */
    readonly message: string;
  }
  let cast: Record<Actor | 'peer' | 'newcomer', TestPerson>;
  let stage: (settings?: object) => Promise<Stage>;

  beforeAll(async () => {
    const [moderator, guest, outsider, newcomer] = await Promise.all(
      Array.from({ length: 4 }, () => register(service.url)),
    );
    cast = { owner: ada, moderator, member: bob, guest, outsider, admin, peer: cem, newcomer } as typeof cast;
    stage = async (settings = {}) => {
      const people: [TestPerson, string][] = [
        [cast.moderator, 'moderator'],
        [bob, 'member'],
        [cast.guest, 'guest'],
        [cem, 'member'],
      ];
      const room = await ada.roomWith(people, settings);
      return { room, message: (await cem.says(room, 'mine')).id };
    };
  });

  const deeds: [string, (person: TestPerson, at: Stage) => ReturnType<TestPerson['get']>, string][] = [
    // what is tried, how, and what becomes of it when tried by each of the actors
    ['see the room', (p, { room }) => p.get(`/v1/rooms/${room}`), '200 200 200 200 200 200'],
    ['read', (p, { room }) => p.get(`/v1/rooms/${room}/messages`), '200 200 200 200 not_a_member reason_required'],
    [
      'read with a reason',
      (p, { room }) => p.get(`/v1/rooms/${room}/messages`, because()),
      '200 200 200 200 not_a_member 200',
    ],
    [
      'read events with a reason',
      (p, { room }) => p.get(`/v1/rooms/${room}/events`, because()),
      '200 200 200 200 not_a_member 200',
    ],
    [
      'post',
      (p, { room }) => p.post(`/v1/rooms/${room}/messages`, { text: 'x' }),
      '201 201 201 forbidden not_a_member not_a_member',
    ],
    [
      'react',
      (p, { room, message }) => p.put(`/v1/rooms/${room}/messages/${message}/reactions/%F0%9F%91%8D`),
      '204 204 204 forbidden not_a_member not_a_member',
    ],
    [
      'edit another’s message',
      (p, { room, message }) => p.patch(`/v1/rooms/${room}/messages/${message}`, { text: 'y' }),
      'forbidden forbidden forbidden forbidden not_a_member not_a_member',
    ],
    [
      'redact another’s message',
      (p, { room, message }) => p.delete(`/v1/rooms/${room}/messages/${message}`),
      '200 200 forbidden forbidden not_a_member 200',
    ],
    [
      'mark as read',
      (p, { room }) => p.put(`/v1/rooms/${room}/read`, { revision: 1 }),
      '204 204 204 204 not_a_member not_a_member',
    ],
    [
      'change the room',
      (p, { room }) => p.patch(`/v1/rooms/${room}`, { topic: 'x' }),
      '200 forbidden forbidden forbidden not_a_member 200',
    ],
    [
      'bring in a member',
      (p, { room }) => p.post(`/v1/rooms/${room}/members`, { userId: cast.newcomer.id }),
      '201 201 forbidden forbidden not_a_member 201',
    ],
    [
      'bring in an owner',
      (p, { room }) => p.post(`/v1/rooms/${room}/members`, { userId: cast.newcomer.id, role: 'owner' }),
      '201 forbidden forbidden forbidden not_a_member 201',
    ],
    [
      'remove a member',
      (p, { room }) => p.delete(`/v1/rooms/${room}/members/${cem.id}`),
      '204 204 forbidden forbidden not_a_member 204',
    ],
    [
      'remove the last owner',
      (p, { room }) => p.delete(`/v1/rooms/${room}/members/${ada.id}`),
      'conflict forbidden forbidden forbidden not_a_member conflict',
    ],
    [
      'remove an owner whom another follows',
      (p, { room }) => p.delete(`/v1/rooms/${room}/members/${ada.id}`, { successor: bob.id }),
      '204 forbidden forbidden forbidden not_a_member 204',
    ],
    [
      'make a member a guest',
      (p, { room }) => p.patch(`/v1/rooms/${room}/members/${cem.id}`, { role: 'guest' }),
      '200 200 forbidden forbidden not_a_member 200',
    ],
    [
      'make a member a moderator',
      (p, { room }) => p.patch(`/v1/rooms/${room}/members/${cem.id}`, { role: 'moderator' }),
      '200 forbidden forbidden forbidden not_a_member 200',
    ],
    [
      'close the room',
      (p, { room }) => p.post(`/v1/rooms/${room}/close`),
      '200 forbidden forbidden forbidden not_a_member 200',
    ],
  ];

  it.each(deeds)('to %s', async (_, attempt, expected) => {
    const outcomes = actors.map(async (actor) => outcome(await attempt(cast[actor], await stage())));
    expect((await Promise.all(outcomes)).join(' ')).toBe(expected);
  });

  it('is hidden from outsiders of a hidden room, whatever they try', async () => {
    const at = await stage({ visibility: 'hidden' });
    for (const [, attempt] of deeds) expect(outcome(await attempt(cast.outsider, at))).toBe('not_found');
  });

  it('is refused by ids that are of nothing', async () => {
    for (const [what, attempt] of deeds) {
      const nowhere = await attempt(ada, { room: unknownId(), message: unknownId() });
      expect([what, outcome(nowhere)]).toEqual([what, 'not_found']);
    }
  });

  it('takes a credential', async () => {
    const nobody = new Visitor(service.url) as TestPerson;
    const at = await stage();
    for (const [, attempt] of deeds) expect(outcome(await attempt(nobody, at))).toBe('unauthenticated');
    for (const path of ['/v1/rooms', `/v1/rooms/${at.room}/members`])
      expect(outcome(await nobody.get(path))).toBe('unauthenticated');
    expect(outcome(await nobody.post('/v1/rooms', { name: 'x' }))).toBe('unauthenticated');
    expect(outcome(await nobody.put(`/v1/direct/${ada.username}`))).toBe('unauthenticated');
  });
});

describe('a closed room', () => {
  it('allows leaving, removal and redaction, and nothing else', async () => {
    const room = await ada.roomWith([bob, cem], { password: 'sesame' });
    const [mine, theirs] = [await ada.says(room, 'mine'), await bob.says(room, 'theirs')];
    const outsider = await register(service.url);
    const at = (path: string) => `/v1/rooms/${room}${path}`;

    const closed = await ada.post(at('/close'), { reason: 'Alles gesagt' });
    expect(closed.body.status).toBe('closed');
    expect((await ada.post(at('/close'))).body).toEqual(closed.body);
    expect((await bob.get(at(''))).body).toEqual(closed.body);

    const refused = [
      ada.post(at('/messages'), { text: 'one more' }),
      outsider.post(at('/members'), { password: 'sesame' }),
      ada.post(at('/members'), { userId: outsider.id }),
      ada.patch(at(''), { topic: 'x' }),
      ada.patch(at(`/members/${bob.id}`), { role: 'owner' }),
      ada.patch(at(`/messages/${mine.id}`), { text: 'x' }),
      ada.put(at(`/messages/${theirs.id}/reactions/%F0%9F%91%8D`)),
      ada.delete(at(`/messages/${theirs.id}/reactions/%F0%9F%91%8D`)),
    ];
    for (const answer of await Promise.all(refused)) expect(outcome(answer)).toBe('room_closed');

    expect(outcome(await ada.delete(at(`/messages/${theirs.id}`)))).toBe(200);
    expect(outcome(await cem.put(at('/read'), { revision: 3 }))).toBe(204);
    expect(outcome(await ada.delete(at(`/members/${cem.id}`)))).toBe(204);
    expect(await textsIn(bob, room)).toEqual(['mine', null]);
    expect(outcome(await bob.delete(at('/members/me')))).toBe(204);
  });
});

describe('a direct room', () => {
  it('is created once for two people, whichever of them asks', async () => {
    const [one, other] = [await register(service.url), await register(service.url)];
    const made = await one.put(`/v1/direct/${other.username.toUpperCase()}`);
    const again = await other.put(`/v1/direct/${one.username}`);

    expect([made.status, again.status]).toEqual([201, 200]);
    expect(again.body).toEqual(made.body);
    expect(made.body).toMatchObject({ name: '', visibility: 'direct', memberCount: 2, createdBy: one.id });
    await one.says(made.body.id, 'just us');
    expect(await textsIn(other, made.body.id)).toEqual(['just us']);
  });

  it('is created once when both ask at the same time', async () => {
    const [one, other] = [await register(service.url), await register(service.url)];
    const answers = await Promise.all([
      one.put(`/v1/direct/${other.username}`),
      other.put(`/v1/direct/${one.username}`),
    ]);
    expect(answers.map(outcome).sort()).toEqual([200, 201]);
    expect(answers[0].body.id).toBe(answers[1].body.id);
  });

  it('is visible to nobody else, and has no settings', async () => {
    const room = (await ada.put(`/v1/direct/${bob.username}`)).body.id;
    expect(outcome(await cem.get(`/v1/rooms/${room}`))).toBe('not_found');
    expect(await join(cem, room)).toBe('not_found');
    expect(await join(ada, room, { userId: cem.id })).toBe('forbidden');
    expect(outcome(await ada.patch(`/v1/rooms/${room}`, { name: 'ours' }))).toBe('forbidden');
    expect(outcome(await ada.post(`/v1/rooms/${room}/close`))).toBe('forbidden');
    expect(outcome(await ada.delete(`/v1/rooms/${room}/members/${bob.id}`))).toBe('forbidden');
    expect(outcome(await ada.patch(`/v1/rooms/${room}/members/${bob.id}`, { role: 'guest' }))).toBe('forbidden');
    expect(idsOf(await cem.all('/v1/rooms'))).not.toContain(room);
    expect(idsOf(await ada.all('/v1/rooms'))).toContain(room);
  });

  it('requires two existing people', async () => {
    expect(outcome(await ada.put(`/v1/direct/${ada.username}`))).toBe('invalid_request');
    expect(outcome(await ada.put(`/v1/direct/${freshName()}`))).toBe('not_found');
    expect(outcome(await ada.put('/v1/direct/a'))).toBe('invalid_request');
  });

  it('brings back somebody who had left', async () => {
    const [one, other] = [await register(service.url), await register(service.url)];
    const room = (await one.put(`/v1/direct/${other.username}`)).body.id;
    await one.delete(`/v1/rooms/${room}/members/me`);

    const again = await one.put(`/v1/direct/${other.username}`);

    expect(again.body).toMatchObject({ id: room, memberCount: 2 });
    expect((await one.says(room, 'I am back')).text).toBe('I am back');
  });
});

describe('writing in a direct room', () => {
  const pair = async () => {
    const [one, other] = [await register(service.url), await register(service.url)];
    return { one, other, room: (await one.put(`/v1/direct/${other.username}`)).body.id as string };
  };

  it('reaches somebody who had left it: they are in it again, with the message unread', async () => {
    const { one, other, room } = await pair();
    await other.delete(`/v1/rooms/${room}/members/me`);
    const { revision } = await one.says(room, 'are you there?');
    const socket = await one.connect();
    const ack = await socket.ask('post', { room, text: 'hello?' });
    expect(ack.data.revision).toBe(revision + 1);
    expect((await other.get('/v1/inbox', { 'verbatim-position': `${ack.data.position}` })).body.items).toMatchObject([
      { room: { id: room, memberCount: 2 }, lastMessage: { text: 'hello?' }, unread: 2 },
    ]);
    socket.close();
  });

  it('is refused when the other account is deactivated, but reading is not', async () => {
    const { one, other, room } = await pair();
    const before = await one.says(room, 'before');
    await admin.patch(`/v1/users/${other.id}`, { deactivated: true });
    const refused = await one.post(`/v1/rooms/${room}/messages`, { text: 'after' });
    expect([outcome(refused), refused.body.detail]).toEqual([
      'conflict',
      'This account was deactivated. Nobody can write to it.',
    ]);
    const socket = await one.connect();
    expect(await socket.refused('post', { room, text: 'after' })).toBe('conflict');
    socket.close();
    // Repeating what was stored before is answered as before.
    const again = await one.post(`/v1/rooms/${room}/messages`, { id: before.id, text: 'before' });
    expect([again.status, again.body.id]).toEqual([200, before.id]);
    expect(await textsIn(one, room)).toEqual(['before']);
    expect((await one.put(`/v1/direct/${other.username}`)).status).toBe(200);

    await admin.patch(`/v1/users/${other.id}`, { deactivated: false });
    expect((await one.says(room, 'welcome back')).text).toBe('welcome back');
  });

  it('is refused in a new room, too', async () => {
    const [one, other] = [await register(service.url), await register(service.url)];
    await admin.patch(`/v1/users/${other.id}`, { deactivated: true });
    expect(outcome(await one.put(`/v1/direct/${other.username}`))).toBe('conflict');
  });
});

describe('a restart', () => {
  it('keeps rooms, their members, passwords and names', async () => {
    const name = freshName();
    const room = await ada.roomWith([[bob, 'moderator']], { name, topic: 'To stay', password: 'sesame' });
    const before = (await ada.get(`/v1/rooms/${room}`)).body;

    await service.restart();
    [admin, ada, bob, cem] = [admin, ada, bob, cem].map((person) => person.at(service.url)) as [
      TestPerson,
      TestPerson,
      TestPerson,
      TestPerson,
    ];

    expect((await ada.get(`/v1/rooms/${room}`)).body).toEqual(before);
    expect((await ada.get(`/v1/rooms/${room}/members`)).body.items).toMatchObject([
      { role: 'owner' },
      { role: 'moderator' },
    ]);
    expect(outcome(await bob.post('/v1/rooms', { name }))).toBe('name_taken');
    expect(await join(cem, room, { password: 'wrong' })).toBe('forbidden');
    expect(await join(cem, room, { password: 'sesame' })).toBe(201);
  });
});

it('all calls of rooms have been seen with each of their answers', () => {
  expect(neverSeen('Rooms')).toEqual([]);
});
