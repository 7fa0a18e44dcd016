import { contentFingerprint } from '@verbatim/domain';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Chat, everything } from './chat.testing.js';
import { type Message, message, messageFacts, type TimelineQuery, timeline } from './messages.js';
import { InvalidCursor } from './page.js';
import type { Sql } from './projection.js';
import { createReadDatabase, type TestReadDatabase } from './read-database.testing.js';
import { BEGINNING } from './recorder.testing.js';

let db: TestReadDatabase;
beforeAll(async () => {
  db = await createReadDatabase();
  const chat = new Chat().registers('alice').registers('bob').creates('alice', 'lounge').joins('bob', 'lounge');
  // Revisions 3 to 9, then changes of some of them.
  for (const id of ['m3', 'm4', 'm5', 'm6', 'm7', 'm8']) chat.posts('alice', 'lounge', id);
  chat
    .replies('bob', 'lounge', 'm9', 'm3')
    .edits('alice', 'lounge', 'm4', 'better')
    .redacts('bob', 'lounge', 'm5', 'alice')
    .reacts('alice', 'lounge', 'm6', '🎉')
    .reacts('bob', 'lounge', 'm6', '👍')
    .reacts('bob', 'lounge', 'm6', '🎉')
    .reacts('bob', 'lounge', 'm7', '👍')
    .takesBack('bob', 'lounge', 'm7', '👍')
    .creates('bob', 'office')
    .posts('bob', 'office', 'm3', 'another room')
    .posts('bob', 'office', 'erased', null, '2004-02-01T00:00:00.000Z');
  await db.show(chat.events);
});
afterAll(() => db.drop());

describe('the timeline', () => {
  const lounge = { room: 'lounge', order: 'newest', visibleFrom: 0n, viewer: 'alice', page: { limit: 50 } } as const;
  const revisions = async (query: Partial<TimelineQuery>) =>
    (await timeline(db, { ...lounge, ...query })).items.map(({ revision }) => Number(revision));

  test('goes down from the newest message, or up from the oldest', async () => {
    expect(await revisions({})).toEqual([9, 8, 7, 6, 5, 4, 3]);
    expect(await revisions({ order: 'oldest' })).toEqual([3, 4, 5, 6, 7, 8, 9]);
  });

  test('starts at a revision, inclusive', async () => {
    expect(await revisions({ from: 6n })).toEqual([6, 5, 4, 3]);
    expect(await revisions({ order: 'oldest', from: 6n })).toEqual([6, 7, 8, 9]);
    expect(await revisions({ from: 1_000n })).toEqual([9, 8, 7, 6, 5, 4, 3]);
    expect(await revisions({ order: 'oldest', from: 1_000n })).toEqual([]);
    expect(await revisions({ from: 0n })).toEqual([]);
  });

  test('starts at an instant, which parts what was posted before from what was posted then or later', async () => {
    // The event at revision n was recorded n + 2 seconds after the beginning.
    const second = (n: number) => new Date(BEGINNING + n * 1_000).toISOString();
    for (let parting = 0; parting <= 13; parting += 0.5) {
      const [down, up] = await Promise.all([
        revisions({ from: second(parting) }),
        revisions({ order: 'oldest', from: second(parting) }),
      ]);
      expect(up).toEqual([3, 4, 5, 6, 7, 8, 9].filter((revision) => revision + 2 >= parting));
      expect(down).toEqual([9, 8, 7, 6, 5, 4, 3].filter((revision) => revision + 2 < parting));
    }
    expect(await revisions({ order: 'oldest', from: second(0), visibleFrom: 7n })).toEqual([7, 8, 9]);
    expect(await revisions({ room: 'nowhere', from: second(0) })).toEqual([]);
  });

  test('hides what was said before one may read', async () => {
    expect(await revisions({ visibleFrom: 7n })).toEqual([9, 8, 7]);
    expect(await revisions({ visibleFrom: 7n, order: 'oldest' })).toEqual([7, 8, 9]);
    expect(await revisions({ visibleFrom: 7n, order: 'oldest', from: 3n })).toEqual([7, 8, 9]);
    expect(await revisions({ visibleFrom: 7n, from: 5n })).toEqual([]);
  });

  test.each([1, 2, 3, 7, 8])('comes in pages of %i, both ways, without gap or repetition', async (limit) => {
    for (const order of ['newest', 'oldest'] as const) {
      for (const visibleFrom of [0n, 5n]) {
        const whole = (await timeline(db, { ...lounge, order, visibleFrom })).items;
        expect(await everything(limit, (page) => timeline(db, { ...lounge, order, visibleFrom, page }))).toEqual(whole);
      }
    }
  });

  test('a cursor goes one way only', async () => {
    const { next } = await timeline(db, { ...lounge, page: { limit: 1 } });
    const back = { ...lounge, order: 'oldest', page: { limit: 1, cursor: next ?? '' } } as const;
    await expect(timeline(db, back)).rejects.toThrow(InvalidCursor);
  });
});

