import { type Building, type BuildingOptions, withBuilding } from './building.js';
import { applyWithin, BuiltFromAnotherLog, type Checkpoint, isOfLog, readCheckpoint } from './checkpoints.js';
import type { Sql, Transaction } from './projection.js';
import { readModels, schemaName, versionWith } from './read-models.js';
import { plainTexts, type Texts } from './texts.js';
import { transactionOn } from './transaction.js';

/** A row of the live read models that is not what the log says. Its values are not told: they may be what people wrote. */
export interface Difference {
  readonly table: string;
  /** The columns of the primary key, as PostgreSQL writes them. */
  readonly key: Readonly<Record<string, string>>;
  /** `missing`: the live read models lack the row; `surplus`: only they have it. */
  readonly is: 'missing' | 'surplus' | 'different';
  /** Those that differ; empty unless the row is `different`. */
  readonly columns: readonly string[];
}

export interface CompareProgress {
  readonly phase: 'filling' | 'indexing' | 'comparing';
  readonly position: bigint;
  readonly head: bigint;
}

/** What was compared, and up to which event; or why nothing could be. */
export type Comparison =
  | { readonly outcome: 'compared'; readonly tables: number; readonly rows: number; readonly position: bigint }
  | { readonly outcome: 'already running' | 'none live' | 'of another release' | 'of another log' };

/** Rows fetched at a time. */
const TOGETHER = 500;

/**
 * Builds all read models from the log, in a schema beside the live one that is dropped at the end, and calls `found` with
 * every row in which the two differ. Both are looked at as they are at one position of the log, within one transaction, so
 * that the service may run meanwhile. What is compared is sorted on the disk of the database; this process needs memory for
 * a few batches only.
 */
export async function compareWithLog(
  options: BuildingOptions,
  found: (difference: Difference) => void,
  onProgress: (progress: CompareProgress) => void = () => {},
): Promise<Comparison> {
  const { sql, store, version = versionWith(options.texts) } = options;
  const [row] = await sql<{ n: number; version: string }[]>`
    SELECT n, version FROM desk.read_schemas WHERE state = 'live'`;
  if (!row) return { outcome: 'none live' };
  if (row.version !== version) return { outcome: 'of another release' };
  const live = schemaName(row.n);
  const start = await checkpointsOf(sql, live);
  for (const checkpoint of start) if (!(await isOfLog(store, checkpoint))) return { outcome: 'of another log' };
  const compared = await withBuilding(options, async (building) => {
    try {
      const head = lowest(start);
      const report = (phase: CompareProgress['phase']) => onProgress({ phase, position: building.position, head });
      await building.fill(head, () => report('filling'));
      report('indexing');
      await building.index();
      // Takes in what was written meanwhile, so that little is left for the transaction.
      await building.fill(lowest(await checkpointsOf(sql, live)));
      report('comparing');
      return await transactionOn(building.connection, (tx) =>
        compareWithin(tx, building, live, options.texts ?? plainTexts, found),
      );
    } finally {
      await building.drop().catch((error) => {
        options.log.warn({ err: error, schema: building.schema }, 'Could not drop what was built; a rebuild drops it.');
      });
    }
  });
  return compared ?? { outcome: 'already running' };
}

/** Of the timeline and of search. */
const checkpointsOf = (sql: Sql | Transaction, schema: string): Promise<Checkpoint[]> =>
  Promise.all(groups.map(({ name }) => readCheckpoint(sql as Sql, schema, name)));
const groups = [readModels.timeline, readModels.search];
const lowest = (checkpoints: readonly Checkpoint[]): bigint =>
  checkpoints.reduce((low, { position }) => (position < low ? position : low), checkpoints[0]?.position ?? -1n);

/** In a transaction that sees the live read models as they are now, and what it adds to those that were built itself. */
async function compareWithin(
  tx: Transaction,
  building: Building,
  live: string,
  texts: Texts,
  found: (difference: Difference) => void,
): Promise<Comparison> {
  await tx`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`;
  const checkpoints = await checkpointsOf(tx, live);
  for (const [i, group] of groups.entries()) {
    const until = checkpoints[i]?.position ?? -1n;
    let at = building.position;
    for await (const events of building.eventsAfter(at, until)) {
      await applyWithin(tx, building.schema, [group], at, events, texts);
      at = events.at(-1)?.position ?? at;
    }
  }
  const built = await checkpointsOf(tx, building.schema);
  if (built.some(({ event }, i) => event?.hash !== checkpoints[i]?.event?.hash)) throw new BuiltFromAnotherLog(live);
  await tx`
    SELECT set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
      set_config('enable_mergejoin', 'on', true)`;
  let rows = 0;
  const tables = await tablesOf(tx, building.schema);
  for (const table of tables) rows += await compareTable(tx, table, live, building.schema, found);
  return { outcome: 'compared', tables: tables.length, rows, position: checkpoints[0]?.position ?? -1n };
}

interface Table {
  readonly name: string;
  readonly key: readonly string[];
}

/** All but the checkpoints. */
const tablesOf = (tx: Transaction, schema: string): Promise<Table[]> => tx<Table[]>`
  SELECT c.relname AS name, to_jsonb(array_agg(a.attname::text ORDER BY k.n)) AS key
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indrelid
  CROSS JOIN unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, n)
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
  WHERE c.relnamespace = ${schema}::regnamespace AND i.indisprimary AND c.relname <> 'checkpoints'
  GROUP BY c.relname ORDER BY c.relname`;

/** Calls `found` with every row that differs, and returns how many rows there should be. */
async function compareTable(
  tx: Transaction,
  { name, key }: Table,
  live: string,
  built: string,
  found: (difference: Difference) => void,
): Promise<number> {
  const columns = key.map((column) => `"${column}"`).join(', ');
  const keyOf = key.map((column) => `'${column}', "${column}"::text`).join(', ');
  // A row as a whole counts as null if all its columns are, which keys never are.
  await tx.unsafe(`
    DECLARE differing NO SCROLL CURSOR FOR
    SELECT json_build_object(${keyOf}) AS key, NOT (live IS NULL) AS "isLive", NOT (built IS NULL) AS "isBuilt",
      (SELECT coalesce(json_agg(a.key ORDER BY a.key), '[]') FROM jsonb_each(to_jsonb(live)) a
        JOIN jsonb_each(to_jsonb(built)) b ON b.key = a.key WHERE a.value <> b.value) AS columns
    FROM (SELECT whole_row AS live, ${columns} FROM ${live}."${name}" whole_row) l
    FULL JOIN (SELECT whole_row AS built, ${columns} FROM ${built}."${name}" whole_row) b USING (${columns})
    WHERE live IS DISTINCT FROM built ORDER BY ${columns}`);
  for (;;) {
    const rows = await tx.unsafe<Found[]>(`FETCH ${TOGETHER} FROM differing`);
    for (const { key: of, isLive, isBuilt, columns: differing } of rows)
      found({
        table: name,
        key: of,
        is: !isLive ? 'missing' : isBuilt ? 'different' : 'surplus',
        columns: isLive && isBuilt ? differing : [],
      });
    if (rows.length < TOGETHER) break;
  }
  await tx.unsafe('CLOSE differing');
  const [count] = await tx<{ count: string }[]>`SELECT count(*) AS count FROM ${tx(built)}.${tx(name)}`;
  return Number(count?.count ?? 0);
}

interface Found {
  readonly key: Record<string, string>;
  readonly isLive: boolean;
  readonly isBuilt: boolean;
  readonly columns: string[];
}
