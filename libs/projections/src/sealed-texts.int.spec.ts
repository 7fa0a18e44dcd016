import { randomBytes } from 'node:crypto';
import { parseStream, type Recorded } from '@verbatim/domain';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anything } from '../../domain/src/words.testing.js';
import { listAuditTrail } from './audit-trail.js';
import { Chat, everything } from './chat.testing.js';
import { conversations, directMessages } from './conversations.js';
import { inbox } from './inbox.js';
import { message, messageFacts, messagesFrom, timeline } from './messages.js';
import type { ReadDatabase } from './projection.js';
import { createReadDatabase, type TestReadDatabase } from './read-database.testing.js';
import { messagesAt } from './replay.js';
import { listReports } from './reports.js';
import { bansOf } from './restraints.js';
import { getRoom, listRooms } from './rooms.js';
import { SealedTexts } from './sealed-texts.js';
import { searchMessages } from './search.js';

/** The texts of a chat, as its log has them. */
class ChatLog {
  readonly texts = new Map<string, string | null>();
  tell(events: readonly Recorded[]): void {
    this.texts.clear();
    for (const event of events)
      if (event.type === 'MessagePosted' || event.type === 'MessageEdited')
        this.texts.set(`${parseStream(event.stream).id} ${event.revision}`, event.data.text);
  }
  of = async (room: string, revisions: readonly bigint[]) =>
    new Map(revisions.map((revision) => [revision, this.texts.get(`${room} ${revision}`) ?? null]));
}

const log = new ChatLog();
let plain: TestReadDatabase;
let sealed: TestReadDatabase;
beforeAll(async () => {
  plain = await createReadDatabase();
  sealed = await createReadDatabase(new SealedTexts(randomBytes(32), log));
});
afterAll(() => Promise.all([plain.drop(), sealed.drop()]));

async function show({ events }: Chat): Promise<void> {
  log.tell(events);
  await plain.show(events);
  await sealed.show(events);
}

/** Everything that the database holds of the read models, as a dump would have it. */
async function dumped({ sql }: TestReadDatabase): Promise<string> {
  const tables = await sql<{ name: string }[]>`select tablename as name from pg_tables where schemaname = 'read_1'`;
  const rows = await Promise.all(
    tables.map(({ name }) => sql<{ row: string }[]>`select t::text as row from read_1.${sql(name)} as t`),
  );
  return rows
    .flat()
    .map(({ row }) => row)
    .join('\n');
}

const words = [
  ...[
    'quick',
    'brown',
    'naïve',
    'straße',
    'Übergrößenträger',
    'o’brien',
    'e-mail',
    'fileName2',
    '3.14',
    'x'.repeat(60),
  ],
  ...[
    '我家在上海',
    '猫',
    '東京タワー',
    'ภาษาไทย',
    'กรุงเทพมหานคร',
    'مرحبا',
    'مُحَمَّد',
    'שָׁלוֹם',
    'हिन्दी',
    '서울에서',
    'Привет',
  ],
  ...['😂', '🇩🇪', '👍🏽', '👩‍🚀'],
];
const people = ['alice', 'bob', 'carol'];
const rooms = ['lounge', 'diary', 'pair'];

type Step = readonly [kind: 'post' | 'edit' | 'redact', who: number, room: number, of: number, text: string];

function told(steps: readonly Step[]): Chat {
  const chat = new Chat().registers('alice', 'ALICE', 'admin').registers('bob').registers('carol');
  chat.creates('alice', 'lounge', { topic: 'a topic of its own' }).joins('bob', 'lounge').joins('carol', 'lounge');
  chat.creates('bob', 'diary', { visibility: 'private', history: 'joined' });
  chat.creates('alice', 'pair', { visibility: 'direct' }).joins('bob', 'pair');
  const posted: (readonly [room: string, id: string])[] = [];
  for (const [kind, who, room, of, text] of steps) {
    const author = people[who] as string;
    const target = posted[of % Math.max(1, posted.length)];
    if (kind === 'post' || !target) {
      const place = [rooms[room] as string, `m${posted.length}`] as const;
      posted.push(place);
      chat.posts(author, ...place, text);
    } else if (kind === 'edit') chat.edits(author, ...target, text);
    else chat.redacts(author, ...target);
  }
  return withRemarks(chat).changes('bob', 'diary', { topic: 'another topic' });
}

/** A ban, a report and its settlement, and a closing, each with a reason. */
function withRemarks(chat: Chat): Chat {
  const ban = { userId: 'carol', until: null, reason: 'a reason to ban' };
  chat.happens('lounge', 'alice', { type: 'MemberBanned', data: ban });
  const report = { reportId: 'r1', messageId: 'm0', reason: 'a reason to report' };
  chat.happens('lounge', 'bob', { type: 'MessageReported', data: report });
  const settled = { reportId: 'r1', messageId: 'm0', outcome: 'acted', note: 'a note about it' } as const;
  chat.happens('lounge', 'alice', { type: 'ReportSettled', data: settled });
  return chat.happens('pair', 'alice', { type: 'ChatClosed', data: { reason: 'a reason to close' } });
}
const remarks = [
  'topic of its own',
  'another topic',
  'reason to ban',
  'reason to report',
  'note about',
  'reason to close',
];

