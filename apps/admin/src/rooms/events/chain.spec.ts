import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { breakIn } from './chain';

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const chain = ['one', 'zwölf', 'three'].map((sealed, revision, all) => ({
  revision,
  sealed,
  prev: revision === 0 ? null : hashOf(all[revision - 1] ?? ''),
  hash: hashOf(sealed),
}));

test('a whole chain fits, and so does each part of it', async () => {
  expect(await breakIn(chain)).toBeNull();
  expect(await breakIn(chain.slice(1))).toBeNull();
});

test('a changed text and a missing event are found', async () => {
  expect(await breakIn(chain.map((event) => (event.revision === 1 ? { ...event, sealed: 'two' } : event)))).toBe(1);
  expect(await breakIn(chain.filter(({ revision }) => revision !== 1))).toBe(2);
});
