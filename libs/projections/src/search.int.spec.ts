import { wordsOf } from '@verbatim/domain';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anything } from '../../domain/src/words.testing.js';
import { Chat, everything } from './chat.testing.js';
import { applyBatch } from './checkpoints.js';
import { createReadDatabase, emptyReadModels, type TestReadDatabase } from './read-database.testing.js';
import { readModels } from './read-models.js';
import { type SearchQuery, searchMessages } from './search.js';

let db: TestReadDatabase;
beforeAll(async () => {
  db = await createReadDatabase();
  const chat = new Chat()
    .registers('alice')
    .registers('bob')
    .creates('alice', 'lounge')
    .joins('bob', 'lounge')
    .posts('alice', 'lounge', 'm1', 'The quick brown fox')
    .posts('bob', 'lounge', 'm2', 'A brown, quick dog from Über')
    .posts('alice', 'lounge', 'old', 'quick words of old', '2004-02-01T00:00:00.000Z')
    .posts('alice', 'lounge', 'edited', 'quick mistake')
    .posts('alice', 'lounge', 'redacted', 'quick regret')
    .posts('alice', 'lounge', 'erased', null)
    .edits('alice', 'lounge', 'edited', 'slow correction')
    .redacts('alice', 'lounge', 'redacted')
    .edits('alice', 'lounge', 'erased', 'found again')
    .creates('alice', 'diary', { visibility: 'private' })
    .posts('alice', 'diary', 'd1', 'quick secret')
    .creates('alice', 'office', { visibility: 'private', history: 'joined' })
    .posts('alice', 'office', 'o1', 'quick before')
    .joins('bob', 'office')
    .posts('alice', 'office', 'o2', 'quick after');
  await db.show(chat.events);
});
afterAll(() => db.drop());

const found = async (q: string, query: Partial<SearchQuery> = {}) =>
  (await searchMessages(db, { viewer: 'alice', q, page: { limit: 50 }, ...query })).items.map(({ id }) => id);

test('finds messages that hold all the words, newest first', async () => {
  expect(await found('QUICK')).toEqual(['o2', 'o1', 'd1', 'm2', 'm1', 'old']);
  expect(await found('brown quick')).toEqual(['m2', 'm1']);
  expect(await found('"quick brown"')).toEqual(['m1']);
  expect(await found('über')).toEqual(['m2']);
  expect(await found('uber')).toEqual(['m2']);
  expect(await found('brown -dog')).toEqual(['m2']);
  expect(await found('fox or dog')).toEqual([]);
});

test('the last word may be the beginning of a longer one, unless it is in quotes', async () => {
  expect(await found('bro')).toEqual(['m2', 'm1']);
  expect(await found('brown qui')).toEqual(['m2', 'm1']);
  expect(await found('qui brown')).toEqual([]);
  expect(await found('"brown qui"')).toEqual([]);
});

test('leaves out what holds words that are not wanted', async () => {
  expect(await found('brown', { without: 'dog' })).toEqual(['m1']);
  expect(await found('brown', { without: 'do' })).toEqual(['m2', 'm1']);
  expect(await found('brown', { without: 'UBER cat' })).toEqual(['m1']);
  expect(await found('brown', { without: '"quick brown"' })).toEqual(['m2']);
  expect(await found('brown', { without: '"brown quick" "brown fox"' })).toEqual([]);
  expect(await found('brown', { without: '!' })).toEqual(['m2', 'm1']);
});

test('knows the present text only', async () => {
  expect(await found('mistake')).toEqual([]);
  expect(await found('correction')).toEqual(['edited']);
  expect(await found('regret')).toEqual([]);
  expect(await found('again')).toEqual(['erased']);
});

test('shows members only, and only what they may read', async () => {
  expect(await found('quick', { viewer: 'bob' })).toEqual(['o2', 'm2', 'm1', 'old']);
  expect(await found('quick', { viewer: 'carol' })).toEqual([]);
});

test('can be narrowed to a room', async () => {
  expect(await found('quick', { room: { id: 'office', visibleFrom: 0n } })).toEqual(['o2', 'o1']);
});

test('comes in pages', async () => {
  const messages = await everything(2, (page) => searchMessages(db, { viewer: 'alice', q: 'quick', page }));
  expect(messages.map(({ id }) => id)).toEqual(['o2', 'o1', 'd1', 'm2', 'm1', 'old']);
  expect(messages[3]).toMatchObject({
    author: { username: 'bob' },
    text: 'A brown, quick dog from Über',
    roomId: 'lounge',
  });
});

test('takes any text for a query', async () => {
  for (const q of ['', ' ', '-', '"', '!&|()', '\u0000', 'a:*z', "'", '\\', '%', '_', 'x'.repeat(5_000)])
    expect(await found(q)).toEqual([]);
});

