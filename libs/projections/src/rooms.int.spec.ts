import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat, everything } from './chat.testing.js';
import { membership, membersOf, roomsOf } from './members.js';
import { createReadDatabase, type TestReadDatabase } from './read-database.testing.js';
import { BEGINNING, Recorder } from './recorder.testing.js';
import { getRoom, listRooms, type RoomSort, type RoomsQuery } from './rooms.js';

let db: TestReadDatabase;
beforeAll(async () => {
  db = await createReadDatabase();
  const chat = new Chat()
    .registers('alice')
    .registers('bob')
    .registers('carol')
    .creates('alice', 'lounge', { name: 'The Lounge', topic: 'All things' })
    .creates('alice', 'cellar', { name: 'Cellar', visibility: 'hidden', history: 'joined', passwordId: 'p1' })
    .creates('bob', 'office', { name: 'Office', visibility: 'private' })
    .creates('alice', 'alice-bob', { name: '', visibility: 'direct' })
    .joins('bob', 'alice-bob')
    .creates('carol', 'attic', { name: 'Old attic' })
    .closes('carol', 'attic')
    .joins('bob', 'lounge', 'guest')
    .posts('alice', 'lounge', 'm1')
    .joins('carol', 'lounge')
    .leaves('carol', 'lounge')
    .gives({ userId: 'bob', role: 'moderator' }, 'lounge');
  await db.show(chat.events);
});
afterAll(() => db.drop());

const listed = async (query: Partial<RoomsQuery> & { viewer: string }) =>
  (await listRooms(db, { admin: false, page: { limit: 50 }, ...query })).items.map(({ id }) => id);

test('a room is found by id, with its settings and counters', async () => {
  expect(await getRoom(db, 'lounge')).toEqual({
    id: 'lounge',
    name: 'The Lounge',
    topic: 'All things',
    visibility: 'public',
    history: 'full',
    passwordId: null,
    slowModeSeconds: 0,
    status: 'open',
    createdBy: 'alice',
    createdAt: new Date(BEGINNING + 3_000).toISOString(),
    revision: 6n,
    memberCount: 2,
    messageCount: 1,
    activeAt: new Date(BEGINNING + 16_000).toISOString(),
    closing: null,
  });
  expect(await getRoom(db, 'cellar')).toMatchObject({ visibility: 'hidden', history: 'joined', passwordId: 'p1' });
  expect(await getRoom(db, 'attic')).toMatchObject({ status: 'closed' });
  expect(await getRoom(db, 'nowhere')).toBeNull();
});

test('one sees public rooms and those one is in, those created last first', async () => {
  expect(await listed({ viewer: 'alice' })).toEqual(['attic', 'alice-bob', 'cellar', 'lounge']);
  expect(await listed({ viewer: 'bob' })).toEqual(['attic', 'alice-bob', 'office', 'lounge']);
  expect(await listed({ viewer: 'carol' })).toEqual(['attic', 'lounge']);
});

test('administrators and auditors see all rooms', async () => {
  expect(await listed({ viewer: 'carol', admin: true })).toEqual(['attic', 'alice-bob', 'office', 'cellar', 'lounge']);
});

test('a list can be narrowed to rooms one is in, to a part of the name, to a status', async () => {
  expect(await listed({ viewer: 'carol', memberOnly: true })).toEqual(['attic']);
  expect(await listed({ viewer: 'carol', memberOnly: true, admin: true })).toEqual(['attic']);
  expect(await listed({ viewer: 'alice', q: 'LOUNGE' })).toEqual(['lounge']);
  expect(await listed({ viewer: 'bob', q: 'cellar' })).toEqual([]);
  expect(await listed({ viewer: 'alice', status: 'open' })).toEqual(['alice-bob', 'cellar', 'lounge']);
  expect(await listed({ viewer: 'alice', status: 'closed' })).toEqual(['attic']);
});

test.each([
  ['Café de la Paix', ['cafe', 'PAIX café', 'la  paix'], ['cafe du nord']],
  ['Straßenbau', ['STRASSEN', 'strassenbau'], []],
  ["L'Équipe", ['lequipe', 'equipe', 'l’équipe'], []],
  ['上海东边', ['海东', '上海'], ['东上']],
  ['Team 🔥', ['🔥', 'team 🔥'], ['💧']],
])('a room called %s is found by other spellings of its name', async (name, spellings, others) => {
  const other = await createReadDatabase();
  try {
    await other.show(
      new Chat().registers('alice').creates('alice', 'r1', { name: 'before' }).changes('alice', 'r1', { name }).events,
    );
    const by = async (q: string) =>
      (await listRooms(other, { viewer: 'alice', admin: false, q, page: { limit: 50 } })).items.length;
    for (const q of spellings) expect([q, await by(q)]).toEqual([q, 1]);
    for (const q of [...others, 'before', '!']) expect([q, await by(q)]).toEqual([q, 0]);
  } finally {
    await other.drop();
  }
});

