/** Which part of a list is wanted: at most `limit` items after those that led to `cursor`. */
export interface PageRequest {
  readonly limit: number;
  /** `next` of the page before; absent for the first page. */
  readonly cursor?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Opaque; null on the last page. */
  readonly next: string | null;
}

/** The cursor was not made by this list. The caller's mistake, to be answered as such. */
export class InvalidCursor extends Error {
  constructor() {
    super('The cursor is not one that this list has given out.');
    this.name = 'InvalidCursor';
  }
}

/** Checks of what a cursor may hold, so that a forged one never reaches the database. */
export const isPlace = (part: string): boolean => /^-?\d{1,18}$/.test(part);
/** PostgreSQL knows no year 0. */
export const isTime = (part: string): boolean =>
  /^(?!0000)\d{4}-\d\d-\d\dT[\d:.]{12}Z$/.test(part) && !Number.isNaN(Date.parse(part));
export const isKey = (part: string): boolean => part.length <= 200 && part.isWellFormed() && !part.includes('\u0000');

/**
 * The key at which the page before ended, or null on the first page. A cursor is base64url of a JSON array: the list it
 * belongs to, then the parts of the key.
 */
export function cursorKey<C extends readonly ((part: string) => boolean)[]>(
  page: PageRequest,
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

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw new InvalidCursor();
  }
}

/** Makes a page of rows of which one more than `limit` was asked for; `key` are the parts that `cursorKey` gives back. */
export function toPage<R, T>(
  rows: readonly R[],
  { limit }: PageRequest,
  list: string,
  item: (row: R) => T,
  key: (row: R) => readonly string[],
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next =
    rows.length > limit && last ? Buffer.from(JSON.stringify([list, ...key(last)])).toString('base64url') : null;
  return { items: shown.map(item), next };
}
