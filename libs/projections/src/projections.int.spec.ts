import type { Recorded } from '@verbatim/domain';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat } from './chat.testing.js';
import { applyBatch } from './checkpoints.js';
import { actualRows, expectedRows } from './expected-rows.testing.js';
import { historyOf, longHistory, step } from './history.testing.js';
import { createReadDatabase, emptyReadModels, type TestReadDatabase } from './read-database.testing.js';
import { readModels } from './read-models.js';
import { Recorder } from './recorder.testing.js';

let db: TestReadDatabase;
beforeAll(async () => {
  db = await createReadDatabase();
});
afterAll(() => db.drop());

/** Projects events in batches that end where `cuts` says. */
async function project(events: readonly Recorded[], cuts: readonly number[]): Promise<void> {
  await emptyReadModels(db.sql, 'read_1');
  const ends = [...new Set([...cuts.map((cut) => cut % events.length), events.length])]
    .filter((end) => end > 0)
    .sort((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    await applyBatch(
      db.sql,
      'read_1',
      [readModels.timeline, readModels.search],
      BigInt(from - 1),
      events.slice(from, end),
    );
    from = end;
  }
}

test('whatever happens and however it is cut into batches, the rows are those that the events describe', async () => {
  const steps = fc.array(step, { minLength: 1, maxLength: 150, size: 'max' });
  const cuts = fc.array(fc.nat(200), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(steps, cuts, async (steps, cuts) => {
      const events = historyOf(steps);
      await project(events, cuts);
      expect(await actualRows(db.sql, 'read_1')).toEqual(expectedRows(events));
    }),
    { numRuns: 60 },
  );
});

test('a long history gives the same rows in one batch and event by event', async () => {
  const events = longHistory(5_000);
  const expected = expectedRows(events);
  expect(expected.messages.length).toBeGreaterThan(150);
  expect(expected.reactions.length).toBeGreaterThan(20);
  expect(expected.restraints.length).toBeGreaterThan(3);
  expect(expected.reports.filter(({ settled }) => settled).length).toBeGreaterThan(5);

  await project(events, []);
  expect(await actualRows(db.sql, 'read_1')).toEqual(expected);
  await project(events, [...events.keys()]);
  expect(await actualRows(db.sql, 'read_1')).toEqual(expected);
});

test('to and fro within one batch, the last word counts', async () => {
  const before = new Chat().registers('alice').registers('bob').creates('alice', 'lounge').joins('bob', 'lounge');
  const chat = before.posts('alice', 'lounge', 'm1').posts('alice', 'lounge', 'm2').posts('bob', 'lounge', 'm3');
  chat.reacts('bob', 'lounge', 'm1', 'x').reacts('bob', 'lounge', 'm2', 'x');
  const cut = chat.events.length;
  chat
    .leaves('bob', 'lounge')
    .joins('bob', 'lounge', 'guest')
    .gives({ userId: 'bob', role: 'moderator' }, 'lounge')
    .posts('bob', 'lounge', 'm4')
    .leaves('bob', 'lounge')
    .joins('bob', 'lounge')
    .takesBack('bob', 'lounge', 'm1', 'x')
    .reacts('bob', 'lounge', 'm1', 'x')
    .takesBack('bob', 'lounge', 'm2', 'x')
    .reacts('bob', 'lounge', 'm2', 'x')
    .takesBack('bob', 'lounge', 'm2', 'x')
    .posts('alice', 'lounge', 'm5', 'first')
    .edits('alice', 'lounge', 'm5', 'second')
    .edits('alice', 'lounge', 'm1', 'second')
    .edits('alice', 'lounge', 'm1', 'third')
    .redacts('alice', 'lounge', 'm5')
    .edits('alice', 'lounge', 'm2', 'second')
    .redacts('alice', 'lounge', 'm2')
    .changes('alice', 'lounge', { name: 'Second', topic: 'second' })
    .changes('alice', 'lounge', { name: 'Third' });
  await project(chat.events, [cut]);
  expect(await actualRows(db.sql, 'read_1')).toEqual(expectedRows(chat.events));
});

test('what no door lets in, and what is far too long, is projected all the same', async () => {
  const log = new Recorder();
  const long = 'word '.repeat(400_000);
  log.user('u1', {
    type: 'UserRegistered',
    data: { username: 'al\u0000ice', displayName: '\ud800', email: null, role: 'user', origin: 'import' },
  });
  log.room('r1', 'u1', {
    type: 'RoomCreated',
    data: { name: long, topic: '\u0000', visibility: 'public', history: 'full', passwordId: null },
  });
  log.room('r1', 'u1', { type: 'RoomChanged', data: { name: '\ud800\u0000', topic: '\u0000' } });
  log.room('r1', 'u1', { type: 'MemberJoined', data: { userId: 'u1', role: 'owner' } });
  log.room(
    'r1',
    'u1',
    { type: 'MessagePosted', data: { messageId: 'x'.repeat(9_000), text: long, replyTo: null, kind: 'text' } },
    '+123456-01-01T00:00:00.000Z',
  );
  log.room(
    'r1',
    'u1',
    { type: 'MessagePosted', data: { messageId: 'm\u00002', text: 'a\u0000b\udc00', replyTo: null, kind: 'text' } },
    'some day',
  );
  log.room('r1', 'u1', {
    type: 'MessagePosted',
    data: { messageId: 'm3', text: 'y'.repeat(50_000), replyTo: null, kind: 'text' },
  });
  log.room('r1', 'u1', { type: 'MessageEdited', data: { messageId: 'nowhere', text: 'x' } });
  for (const emoji of ['\u0000', '\uFFFD', '\u0000'.repeat(5_000), '\u0000'.repeat(6_000)]) {
    log.room('r7', 'u1', { type: 'ReactionAdded', data: { messageId: 'nowhere', emoji } });
  }
  log.user('u1', { type: 'UserChanged', data: { displayName: 'Al\u0000' } });

  await db.show(log.events);

  const { rooms, messages, people } = await actualRows(db.sql, 'read_1');
  expect(rooms).toMatchObject([{ topic: '\uFFFD', name: '\uFFFD\uFFFD', message_count: 3 }]);
  expect(messages.map(({ message_id }) => message_id)).toEqual(['m3', 'm\uFFFD2', 'x'.repeat(200)]);
  expect(messages.map(({ text }) => (text as string).length)).toEqual([50_000, 4, long.length]);
  expect(people).toMatchObject([{ display_name: 'Al\uFFFD' }]);
});