test('the list comes in pages', async () => {
  const rooms = await everything(2, (page) => listRooms(db, { viewer: 'alice', admin: false, page }));
  expect(rooms.map(({ id }) => id)).toEqual(['attic', 'alice-bob', 'cellar', 'lounge']);
});

test('the list can be narrowed to a visibility', async () => {
  const of = (visibility: RoomsQuery['visibility']) => listed({ viewer: 'carol', admin: true, visibility });
  expect(await of('hidden')).toEqual(['cellar']);
  expect(await of('direct')).toEqual(['alice-bob']);
});

test('the list has other orders, each in pages and both ways', async () => {
  const orders = {
    createdAt: ['lounge', 'cellar', 'office', 'alice-bob', 'attic'],
    name: ['alice-bob', 'cellar', 'office', 'attic', 'lounge'],
    members: ['attic', 'cellar', 'office', 'alice-bob', 'lounge'],
    activity: ['cellar', 'office', 'alice-bob', 'attic', 'lounge'],
  };
  for (const [sort, ids] of Object.entries(orders) as [RoomSort, string[]][]) {
    for (const order of ['asc', 'desc'] as const) {
      const found = await everything(2, (page) => listRooms(db, { viewer: 'carol', admin: true, sort, order, page }));
      expect([sort, found.map(({ id }) => id)]).toEqual([sort, order === 'asc' ? ids : ids.toReversed()]);
    }
  }
});

test('rooms are ordered by the times that are shown, which of imported rooms lie in the past', async () => {
  const recorder = new Recorder();
  const opened = (id: string, at?: string) => {
    const data = { name: id, topic: '', visibility: 'public', history: 'full', passwordId: null } as const;
    recorder.room(id, 'alice', { type: 'RoomCreated', data }, at);
    const message = { messageId: `in ${id}`, text: 'hi', replyTo: null, kind: 'text' } as const;
    recorder.room(id, 'alice', { type: 'MessagePosted', data: message }, at);
  };
  opened('today');
  opened('2005', '2005-09-26T08:00:00.000Z');
  opened('1999', '1999-12-31T23:59:59.999Z');
  opened('2012', '2012-02-29T00:00:00.000Z');
  const own = await createReadDatabase();
  await own.show(recorder.events);
  for (const sort of ['createdAt', 'activity'] as const) {
    const found = await everything(1, (page) => listRooms(own, { viewer: 'alice', admin: true, sort, page }));
    expect(found.map(({ id }) => id)).toEqual(['today', '2012', '2005', '1999']);
  }
  await own.drop();
});

test('members of a room come in the order in which they joined', async () => {
  const members = await everything(1, (page) => membersOf(db, 'lounge', page));
  expect(members).toEqual([
    {
      user: { id: 'alice', username: 'alice', displayName: 'ALICE' },
      role: 'owner',
      joinedAt: new Date(BEGINNING + 4_000).toISOString(),
      joinedRevision: 1n,
      mutedUntil: null,
    },
    {
      user: { id: 'bob', username: 'bob', displayName: 'BOB' },
      role: 'moderator',
      joinedAt: new Date(BEGINNING + 15_000).toISOString(),
      joinedRevision: 2n,
      mutedUntil: null,
    },
  ]);
});

test('the rooms somebody is in are found, those with the latest messages first', async () => {
  const rooms = await everything(1, (page) => roomsOf(db, 'bob', page));
  expect(rooms.map(({ room, role }) => [room.id, role])).toEqual([
    ['lounge', 'moderator'],
    ['alice-bob', 'member'],
    ['office', 'owner'],
  ]);
  expect(rooms[0]?.room).toEqual(await getRoom(db, 'lounge'));
  expect(rooms[0]?.joinedAt).toBe(new Date(BEGINNING + 15_000).toISOString());
  expect(await everything(1, (page) => roomsOf(db, 'nobody', page))).toEqual([]);
});

test('one membership is found, and that there is none', async () => {
  expect(await membership(db, 'lounge', 'bob')).toMatchObject({ role: 'moderator', joinedRevision: 2n });
  expect(await membership(db, 'lounge', 'carol')).toBeNull();
  expect(await membership(db, 'nowhere', 'bob')).toBeNull();
});
