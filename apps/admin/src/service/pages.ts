/** A page as the API answers it. */
export interface ApiPage<T> {
  readonly items: readonly T[];
  readonly page: { readonly next: string | null };
}

/** Asks for one page: at most so many items after the cursor of the page before. */
export type AskForPage<T> = (part: { cursor?: string; limit: number }) => Promise<ApiPage<T>>;

/**
 * So many items of a list, or all that there are. The service ends a page early when its items are large, so it may take
 * several calls.
 */
export async function upTo<T>(
  limit: number,
  ask: AskForPage<T>,
  cursor?: string,
): Promise<{ items: readonly T[]; next: string | null }> {
  const found: T[] = [];
  for (let after = cursor; ; ) {
    const { items, page } = await ask({ limit: limit - found.length, ...(after && { cursor: after }) });
    found.push(...items);
    if (page.next === null || found.length >= limit) return { items: found, next: page.next };
    after = page.next;
  }
}

/** Lists whose cursors are remembered; beyond that, all are dropped and found again as needed. */
const MOST = 200;

/**
 * Finds pages by number in lists that go by cursor. The cursors of the pages seen are remembered for each list; a page
 * not reached from the previous one, as after a reload, is found by reading those before it.
 */
export class Pages {
  private readonly cursors = new Map<string, (string | undefined)[]>();

  /** @param list names list, filter, order and `limit`; @param page counts from 1 */
  async page<T>(
    list: string,
    page: number,
    limit: number,
    ask: AskForPage<T>,
  ): Promise<{ items: readonly T[]; hasNextPage: boolean; hasPreviousPage: boolean }> {
    const known = this.of(list);
    while (known.length < page) {
      const { next } = await upTo(limit, ask, known.at(-1));
      if (next === null) return { items: [], hasNextPage: false, hasPreviousPage: true };
      known.push(next);
    }
    const { items, next } = await upTo(limit, ask, known[page - 1]);
    known.length = page;
    if (next !== null) known.push(next);
    return { items, hasNextPage: next !== null, hasPreviousPage: page > 1 };
  }

  private of(list: string): (string | undefined)[] {
    const found = this.cursors.get(list);
    if (found) return found;
    if (this.cursors.size >= MOST) this.cursors.clear();
    const fresh: (string | undefined)[] = [undefined];
    this.cursors.set(list, fresh);
    return fresh;
  }
}
