/** A page as the API answers it. */
export interface ApiPage<T> {
  readonly items: readonly T[];
  readonly page: { readonly next: string | null };
}

/** Lists whose cursors are remembered; when there are more, all are forgotten and found again as needed. */
const MOST = 200;

/**
 * Finds pages by number in lists that go by cursor. The cursors of the pages seen are remembered for each list; a page
 * that nobody came to from the one before, as after a reload, is reached by reading those before it.
 */
export class Pages {
  private readonly cursors = new Map<string, (string | undefined)[]>();

  /** @param list names list, filter and order; @param page counts from 1 */
  async page<T>(
    list: string,
    page: number,
    ask: (cursor: string | undefined) => Promise<ApiPage<T>>,
  ): Promise<{ items: readonly T[]; hasNextPage: boolean; hasPreviousPage: boolean }> {
    const known = this.of(list);
    while (known.length < page) {
      const { next } = (await ask(known.at(-1))).page;
      if (next === null) return { items: [], hasNextPage: false, hasPreviousPage: true };
      known.push(next);
    }
    const { items, page: told } = await ask(known[page - 1]);
    known.length = page;
    if (told.next !== null) known.push(told.next);
    return { items, hasNextPage: told.next !== null, hasPreviousPage: page > 1 };
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
