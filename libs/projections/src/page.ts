import type postgres from 'postgres';
import type { Sql } from './projection.js';

/** Which part of a list is wanted: at most `limit` items after the page that ended with `cursor`. */
export interface PageRequest {
  readonly limit: number;
  /** `next` of the previous page; absent for the first page. */
  readonly cursor?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Opaque; null on the last page. */
  readonly next: string | null;
  /** What `next` would be if the page ended with the item at this index, for callers that show only its first items. */
  cursorAfter(index: number): string;
}

/** The same page with each item mapped. */
export const mapPage = <R, T>({ items, next, cursorAfter }: Page<R>, item: (row: R) => T): Page<T> => ({
  items: items.map(item),
  next,
  cursorAfter,
});

/** The same page with only the items to keep. */
export function keepOf<T>({ items, next, cursorAfter }: Page<T>, keep: (item: T) => boolean): Page<T> {
  const places = [...items.keys()].filter((index) => keep(items[index] as T));
  return {
    items: places.map((index) => items[index] as T),
    next,
    cursorAfter: (index) => cursorAfter(places[index] as number),
  };
}

/** Look-ups at the same time. */
const CONCURRENT_LOOKUPS = 8;

/** The same page with each item replaced by what is looked up for it. */
export async function withEach<R, T>(page: Page<R>, lookUp: (row: R) => Promise<T>): Promise<Page<T>> {
  const items: T[] = [];
  for (let from = 0; from < page.items.length; from += CONCURRENT_LOOKUPS)
    items.push(...(await Promise.all(page.items.slice(from, from + CONCURRENT_LOOKUPS).map(lookUp))));
  return { ...page, items };
}

/** The cursor is not one of this list: the caller's mistake. */
export class InvalidCursor extends Error {
  constructor() {
    super('The cursor is not one of this list.');
    this.name = 'InvalidCursor';
  }
}

// Checks of the parts of a cursor, so that a forged one never reaches the database.

/** A whole number. */
export const isPlace = (part: string): boolean => /^-?\d{1,18}$/.test(part);
/** A revision or a position in the log. */
export const isRevision = (part: string): boolean => /^\d{1,18}$/.test(part);
/** RFC 3339. PostgreSQL knows no year 0. */
export const isTime = (part: string): boolean =>
  /^(?!0000)\d{4}-\d\d-\d\dT[\d:.]{12}Z$/.test(part) && !Number.isNaN(Date.parse(part));
/** A UUID. */
export const isId = (part: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(part);
/** A name or an id that `keyValue` has cut. */
export const isKey = (part: string): boolean => part.length <= 200 && part.isWellFormed() && !part.includes('\u0000');

/** The cursor of a list for this key. It is base64url of a JSON array: the list it belongs to, then the parts of the key. */
export const cursorOf = (list: string, key: readonly string[]): string =>
  Buffer.from(JSON.stringify([list, ...key])).toString('base64url');

/** The key at which the previous page ended, or null on the first page. Each part has to pass its check. */
export function cursorKey<C extends readonly ((part: string) => boolean)[]>(
  page: Pick<PageRequest, 'cursor'>,
  list: string,
  ...checks: C
): { [I in keyof C]: string } | null {
  if (page.cursor === undefined) return null;
  const parts = parse(page.cursor);
  if (!Array.isArray(parts) || parts.length !== checks.length + 1 || parts[0] !== list) throw new InvalidCursor();
  const key = parts.slice(1);
  if (!checks.every((check, i) => typeof key[i] === 'string' && check(key[i]))) throw new InvalidCursor();
  return key as { [I in keyof C]: string };
}

/** The name of the list to which a cursor belongs, as it says itself; undefined on the first page. */
export function listOfCursor({ cursor }: Pick<PageRequest, 'cursor'>): string | undefined {
  if (cursor === undefined) return undefined;
  const parts = parse(cursor);
  if (!Array.isArray(parts) || typeof parts[0] !== 'string') throw new InvalidCursor();
  return parts[0];
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw new InvalidCursor();
  }
}

/**
 * Makes a page of rows of which one more than `limit` was asked for; `key` are the parts that `cursorKey` gives back. Rows
 * that `withinBytes` has cut say themselves whether there are more.
 */
export function toPage<R extends object, T>(
  rows: readonly R[],
  { limit }: PageRequest,
  list: string,
  item: (row: R) => T,
  key: (row: R) => readonly string[],
): Page<T> {
  const shown = rows.slice(0, limit);
  const cursorAfter = (index: number) => cursorOf(list, key(shown[index] as R));
  const last = rows.at(-1) as Partial<Measured> | undefined;
  const more = rows.length > limit || last?.more === true;
  return { items: shown.map(item), next: more ? cursorAfter(shown.length - 1) : null, cursorAfter };
}

// Pages limited in bytes ----------------------------------------------------------------------------------------------

/** Size of all rows of a page except the last one: a little less than a response may have. */
const ROW_BYTES = 917_504;

/** What `withinBytes` adds to rows. */
export interface Measured {
  /** Whether rows were left out after this one, or it is not the last that was found. */
  readonly more: boolean;
}

/**
 * The first rows of a query, up to the one with which their sizes reach 896 KiB, so that a page of long texts is neither
 * sent by the database nor held in memory as a whole. `rows` is a query with a column `bytes`, `order` its order.
 */
export function withinBytes(sql: Sql, rows: Fragment, order: Fragment): Fragment {
  return sql`
    SELECT * FROM (
      SELECT *, sum(bytes) OVER up_to_here - bytes AS bytes_before, lead(true, 1, false) OVER (ORDER BY ${order}) AS more
      FROM (${rows}) AS found
      WINDOW up_to_here AS (ORDER BY ${order} ROWS UNBOUNDED PRECEDING)
    ) AS measured
    WHERE bytes_before < ${ROW_BYTES} ORDER BY ${order}`;
}

type Fragment = postgres.PendingQuery<postgres.Row[]>;
