import type { LiveEvent, Message } from '@verbatim/protocol';
import { expect, test } from 'vitest';
import { after, before, type Entry, fromHistory, fromHistoryUpwards, MOST, revised } from './conversation';

const at = '2026-01-31T12:00:00.000Z';
const ada = { id: 'ada', username: 'ada' };

const message = (revision: number, text: string | null = `m${revision}`) =>
  ({
    id: `id${revision}`,
    revision,
    author: { ...ada, displayName: 'Ada' },
    text,
    postedAt: at,
    editedAt: null,
    redactedAt: text === null ? at : null,
  }) as Message;

const event = (revision: number, type: string, data: object): LiveEvent =>
  ({ revision, at, actor: ada, type, data }) as unknown as LiveEvent;
const posted = (revision: number, text = `m${revision}`) =>
  event(revision, 'MessagePosted', { messageId: `id${revision}`, text, replyTo: null, kind: 'text' });

const texts = (entries: readonly Entry[]) => entries.map((entry) => (entry.kind === 'said' ? entry.text : entry.what));

test('the history is shown with the oldest first, and older pages before it', () => {
  const entries = fromHistory([message(5), message(4, null)]);
  expect(texts(before(fromHistory([message(3), message(2)]), entries))).toEqual(['m2', 'm3', null, 'm5']);
});

test('what happens comes at the end, and nothing twice', () => {
  const entries = after(fromHistory([message(5)]), [posted(5), posted(6), event(7, 'MemberLeft', { userId: 'ada' })]);
  expect(texts(entries)).toEqual(['m5', 'm6', 'left']);
  expect(texts(after(entries, [posted(6), posted(8)]))).toEqual(['m5', 'm6', 'left', 'm8']);
});

test('edits and redactions change the message where it stands', () => {
  const entries = after(fromHistory([message(2), message(1)]), [
    event(3, 'MessageEdited', { messageId: 'id1', text: 'better' }),
    event(4, 'MessageRedacted', { messageId: 'id2', authorId: 'ada', reason: null }),
    event(5, 'MessageEdited', { messageId: 'unknown', text: 'elsewhere' }),
  ]);
  expect(entries).toMatchObject([
    { text: 'better', edited: true, redacted: false },
    { text: null, redacted: true },
  ]);
});

test('a part of the history takes changes, and nothing that comes', () => {
  const entries = revised(fromHistoryUpwards([message(1), message(2)]), [
    event(3, 'MessageRedacted', { messageId: 'id1', authorId: 'ada', reason: null }),
    posted(4),
  ]);
  expect(texts(entries)).toEqual([null, 'm2']);
});

test('the oldest go when there are too many', () => {
  const many = Array.from({ length: MOST + 3 }, (_, revision) => posted(revision));
  expect(texts(after([], many)).length).toBe(MOST);
  expect(texts(after([], many))[0]).toBe('m3');
});