/** What the lists answer about a chat. */
async function answers(db: ReadDatabase, ids: readonly string[]) {
  return Promise.all([
    ...rooms.flatMap((room) => [
      everything(3, (page) => timeline(db, { room, order: 'newest', visibleFrom: 0n, viewer: 'alice', page })),
      everything(2, (page) => timeline(db, { room, order: 'oldest', visibleFrom: 3n, viewer: 'bob', page })),
      messagesFrom(db, { room, visibleFrom: 0n, viewer: 'bob', offset: 0, limit: 50 }),
      messagesAt(db, { room, revision: 12n, visibleFrom: 0n, part: 'last', page: { limit: 10 } }),
      messageFacts(db, [{ room, messages: [...ids], actor: 'alice' }]),
      Promise.all(ids.map((id) => message(db, room, id, 'carol'))),
      getRoom(db, room),
      everything(3, (page) => bansOf(db, room, '2026-01-01T00:00:00.000Z', page)),
    ]),
    everything(2, (page) => inbox(db, 'alice', page)),
    everything(2, (page) => listRooms(db, { viewer: 'alice', admin: true, page })),
    conversations(db, 'bob', { offset: 0, limit: 10 }),
    directMessages(db, 'pair', { offset: 0, limit: 10 }),
    everything(3, (page) => listReports(db, { settled: true, page })),
    everything(3, (page) => listAuditTrail(db, { order: 'desc', page })),
  ]);
}

const found = async (db: ReadDatabase, q: string, without?: string) =>
  (await everything(4, (page) => searchMessages(db, { viewer: 'bob', q, ...(without && { without }), page }))).map(
    ({ id, text }) => [id, text],
  );

const sentence = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 6 }).map((some) => some.join(' '));
const step = fc.tuple(
  fc.constantFrom('post', 'post', 'post', 'edit', 'redact' as const),
  fc.nat(2),
  fc.nat(2),
  fc.nat(20),
  sentence,
) as fc.Arbitrary<Step>;

test('lists and searches answer the same as with texts in plain form', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 6, maxLength: 25 }),
      fc.array(sentence, { minLength: 4, maxLength: 6 }),
      async (steps, asked) => {
        await show(told(steps));
        const ids = Array.from({ length: 5 }, (_, n) => `m${n * 3}`);
        expect(await answers(sealed, ids)).toEqual(await answers(plain, ids));
        for (const q of new Set([...words, ...asked, ...steps.slice(0, 4).map(([, , , , text]) => text)])) {
          const quoted = `"${q}"`;
          expect([q, await found(sealed, quoted)]).toEqual([q, await found(plain, quoted)]);
        }
        const [one = '', other = ''] = asked;
        expect(await found(sealed, `"${one}"`, `"${other}"`)).toEqual(await found(plain, `"${one}"`, `"${other}"`));
      },
    ),
    { numRuns: 5, endOnFailure: true },
  );
}, 180_000);

describe('whatever is written', () => {
  test('the database holds no text, and every message is found by its own', async () => {
    const texts = fc.array(
      anything(300).filter((text) => /[\p{L}\p{N}\p{Extended_Pictographic}]{2}/u.test(text)),
      { minLength: 10, maxLength: 10, size: 'max' },
    );
    await fc.assert(
      fc.asyncProperty(texts, async (some) => {
        const chat = new Chat().registers('alice').creates('alice', 'lounge', { topic: some[0] ?? '' });
        for (const [n, text] of some.entries()) chat.posts('alice', 'lounge', `m${n}`, text);
        await show(chat);
        const dump = await dumped(sealed);
        for (const text of some) expect(dump).not.toContain(text.trim());
        const missed: string[] = [];
        for (const [n, text] of some.entries()) {
          const { items } = await searchMessages(sealed, { viewer: 'alice', q: text.trim(), page: { limit: 50 } });
          if (!items.some(({ id }) => id === `m${n}`)) missed.push(text);
        }
        expect(missed).toEqual([]);
      }),
      { numRuns: 6, endOnFailure: true },
    );
  }, 120_000);

  test('words of texts and topics are in no row', async () => {
    await show(told(words.map((word, n) => ['post', n % 3, n % 3, 0, `${word} zebra`] as const)));
    const [ofPlain, ofSealed] = [await dumped(plain), await dumped(sealed)];
    for (const word of [...words.filter((word) => word.length > 3), 'zebra', ...remarks]) {
      expect(ofPlain).toContain(word);
      expect(ofSealed).not.toContain(word);
    }
  });
});

test('the last word has to be a whole one, but for scripts without spaces', async () => {
  await show(
    told([
      ['post', 0, 0, 0, 'quick 我家在上海'],
      ['post', 0, 0, 0, 'quicker'],
    ]),
  );
  expect((await found(plain, 'qui')).map(([id]) => id)).toEqual(['m1', 'm0']);
  expect(await found(sealed, 'qui')).toEqual([]);
  expect((await found(sealed, 'quick')).map(([id]) => id)).toEqual(['m0']);
  for (const q of ['我', '家', '海', '在上', '我家在', 'quick 上海'])
    expect((await found(sealed, q)).map(([id]) => id)).toEqual(['m0']);
});
