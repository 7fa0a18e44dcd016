import type { Page } from '@verbatim/projections';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { listAnswer, PAGE_BYTES } from './list-answer.js';

/** A page of items from `start` on, whose cursors are the places at which the next page begins. */
const pageOf = (items: readonly unknown[], start = 0, limit = 200): Page<unknown> => ({
  items: items.slice(start, start + limit),
  next: start + limit < items.length ? `${start + limit}` : null,
  cursorAfter: (index) => `${start + index + 1}`,
});

async function allPages(items: readonly unknown[], limit?: number) {
  const pages: { bytes: number; items: unknown[] }[] = [];
  for (let next: string | null = '0'; next !== null; ) {
    const json = await listAnswer(pageOf(items, Number(next), limit), (item) => item).encode();
    const answer = JSON.parse(json.toString());
    pages.push({ bytes: json.length, items: answer.items });
    next = answer.page.next;
  }
  return pages;
}

it('an answer is what JSON.stringify makes of it', async () => {
  const items = [{ text: 'ä😀', n: null, u: undefined }, { text: '"\u0001' }];
  const json = await listAnswer(pageOf(items), (item) => item, 7).encode();
  expect(json.toString()).toBe(JSON.stringify({ items, page: { next: null, total: 7 } }));
  expect((await listAnswer(pageOf([]), (item) => item).encode()).toString()).toBe('{"items":[],"page":{"next":null}}');
});

it('pages of long texts end before they are too large, and together hold every item once', async () => {
  const letter = fc.constantFrom('a', '"', '\u0001', 'é', 'ก', '中', '😀');
  const size = fc.oneof(fc.nat(100), fc.integer({ min: 20_000, max: 100_000 }));
  const text = fc.tuple(letter, size).map(([letter, size]) => letter.repeat(size));
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 30 }), fc.integer({ min: 1, max: 20 }), async (items, limit) => {
      const pages = await allPages(items, limit);
      expect(pages.flatMap((page) => page.items)).toEqual(items);
      for (const { bytes, items } of pages) {
        expect(items.length).toBeLessThanOrEqual(limit);
        if (items.length > 1) expect(bytes).toBeLessThan(PAGE_BYTES + 100);
      }
    }),
    { numRuns: 30 },
  );
});

it('an item that is larger than a page is a page', async () => {
  const large = 'x'.repeat(PAGE_BYTES);
  expect((await allPages([large, 'a', large, large])).map(({ items }) => items.length)).toEqual([1, 1, 1, 1]);
});
