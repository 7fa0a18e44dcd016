import { type BodyToSend, createUserBody, csvCells, issuesToErrors } from '@verbatim/protocol';

/** Maximum number of people in one file. */
export const MOST = 1_000;

export type Wish = BodyToSend<'createUser'>;

/** A line of the file: an account to create, or what is wrong with it. */
export interface PersonRow {
  /** Counts from 1, the line of names included. */
  readonly line: number;
  /** As in the file. */
  readonly username: string;
  readonly wish: Wish | null;
  /** A sentence, or the key of one. */
  readonly problem: string | null;
}

export type Reading = { readonly rows: readonly PersonRow[] } | { readonly refused: string };

const columns = ['username', 'displayName', 'email', 'role', 'bot'] as const;
type Column = (typeof columns)[number];

/**
 * Reads a file whose first line names its columns: `username`, and where wanted `displayName`, `email` and `role`. Columns
 * of other names are passed over, so that an exported file can be read. `refused` is the key of a sentence.
 */
export function readPeople(text: string): Reading {
  const [names, ...lines] = csvCells(text) ?? [];
  if (!names) return { refused: 'verbatim.import.unreadable' };
  const places = new Map(columns.map((column) => [column, placeOf(column, names)]));
  if (places.get('username') === -1) return { refused: 'verbatim.import.no_username' };
  if (lines.length === 0) return { refused: 'verbatim.import.nobody' };
  if (lines.length > MOST) return { refused: 'verbatim.import.too_many' };

  const seen = new Set<string>();
  const rows = lines.map((cells, i) => {
    const cell = (column: Column) => cells[places.get(column) ?? -1] ?? '';
    const row = rowOf(i + 2, cell);
    const name = row.username.toLowerCase();
    if (row.wish && seen.has(name)) return { ...row, wish: null, problem: 'verbatim.import.twice' };
    seen.add(name);
    return row;
  });
  return { rows };
}

const placeOf = (column: string, names: readonly string[]): number =>
  names.findIndex((name) => name.toLowerCase() === column.toLowerCase());

function rowOf(line: number, cell: (column: Column) => string): PersonRow {
  const [username, displayName, email, role] = columns.map(cell);
  const refused = (problem: string): PersonRow => ({ line, username: username ?? '', wish: null, problem });
  if (cell('bot') === 'true') return refused('verbatim.import.is_bot');
  const wish = { username, ...(displayName && { displayName }), ...(email && { email }), ...(role && { role }) };
  const read = createUserBody.safeParse(wish);
  if (read.success) return { line, username: username ?? '', wish: read.data, problem: null };
  const problems = issuesToErrors(read.error, '').map(({ path, message }) => `${path.replace(/^\./, '')} ${message}`);
  return refused(problems.join('; '));
}