describe('a message', () => {
  const inLounge = (id: string, viewer = 'alice') => message(db, 'lounge', id, viewer);
  const at = (seconds: number) => new Date(BEGINNING + seconds * 1_000).toISOString();

  test('has its author, its text, its times', async () => {
    expect(await inLounge('m9')).toEqual({
      id: 'm9',
      roomId: 'lounge',
      revision: 9n,
      author: { id: 'bob', username: 'bob', displayName: 'BOB' },
      kind: 'action',
      text: 'm9',
      replyTo: 'm3',
      postedAt: at(11),
      editedAt: null,
      redactedAt: null,
      reactions: [],
    } satisfies Message);
  });

  test('shows its present text, or none once redacted or erased', async () => {
    expect(await inLounge('m4')).toMatchObject({ text: 'better', editedAt: at(12), redactedAt: null });
    expect(await inLounge('m5')).toMatchObject({ text: null, editedAt: null, redactedAt: at(13) });
    const erased = await message(db, 'office', 'erased', 'alice');
    expect(erased).toMatchObject({ text: null, redactedAt: null, postedAt: '2004-02-01T00:00:00.000Z' });
  });

  test('counts its reactions and marks those of the viewer', async () => {
    expect((await inLounge('m6', 'alice'))?.reactions).toEqual([
      { emoji: '🎉', count: 2, mine: true },
      { emoji: '👍', count: 1, mine: false },
    ]);
    expect((await inLounge('m6', 'bob'))?.reactions).toMatchObject([{ mine: true }, { mine: true }]);
    expect((await inLounge('m7', 'bob'))?.reactions).toEqual([]);
  });

  test('is of one room: the same id may be used in another', async () => {
    expect((await message(db, 'office', 'm3', 'alice'))?.text).toBe('another room');
    expect(await message(db, 'office', 'm4', 'alice')).toBeNull();
  });
});

describe('facts for commands', () => {
  test('are looked up for several rooms and actors at once, each through a revision', async () => {
    const answers = await messageFacts(db, [
      { room: 'lounge', messages: ['m4', 'm5', 'nothing'], actor: 'alice' },
      { room: 'office', messages: ['m3', 'erased'], actor: 'bob' },
      { room: 'lounge', messages: ['m6'], actor: 'bob' },
      { room: 'nowhere', messages: ['m1'], actor: 'bob' },
    ]);
    const fingerprint = (text: string) => contentFingerprint({ kind: 'text', replyTo: null, text });
    const usual = { redacted: false, reactions: [] };

    expect(answers.map(({ through }) => through)).toEqual([16n, 3n, 16n, -1n]);
    expect(answers[0]?.asked).toEqual(new Set(['m4', 'm5', 'nothing']));
    expect(answers[0]?.messages).toEqual(
      new Map([
        [
          'm4',
          { ...usual, author: 'alice', posted: { revision: 4n, fingerprint: fingerprint('m4') }, textRevision: 10n },
        ],
        [
          'm5',
          { ...usual, author: 'alice', posted: { revision: 5n, fingerprint: null }, textRevision: 5n, redacted: true },
        ],
      ]),
    );
    expect(answers[1]?.messages).toEqual(
      new Map([
        [
          'm3',
          {
            ...usual,
            author: 'bob',
            posted: { revision: 2n, fingerprint: fingerprint('another room') },
            textRevision: 2n,
          },
        ],
        ['erased', { ...usual, author: 'bob', posted: { revision: 3n, fingerprint: null }, textRevision: 3n }],
      ]),
    );
    expect(new Set(answers[2]?.messages.get('m6')?.reactions)).toEqual(
      new Set([
        { emoji: '🎉', count: 2, mine: true },
        { emoji: '👍', count: 1, mine: true },
      ]),
    );
    expect(answers[3]?.messages).toEqual(new Map());
  });
});

describe('a message with more different reactions than there may be', () => {
  const kinds = Array.from({ length: 3_000 }, (_, i) => `e${i}`);
  beforeAll(async () => {
    const chat = new Chat().creates('alice', 'attic').posts('alice', 'attic', 'a1');
    for (const emoji of kinds) chat.reacts('alice', 'attic', 'a1', emoji);
    for (const emoji of ['e7', '❤', 'e2999', '❤️']) chat.reacts('bob', 'attic', 'a1', emoji);
    for (const emoji of ['❤️', 'e2999']) chat.reacts('carol', 'attic', 'a1', emoji);
    chat
      .takesBack('alice', 'attic', 'a1', 'e0')
      .reacts('alice', 'attic', 'a1', 'e0')
      .takesBack('alice', 'attic', 'a1', 'e1');
    await db.show(chat.events);
  });

  test('shows the most frequent ones, and among equals those that were used first', async () => {
    expect((await message(db, 'attic', 'a1', 'bob'))?.reactions).toEqual([
      { emoji: 'e2999', count: 3, mine: true },
      { emoji: 'e7', count: 2, mine: true },
      { emoji: '❤️', count: 2, mine: true },
      ...[0, 2, 3, 4, 5, 6, ...range(8, 18)].map((i) => ({ emoji: `e${i}`, count: 1, mine: false })),
    ]);
  });

  test('gives commands one more than there may be, and the one that they ask about', async () => {
    const reactions = async (emoji?: string) => {
      const [answer] = await messageFacts(db, [{ room: 'attic', messages: ['a1'], actor: 'alice', emoji }]);
      return answer?.messages.get('a1')?.reactions ?? [];
    };
    expect((await reactions()).length).toBe(21);
    expect((await reactions('e7')).length).toBe(21);
    expect(await reactions('e2000')).toContainEqual({ emoji: 'e2000', count: 1, mine: true });
    expect(await reactions('❤')).toContainEqual({ emoji: '❤️', count: 2, mine: false });
    expect((await reactions('e1')).length).toBe(21);
  });

  test('is read without a look at each of them', async () => {
    await db.sql`ANALYZE`;
    const read = await db.sql.begin(async (tx) => {
      const rowsRead = async () => {
        const [counted] = await tx<{ read: number }[]>`
          SELECT (seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_xact_user_tables
          WHERE relname = 'reaction_counts' AND schemaname = 'read_1'`;
        return counted?.read ?? 0;
      };
      const before = await rowsRead();
      await message({ sql: tx as unknown as Sql, texts: db.texts, schema: db.schema }, 'attic', 'a1', 'bob');
      return (await rowsRead()) - before;
    });
    expect(read).toBeGreaterThanOrEqual(20);
    expect(read).toBeLessThanOrEqual(25);
  });
});

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
