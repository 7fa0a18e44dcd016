import type { Recorded } from '@verbatim/domain';
import type { EventStore } from '@verbatim/event-store';
import type { Sql, Transaction } from './projection.js';
import { type ProjectionGroup, readModels } from './read-models.js';
import { plainTexts, type Texts } from './texts.js';
import { transactionOn } from './transaction.js';

/** A checkpoint was not where it was believed to be: another process has projected, or a commit had succeeded after all. */
export class CheckpointMoved extends Error {
  constructor(group: string, position: bigint) {
    super(`The checkpoint of ${group} is not at ${position} any more.`);
    this.name = 'CheckpointMoved';
  }
}

/** The log has not got the event up to which read models were built at the place that they remember. */
export class BuiltFromAnotherLog extends Error {
  constructor(schema: string) {
    super(`The read models ${schema} were built from another log.`);
    this.name = 'BuiltFromAnotherLog';
  }
}

export interface Checkpoint {
  /** Up to which a group's read models are built; -1 before the first event. */
  readonly position: bigint;
  /** The event at this position. It shows whether the read models belong to this log; positions of another log mean nothing here. */
  readonly event: { readonly stream: string; readonly revision: bigint; readonly hash: string } | null;
}

export async function readCheckpoint(sql: Sql, schema: string, group: string): Promise<Checkpoint> {
  const [row] = await sql<{ position: string; stream: string | null; revision: string; hash: string }[]>`
    SELECT position, stream, revision, hash FROM ${sql(schema)}.checkpoints WHERE projection = ${group}`;
  if (!row) throw new Error(`${schema} has no checkpoint of ${group}.`);
  const { position, stream, revision, hash } = row;
  return { position: BigInt(position), event: stream === null ? null : { stream, revision: BigInt(revision), hash } };
}

/**
 * Whether the event of a checkpoint stands at the same position of this log. If so, everything before it is the same as
 * well: a log is only ever added to, and a copy keeps its order. It is not so after a move to another store, nor when
 * the log was restored from a backup older than the read models.
 */
export async function isOfLog(store: EventStore, { position, event }: Checkpoint): Promise<boolean> {
  if (!event) return position < 0n;
  const [found] = await store.read(event.stream, event.revision, 1);
  return found?.hash === event.hash && found.position === position;
}

/** Whether all read models of a schema were built from this log. */
export async function builtFrom(store: EventStore, sql: Sql, schema: string): Promise<boolean> {
  const { timeline, search } = readModels;
  const checkpoints = await Promise.all([timeline, search].map(({ name }) => readCheckpoint(sql, schema, name)));
  const same = await Promise.all(checkpoints.map((checkpoint) => isOfLog(store, checkpoint)));
  return !same.includes(false);
}

/**
 * Applies consecutive events to all read models of some groups and moves their checkpoints from `from` to the last of
 * them, all in one transaction. Nothing is applied twice: rejects with CheckpointMoved if a checkpoint is elsewhere.
 * `connection` is the caller's own.
 */
export const applyBatch = (
  connection: Sql,
  schema: string,
  groups: readonly ProjectionGroup[],
  from: bigint,
  events: readonly Recorded[],
  texts: Texts = plainTexts,
): Promise<void> =>
  events.length === 0
    ? Promise.resolve()
    : transactionOn(connection, (tx) => applyWithin(tx, schema, groups, from, events, texts));

/** The same within a transaction of the caller. */
export async function applyWithin(
  tx: Transaction,
  schema: string,
  groups: readonly ProjectionGroup[],
  from: bigint,
  events: readonly Recorded[],
  texts: Texts,
): Promise<void> {
  const to = events.at(-1);
  if (!to) return;
  // The rows of a batch are found by their keys. Without these settings a plan made while a table was small, by
  // reading it whole, would be kept when it has grown.
  const settings = tx`
    SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
      set_config('enable_mergejoin', 'off', true), set_config('client_min_messages', 'warning', true)`;
  const moves = groups.map(
    ({ name }) => tx`
      UPDATE ${tx(schema)}.checkpoints
         SET position = ${`${to.position}`}, stream = ${to.stream}, revision = ${`${to.revision}`}, hash = ${to.hash}
       WHERE projection = ${name} AND position = ${`${from}`}`,
  );
  const [, ...moved] = await Promise.all([settings, ...moves]);
  for (const [i, { name }] of groups.entries()) if (moved[i]?.count !== 1) throw new CheckpointMoved(name, from);
  await Promise.all(
    groups.flatMap(({ projections }) => projections.map((projection) => projection.apply(tx, schema, events, texts))),
  );
}
