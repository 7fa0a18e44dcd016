import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Chat, everything } from './chat.testing.js';
import { inbox, markRead } from './inbox.js';
import { createReadDatabase, type TestReadDatabase } from './read-database.testing.js';

let db: TestReadDatabase;
let chat: Chat;
beforeAll(async () => {
  db = await createReadDatabase();
});
beforeEach(() => {
  chat = new Chat().registers('alice').registers('bob').creates('alice', 'lounge').posts('alice', 'lounge', 'm2');
});
afterAll(() => db.drop());

const unread = async (who: string) =>
  Object.fromEntries((await inbox(db, who, { limit: 50 })).items.map(({ room, unread }) => [room.id, unread]));

test('messages count as unread until one has read, joined after, or posted after them', async () => {
  chat.joins('bob', 'lounge').posts('alice', 'lounge', 'm4').posts('alice', 'lounge', 'm5');
  await db.show(chat.events);
  expect(await unread('bob')).toEqual({ lounge: 2 });
  expect(await unread('alice')).toEqual({ lounge: 0 });

  await markRead(db, 'bob', 'lounge', 4n);
  expect(await unread('bob')).toEqual({ lounge: 1 });
  await markRead(db, 'bob', 'lounge', 5n);
  expect(await unread('bob')).toEqual({ lounge: 0 });

  chat.posts('bob', 'lounge', 'm6').posts('alice', 'lounge', 'm7');
  await db.show(chat.events);
  expect(await unread('bob')).toEqual({ lounge: 1 });
  expect(await unread('alice')).toEqual({ lounge: 0 });
});

test('a read mark never falls, and one between messages counts those before it', async () => {
  chat
    .joins('bob', 'lounge')
    .posts('alice', 'lounge', 'm4')
    .reacts('alice', 'lounge', 'm4', 'x')
    .posts('alice', 'lounge', 'm6');
  await db.show(chat.events);
  await markRead(db, 'bob', 'lounge', 5n);
  await markRead(db, 'bob', 'lounge', 0n);
  expect(await unread('bob')).toEqual({ lounge: 1 });
  expect((await inbox(db, 'bob', { limit: 1 })).items[0]?.readThrough).toBe(5n);
});

test('somebody who comes back has unread what was said since they last read, posted or first joined', async () => {
  chat.joins('bob', 'lounge').posts('alice', 'lounge', 'm4').leaves('bob', 'lounge').posts('alice', 'lounge', 'm6');
  await db.show(chat.events);
  expect(await unread('bob')).toEqual({});
  chat.joins('bob', 'lounge').posts('alice', 'lounge', 'm8');
  await db.show(chat.events);
  expect(await unread('bob')).toEqual({ lounge: 3 });

  chat.posts('bob', 'lounge', 'm9').leaves('bob', 'lounge').posts('alice', 'lounge', 'm11').joins('bob', 'lounge');
  await db.show(chat.events);
  expect(await unread('bob')).toEqual({ lounge: 1 });
  chat.leaves('bob', 'lounge').posts('alice', 'lounge', 'm14').joins('bob', 'lounge');
  await db.show(chat.events);
  await markRead(db, 'bob', 'lounge', 11n);
  expect(await unread('bob')).toEqual({ lounge: 1 });
});

test('what was said while somebody was away counts only where they may read it', async () => {
  for (const [room, visibility] of [
    ['den', 'private'],
    ['hall', 'public'],
  ] as const)
    chat
      .creates('alice', room, { visibility, history: 'joined' })
      .joins('bob', room)
      .leaves('bob', room)
      .posts('alice', room, `${room} away`)
      .joins('bob', room)
      .posts('alice', room, `${room} back`);
  await db.show(chat.events);
  expect(await unread('bob')).toEqual({ den: 1, hall: 2 });
});

test('redacted messages do not count, whether they were redacted before or after they would have been read', async () => {
  chat.joins('bob', 'lounge');
  for (const id of ['m4', 'm5', 'm6']) chat.posts('alice', 'lounge', id);
  chat.redacts('alice', 'lounge', 'm5');
  await db.show(chat.events);
  expect(await unread('bob')).toEqual({ lounge: 2 });
  await markRead(db, 'bob', 'lounge', 5n);
  expect(await unread('bob')).toEqual({ lounge: 1 });
  chat.redacts('alice', 'lounge', 'm4').redacts('alice', 'lounge', 'm6');
  await db.show(chat.events);
  expect(await unread('bob')).toEqual({ lounge: 0 });
});

test('the room with the latest message comes first, with that message', async () => {
  chat
    .creates('alice', 'attic')
    .creates('alice', 'cellar')
    .posts('alice', 'attic', 'hello')
    .posts('alice', 'attic', 'there');
  chat
    .posts('alice', 'lounge', 'again')
    .edits('alice', 'lounge', 'again', 'again!')
    .reacts('alice', 'lounge', 'again', 'x');
  await db.show(chat.events);
  const { items } = await inbox(db, 'alice', { limit: 50 });
  expect(items.map(({ room }) => room.id)).toEqual(['lounge', 'attic', 'cellar']);
  expect(items.map(({ lastMessage }) => lastMessage?.text)).toEqual(['again!', 'there', undefined]);
  expect(items[0]).toMatchObject({
    role: 'owner',
    room: { name: 'lounge', memberCount: 1, messageCount: 2, revision: 5n },
    lastMessage: { author: { username: 'alice' }, reactions: [{ emoji: 'x', count: 1, mine: true }] },
  });
  expect(await everything(1, (page) => inbox(db, 'alice', page))).toEqual(items);
  expect(await everything(2, (page) => inbox(db, 'alice', page))).toEqual(items);
});

test('a last message from before one’s joining is not shown where the history is not', async () => {
  for (const visibility of ['public', 'private'] as const) {
    chat
      .creates('alice', visibility, { visibility, history: 'joined' })
      .posts('alice', visibility, 'secret')
      .joins('bob', visibility);
  }
  await db.show(chat.events);
  const { items } = await inbox(db, 'bob', { limit: 50 });
  expect(items.map(({ room, lastMessage }) => [room.id, lastMessage?.text])).toEqual([
    ['private', undefined],
    ['public', 'secret'],
  ]);
});
