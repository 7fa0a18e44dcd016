/**
 * Finds among many intervals of revisions those that hold a given revision, by a plain index: the "relational interval tree"
 * of Kriegel, Pötke and Seidl (VLDB 2000). Each interval is filed under one node of a fixed binary tree over all revisions,
 * the highest one that lies in it. An interval that holds a revision is filed under a node on the way from the root to this
 * revision, so that looking at some 40 nodes finds all of them, however many others there are.
 */

/** Revisions are below 2 to this power. */
const LEVELS = 40;

/** The node under which the interval from `since` on, up to but without `until`, is filed. */
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

/** The nodes on the way from the root to a revision: those up to it, itself among them, and those beyond it. */
export function nodesTo(revision: bigint): { upTo: bigint[]; beyond: bigint[] } {
  const nodes = new Set([revision]);
  for (let level = 0n; level < LEVELS; level++) nodes.add((((revision >> (level + 1n)) << 1n) | 1n) << level);
  const all = [...nodes];
  return { upTo: all.filter((node) => node <= revision), beyond: all.filter((node) => node > revision) };
}
