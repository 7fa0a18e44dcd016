import { Slice } from '@verbatim/event-store';
import type { Page } from '@verbatim/projections';
import type { AnswerOf, CallName } from '@verbatim/protocol';

/** Bytes of a page as JSON, without its end. A page has at least one item, however large. */
export const PAGE_BYTES = 1_048_576;

/**
 * A page of a list as clients see it. It is encoded item by item until it is full, and other work gets
 * its turn in between: encoding a whole page at once takes three times as long and blocks everything else.
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
    const json = new JsonBytes();
    json.add('{"items":[');
    const slice = new Slice();
    for (const [i, row] of items.entries()) {
      const text = `${i === 0 ? '' : ','}${JSON.stringify(this.item(row))}`;
      if (!json.add(text, i === 0 ? Number.POSITIVE_INFINITY : PAGE_BYTES)) {
        next = cursorAfter(i - 1);
        break;
      }
      if (slice.isOver) await slice.next();
    }
    json.add(`],"page":${JSON.stringify({ next, total: this.total })}}`);
    return json.bytes;
  }
}

/** A text as UTF-8, assembled from parts. Writing them into one buffer takes half the time of joining buffers. */
class JsonBytes {
  private buffer = Buffer.allocUnsafe(16_384);
  private length = 0;

  get bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  /** Returns false, and adds nothing, if there would be more than `most` bytes. */
  add(text: string, most = Number.POSITIVE_INFINITY): boolean {
    const length = this.length + Buffer.byteLength(text);
    if (length > most) return false;
    if (length > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.buffer.length));
      this.buffer.copy(larger, 0, 0, this.length);
      this.buffer = larger;
    }
    this.buffer.write(text, this.length);
    this.length = length;
    return true;
  }
}

/** The response of a call that lists something. */
export type ListOf<N extends CallName> = ListAnswer<AnswerOf<N> extends { items: (infer T)[] } ? T : never>;

export const listAnswer = <R, T>(page: Page<R>, item: (row: R) => T, total?: number): ListAnswer<T> =>
  new ListAnswer(page, item as (row: unknown) => T, total);

/** For pages whose items are already as clients see them. */
export const asItIs = <T>(item: T): T => item;
