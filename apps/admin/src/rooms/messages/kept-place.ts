const keyOf = (room: string) => `verbatim.place.${room}`;

/** The revision at which the person was reading a room's history in this tab, unless at its end. */
export function keptPlace(room: string): number | null {
  const kept = sessionStorage.getItem(keyOf(room));
  return kept !== null && /^\d{1,15}$/.test(kept) ? Number(kept) : null;
}

/** Remembers it over a reload; null: at the end. */
export function keepPlace(room: string, revision: number | null): void {
  if (revision === null) sessionStorage.removeItem(keyOf(room));
  else sessionStorage.setItem(keyOf(room), `${revision}`);
}
