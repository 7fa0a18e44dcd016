import type { Page } from '@verbatim/projections';

/** A page of a list as clients see it. */
export const listAnswer = <R, T>(
  { items, next }: Page<R>,
  item: (row: R) => T,
): { items: T[]; page: { next: string | null } } => ({
  items: items.map(item),
  page: { next },
});
