/**
 * Finds among many intervals of revisions those that hold a given revision, by a plain index: a "relational interval tree"
 * after Kriegel, Pötke and Seidl (VLDB 2000). All revisions are divided into blocks of 2, of 4, of 8, and so on, laid end to
 * end. An interval is filed under the middle of the smallest block in which it lies. A revision lies in one block of each
 * size, so that a look at some 40 middles finds all intervals that hold it, however many others there are.
 */

/** Revisions are below 2 to this power. */
const LEVELS = 40;

/** The place under which the interval from `since` on, up to but without `until`, is filed: itself, if it is one revision. */
export function forkOf(since: bigint, until: bigint): bigint {
  const last = until - 1n;
  let level = 0n;
  for (let apart = since ^ last; apart > 1n; apart >>= 1n) level += 1n;
  return since === last ? since : (last >> level) << level;
}

/** The same in SQL, for expressions of type bigint. */
export const forkInSql = (since: string, until: string): string => `
  CASE WHEN ${since} = ${until} - 1 THEN ${since} ELSE
    (((${until} - 1) >> (length(ltrim((${since} # (${until} - 1))::bit(64)::text, '0')) - 1))
      << (length(ltrim((${since} # (${until} - 1))::bit(64)::text, '0')) - 1))
  END`;

/** The places under which intervals that hold a revision may be filed: those up to it, and those beyond it. */
export function placesOf(revision: bigint): { upTo: bigint[]; beyond: bigint[] } {
  const places = new Set([revision]);
  for (let level = 0n; level < LEVELS; level++) places.add((((revision >> (level + 1n)) << 1n) | 1n) << level);
  const all = [...places];
  return { upTo: all.filter((place) => place <= revision), beyond: all.filter((place) => place > revision) };
}
