import { expect, test } from 'vitest';
import { type ApiPage, type AskForPage, Pages, upTo } from './pages';

/** A list of seven in pages of three, whose cursors are the places at which they start; counts how often it is asked. */
function given() {
  const asked: (string | undefined)[] = [];
  const ask: AskForPage<number> = async ({ cursor }): Promise<ApiPage<number>> => {
    asked.push(cursor);
    const from = Number(cursor ?? 0);
    return { items: [0, 1, 2, 3, 4, 5, 6].slice(from, from + 3), page: { next: from + 3 < 7 ? `${from + 3}` : null } };
  };
  return { ask, asked, pages: new Pages() };
}

test('pages are walked with one call each', async () => {
  const { ask, asked, pages } = given();
  expect(await pages.page('all', 1, 3, ask)).toEqual({
    items: [0, 1, 2],
    hasNextPage: true,
    hasPreviousPage: false,
  });
  expect(await pages.page('all', 2, 3, ask)).toEqual({ items: [3, 4, 5], hasNextPage: true, hasPreviousPage: true });
  expect(await pages.page('all', 3, 3, ask)).toEqual({ items: [6], hasNextPage: false, hasPreviousPage: true });
  expect(asked).toEqual([undefined, '3', '6']);
});

test('a page that was opened directly is reached through those before it', async () => {
  const { ask, asked, pages } = given();
  expect((await pages.page('all', 3, 3, ask)).items).toEqual([6]);
  expect(asked).toEqual([undefined, '3', '6']);
});

test('a page beyond the end is empty, and leads back', async () => {
  const { ask, pages } = given();
  expect(await pages.page('all', 5, 3, ask)).toEqual({ items: [], hasNextPage: false, hasPreviousPage: true });
});

test('another list has cursors of its own', async () => {
  const { ask, asked, pages } = given();
  await pages.page('all', 1, 3, ask);
  await pages.page('filtered', 2, 3, ask);
  expect(asked).toEqual([undefined, undefined, '3']);
});

test('pages that the service has ended early are made full', async () => {
  const asked: [string | undefined, number][] = [];
  const short: AskForPage<number> = async ({ cursor, limit }) => {
    asked.push([cursor, limit]);
    const from = Number(cursor ?? 0);
    const end = from + Math.min(limit, 2);
    return { items: [0, 1, 2, 3, 4, 5, 6].slice(from, end), page: { next: end < 7 ? `${end}` : null } };
  };
  const pages = new Pages();
  expect(await pages.page('all', 1, 3, short)).toMatchObject({ items: [0, 1, 2], hasNextPage: true });
  expect(await pages.page('all', 3, 3, short)).toMatchObject({ items: [6], hasNextPage: false });
  expect(asked.slice(0, 2)).toEqual([
    [undefined, 3],
    ['2', 1],
  ]);
  expect(await upTo(100, short)).toEqual({ items: [0, 1, 2, 3, 4, 5, 6], next: null });
});
