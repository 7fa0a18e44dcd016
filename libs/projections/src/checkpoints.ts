import type { Recorded } from '@verbatim/domain';
import type { Sql } from './projection.js';
import type { ProjectionGroup } from './read-models.js';
import { transactionOn } from './transaction.js';

/** A checkpoint was not where it was believed to be: another process has projected, or a commit had succeeded after all. */
export class CheckpointMoved extends Error {
  constructor(group: string, position: bigint) {
    super(`The checkpoint of ${group} is not at ${position} any more.`);
    this.name = 'CheckpointMoved';
  }
}

/** Position up to which a group's read models are built; -1 before the first event. */
export async function readCheckpoint(sql: Sql, schema: string, group: string): Promise<bigint> {
  const [row] = await sql<{ position: string }[]>`
    SELECT position FROM ${sql(schema)}.checkpoints WHERE projection = ${group}`;
  if (!row) throw new Error(`${schema} has no checkpoint of ${group}.`);
  return BigInt(row.position);
}

/**
 * Applies consecutive events to all read models of some groups and moves their checkpoints from `from` to the last of
 * them, all in one transaction. Nothing is applied twice: rejects with CheckpointMoved if a checkpoint is elsewhere.
 * `connection` is the caller's own.
 */
export function applyBatch(
  connection: Sql,
  schema: string,
  groups: readonly ProjectionGroup[],
  from: bigint,
  events: readonly Recorded[],
): Promise<void> {
  const to = events.at(-1)?.position ?? from;
  return transactionOn(connection, async (tx) => {
    // The rows of a batch are found by their keys. Without these settings a plan made while a table was small, by
    // reading it whole, would be kept when it has grown.
    const settings = tx`
      SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
        set_config('enable_mergejoin', 'off', true), set_config('client_min_messages', 'warning', true)`;
    const moves = groups.map(
      ({ name }) => tx`
        UPDATE ${tx(schema)}.checkpoints SET position = ${`${to}`} WHERE projection = ${name} AND position = ${`${from}`}`,
    );
    const [, ...moved] = await Promise.all([settings, ...moves]);
    for (const [i, { name }] of groups.entries()) if (moved[i]?.count !== 1) throw new CheckpointMoved(name, from);
    await Promise.all(
      groups.flatMap(({ projections }) => projections.map((projection) => projection.apply(tx, schema, events))),
    );
  });
}
