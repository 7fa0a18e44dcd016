import { Readable } from 'node:stream';
import type { Page, PageRequest } from '@verbatim/projections';
import { csvHeader, csvLine } from '@verbatim/protocol';

/** Rows in memory at a time, for each file that is being sent. */
const PAGE = 1_000;

/**
 * All rows of a list as comma-separated values, page by page: the next page is read once the client has received the
 * previous one.
 */
export function csvFile<R>(
  columns: readonly string[],
  page: (request: PageRequest) => Promise<Pick<Page<R>, 'items' | 'next'>>,
  cells: (row: R) => readonly string[],
): Readable {
  async function* pages() {
    let text = csvHeader(columns);
    for (let cursor: string | undefined; ; text = '') {
      const { items, next } = await page({ limit: PAGE, ...(cursor && { cursor }) });
      yield text + items.map((row) => csvLine(cells(row))).join('');
      if (next === null) return;
      cursor = next;
    }
  }
  return Readable.from(pages(), { objectMode: false, highWaterMark: 64 * 1024 });
}
