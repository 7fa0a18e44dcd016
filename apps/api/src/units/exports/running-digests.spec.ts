import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { RunningDigests } from './running-digests.js';

const place = (chunks: number, edition = 0) => ({ id: 'one', edition, chunks });
const files = (text: string) => new Map([['events.ndjson', Buffer.from(text)]]);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

it('digests are those of all chunks together', () => {
  const digests = new RunningDigests();
  digests.add(place(0), files('one '));
  digests.add(place(1), new Map([...files('two'), ['messages.csv', Buffer.from('a')]]));
  expect(digests.of(place(2), 'events.ndjson')).toBe(sha256('one two'));
  expect(digests.of(place(2), 'messages.csv')).toBe(sha256('a'));
  expect(digests.of(place(2), 'messages.mbox')).toBeNull();
});

it.each([
  ['a chunk that somebody else has stored', [place(0), place(2)]],
  ['a chunk that was not stored, and is made once more', [place(0), place(1), place(1)]],
  ['another edition', [place(0), place(1, 1)]],
])('are not known after %s', (_, written) => {
  const digests = new RunningDigests();
  for (const at of written) digests.add(at, files('text'));
  for (const edition of [0, 1])
    for (const chunks of [1, 2, 3]) expect(digests.of(place(chunks, edition), 'events.ndjson')).toBeNull();
});