describe('whatever is written', () => {
  /** Shows a room with a message of each text and answers by which queries of `queriesOf` its message is not found. */
  const notFound = async (texts: readonly string[], queriesOf: (text: string) => readonly string[]) => {
    const chat = new Chat().registers('alice').creates('alice', 'lounge');
    for (const [n, text] of texts.entries()) chat.posts('alice', 'lounge', `m${n}`, text);
    await emptyReadModels(db.sql, 'read_1');
    await applyBatch(db.sql, 'read_1', [readModels.timeline, readModels.search], -1n, chat.events);
    const missed: string[] = [];
    for (const [n, text] of texts.entries()) {
      for (const q of queriesOf(text)) if (!(await found(q)).includes(`m${n}`)) missed.push(q);
    }
    return missed;
  };
  const hasWords = (text: string) => /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(text);

  test('a text that fits in a query finds itself when it is pasted whole', async () => {
    const texts = fc.array(anything(500).filter(hasWords), { minLength: 10, maxLength: 10, size: 'max' });
    await fc.assert(
      fc.asyncProperty(texts, async (some) => {
        expect(await notFound(some, (text) => [text.trim()])).toEqual([]);
      }),
      { numRuns: 10, endOnFailure: true },
    );
  });

  test('a text of any length is found by each of its words', async () => {
    const long = anything(8_000);
    const eachOf = (text: string) => wordsOf(text).map(({ key }) => key);
    await fc.assert(
      fc.asyncProperty(long, fc.nat(), async (text, seed) => {
        const keys = eachOf(text);
        const some = keys.filter((_, i) => (i + seed) % Math.ceil(keys.length / 20) === 0);
        expect(await notFound([text], () => some)).toEqual([]);
      }),
      { numRuns: 10, endOnFailure: true },
    );
  });

  test.each([
    [
      'thousands of different pairs of characters',
      String.fromCodePoint(...Array.from({ length: 8_000 }, (_, i) => 0x4e00 + i)),
      '\u6000\u6001',
    ],
    ['the same character again and again', '哈'.repeat(8_000), '哈'.repeat(500)],
    ['one emoji again and again', '😂'.repeat(8_000), '😂'.repeat(500)],
    ['characters that stand for whole sentences', 'ﷺ'.repeat(8_000), 'ﷺ'.repeat(500)],
    ['characters that stand for several of a script without spaces', '㌖'.repeat(8_000), '㌖'.repeat(500)],
    ['a word as long as a message', 'x'.repeat(8_000), 'x'.repeat(500)],
    ['an emoji as long as a message', `👨${'\u200d👨'.repeat(3_999)}`, `👨${'\u200d👨'.repeat(249)}`],
    ['letters that become two', 'ß'.repeat(8_000), 'ß'.repeat(500)],
    ['common words after the place where PostgreSQL stops counting', `${'the of '.repeat(1_100)}end`, '"of end"'],
    ['what means something to PostgreSQL', "a'b\\c:*&|!()<->d \u0000", "a'b\\c:*&|!()<->d"],
  ])('%s', async (_, text, q) => {
    expect(await notFound([text], () => [q])).toEqual([]);
  });
});

describe('while the two groups are not at the same event', () => {
  const chat = new Chat().registers('alice').creates('alice', 'lounge').posts('alice', 'lounge', 'm1', 'quick');
  chat.posts('alice', 'lounge', 'm2', 'quick').redacts('alice', 'lounge', 'm1');
  const project = async (timeline: number, search: number) => {
    await emptyReadModels(db.sql, 'read_1');
    await applyBatch(db.sql, 'read_1', [readModels.timeline], -1n, chat.events.slice(0, timeline));
    await applyBatch(db.sql, 'read_1', [readModels.search], -1n, chat.events.slice(0, search));
  };

  test('a message redacted by now is not found', async () => {
    await project(6, 5);
    expect(await found('quick')).toEqual(['m2']);
  });

  test('nor one that the timeline does not show yet', async () => {
    await project(4, 5);
    expect(await found('quick')).toEqual(['m1']);
    const { items, next } = await searchMessages(db, { viewer: 'alice', q: 'quick', page: { limit: 1 } });
    expect(items).toEqual([]);
    expect(next).not.toBeNull();
  });
});

describe('among many messages', () => {
  /** Every message has the word `common`, every hundredth the word `rare`; what bob may not read is left out. */
  const chat = new Chat().registers('alice').registers('bob');
  const rooms = ['lounge', 'office', 'diary'];
  const readable: string[] = [];
  beforeAll(async () => {
    chat.creates('alice', 'lounge').creates('alice', 'diary').joins('bob', 'lounge');
    chat.creates('alice', 'office', { visibility: 'private', history: 'joined' });
    for (let n = 0; n < 900; n++) {
      if (n === 450) chat.joins('bob', 'office');
      const room = rooms[n % 3] ?? '';
      chat.posts('alice', room, `m${n}`, n % 100 === 7 ? 'common rare' : 'common');
      if (room === 'lounge' || (room === 'office' && n >= 450)) readable.unshift(`m${n}`);
    }
    await emptyReadModels(db.sql, 'read_1');
    await applyBatch(db.sql, 'read_1', [readModels.timeline, readModels.search], -1n, chat.events);
    await db.sql`ANALYZE read_1.search`;
  });

  test.each([
    ['common', () => readable],
    ['rare', () => readable.filter((id) => Number(id.slice(1)) % 100 === 7)],
  ])('%s words are found, all of them, newest first, whichever way is gone', async (q, wanted) => {
    for (const limit of [7, 200]) {
      const items = await everything(limit, (page) => searchMessages(db, { viewer: 'bob', q, page }));
      expect(items.map(({ id }) => id)).toEqual(wanted());
    }
  });
});
