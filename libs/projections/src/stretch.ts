import type postgres from 'postgres';

// Lists of which a part is named by where it begins: for clients that count items instead of keeping cursors. Passing over
// items costs time, so there is an end to that.

/** Items that are counted and passed over at most; what is beyond them is in no part. */
export const MOST_COUNTED = 1_000_000;

/** A part of a list: the items that are passed over, and how many are wanted after them. */
export interface Stretch {
  readonly offset: number;
  readonly limit: number;
}

/** The items of a stretch, and how many the whole list has. */
export interface Counted<T> {
  readonly items: readonly T[];
  readonly total: number;
}

type Rows = postgres.PendingQuery<postgres.Row[]>;

/** The number of rows of a query, up to `MOST_COUNTED`. */
export async function countOf(sql: postgres.Sql, rows: Rows): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    SELECT count(*)::int AS count FROM (SELECT 1 FROM (${rows}) AS listed LIMIT ${MOST_COUNTED}) AS counted`;
  return row?.count ?? 0;
}

/** The end of a query for a stretch. */
export const within = (sql: postgres.Sql, { offset, limit }: Stretch): Rows =>
  sql`OFFSET ${Math.min(offset, MOST_COUNTED)} LIMIT ${offset < MOST_COUNTED ? limit : 0}`;
