import { Slice } from '@verbatim/event-store';
import type { Page } from '@verbatim/projections';
import type { AnswerOf, CallName } from '@verbatim/protocol';

/** Bytes of the items of a page. A page always has an item, which may be larger. */
export const PAGE_BYTES = 1_048_576;

/**
 * A page of a list as clients will see it. It is encoded item by item, as far as a page goes, and everything else gets
 * its turn meanwhile: one long text of a whole page takes three times as long, and blocks all others.
 */
export class ListAnswer<T> {
  constructor(
    private readonly page: Page<unknown>,
    private readonly item: (row: unknown) => T,
    private readonly total?: number,
  ) {}

  /** The answer as JSON in UTF-8. */
  async encode(): Promise<Buffer> {
    const { items, cursorAfter } = this.page;
    let { next } = this.page;
    const parts = [Buffer.from('{"items":[')];
    let bytes = 0;
    const slice = new Slice();
    for (const [i, row] of items.entries()) {
      const part = Buffer.from(`${i === 0 ? '' : ','}${JSON.stringify(this.item(row))}`);
      if (i > 0 && bytes + part.length > PAGE_BYTES) {
        next = cursorAfter(i - 1);
        break;
      }
      parts.push(part);
      bytes += part.length;
      if (slice.isOver) await slice.next();
    }
    parts.push(Buffer.from(`],"page":${JSON.stringify({ next, total: this.total })}}`));
    return Buffer.concat(parts);
  }
}

/** The answer of a call that lists something. */
export type ListOf<N extends CallName> = ListAnswer<AnswerOf<N> extends { items: (infer T)[] } ? T : never>;

export const listAnswer = <R, T>(page: Page<R>, item: (row: R) => T, total?: number): ListAnswer<T> =>
  new ListAnswer(page, item as (row: unknown) => T, total);

/** For pages whose items are as clients see them already. */
export const asItIs = <T>(item: T): T => item;
