import type { Recorded } from '@verbatim/domain';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat, everything } from './chat.testing.js';
import { membersOf } from './members.js';
import { createReadDatabase, type TestReadDatabase } from './read-database.testing.js';
import { BEGINNING } from './recorder.testing.js';
import { getReport, listReports } from './reports.js';
import { bansOf } from './restraints.js';

const timeOf = (index: number) => new Date(BEGINNING + index * 1_000).toISOString();

let db: TestReadDatabase;
let events: readonly Recorded[];
beforeAll(async () => {
  db = await createReadDatabase();
  const chat = new Chat()
    .registers('alice')
    .registers('bob')
    .registers('carol')
    .creates('alice', 'lounge')
    .joins('bob', 'lounge')
    .joins('carol', 'lounge')
    .posts('bob', 'lounge', 'm1')
    .creates('bob', 'office')
    .joins('carol', 'office')
    .posts('bob', 'office', 'm2')
    .happens('lounge', 'carol', { type: 'MessageReported', data: { reportId: 'r1', messageId: 'm1', reason: 'Rude.' } })
    .happens('office', 'carol', { type: 'MessageReported', data: { reportId: 'r2', messageId: 'm2', reason: null } })
    .happens('lounge', 'alice', { type: 'MessageReported', data: { reportId: 'r3', messageId: 'm1', reason: 'Spam.' } })
    .happens('lounge', 'alice', {
      type: 'ReportSettled',
      data: { reportId: 'r1', outcome: 'acted', note: 'Warned.' },
    })
    .happens('lounge', 'alice', { type: 'MemberMuted', data: { userId: 'bob', until: timeOf(900), reason: 'Loud.' } })
    .happens('lounge', 'alice', { type: 'MemberBanned', data: { userId: 'x1', until: timeOf(500), reason: null } })
    .happens('lounge', 'alice', { type: 'MemberBanned', data: { userId: 'x2', until: null, reason: 'Spam.' } })
    .happens('lounge', 'alice', { type: 'MemberBanned', data: { userId: 'carol', until: null, reason: 'Spam.' } })
    .happens('lounge', 'alice', { type: 'MemberBanned', data: { userId: 'x3', until: null, reason: null } })
    .happens('lounge', 'alice', { type: 'MemberUnbanned', data: { userId: 'x3' } });
  events = chat.events;
  await db.show(events);
});
afterAll(() => db.drop());

const queue = async (query: { room?: string; settled: boolean }) =>
  (await everything(1, (page) => listReports(db, { ...query, page }))).map(({ id }) => id);

test('a report names the message, the people concerned, and its outcome', async () => {
  expect(await getReport(db, 'lounge', 'r1')).toEqual({
    id: 'r1',
    roomId: 'lounge',
    messageId: 'm1',
    messageRevision: 4n,
    author: { id: 'bob', username: 'bob' },
    reporter: { id: 'carol', username: 'carol' },
    reason: 'Rude.',
    reportedAt: timeOf(12),
    settled: true,
    settledBy: { id: 'alice', username: 'alice' },
    settledAt: timeOf(15),
    outcome: 'acted',
    note: 'Warned.',
  });
  expect(await getReport(db, 'office', 'r2')).toMatchObject({ reason: null, settled: false, settledBy: null });
  expect(await getReport(db, 'office', 'r1')).toBeNull();
});

test('the queue begins with the oldest, of one room or of all', async () => {
  expect(await queue({ settled: false })).toEqual(['r2', 'r3']);
  expect(await queue({ settled: true })).toEqual(['r1']);
  expect(await queue({ room: 'lounge', settled: false })).toEqual(['r3']);
  expect(await queue({ room: 'nowhere', settled: false })).toEqual([]);
});

test('bans are listed while they are in force, the latest first', async () => {
  const banned = async (at: string) =>
    (await everything(1, (page) => bansOf(db, 'lounge', at, page))).map((ban) => ban.user.id);
  expect(await banned(timeOf(499))).toEqual(['carol', 'x2', 'x1']);
  expect(await banned(timeOf(500))).toEqual(['carol', 'x2']);
  expect((await bansOf(db, 'lounge', timeOf(0), { limit: 1 })).items).toEqual([
    {
      user: { id: 'carol', username: 'carol' },
      until: null,
      reason: 'Spam.',
      by: { id: 'alice', username: 'alice' },
      at: timeOf(19),
    },
  ]);
});

test('members are shown with their mutes', async () => {
  const { items } = await membersOf(db, 'lounge', { limit: 50 });
  expect(items.map(({ user, mutedUntil }) => [user.id, mutedUntil])).toEqual([
    ['alice', null],
    ['bob', timeOf(900)],
    ['carol', null],
  ]);
});
