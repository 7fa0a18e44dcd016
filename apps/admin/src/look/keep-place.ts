/** A row of a list. */
interface Row {
  readonly id: string;
}

/** The shown rows of a changing list, and whether the newest answer would look different. */
export interface Kept<R extends Row> {
  readonly rows: readonly R[];
  readonly moved: boolean;
}

/**
 * The rows on the screen, in their places, with the values of the newest answer. A row that the answer lacks stays as
 * it was last seen; those that have come are not squeezed in between. Into an empty list they come at once, for there is
 * no place to lose.
 */
export function keepPlace<R extends Row>(shown: readonly R[], answer: readonly R[]): Kept<R> {
  if (shown.length === 0) return { rows: answer, moved: false };
  const fresh = new Map(answer.map((row) => [row.id, row]));
  const rows = shown.map((row) => fresh.get(row.id) ?? row);
  const moved = answer.length !== rows.length || answer.some(({ id }, place) => id !== rows[place]?.id);
  return { rows, moved };
}
