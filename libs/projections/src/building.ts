import type { Recorded } from '@verbatim/domain';
import { AdvisoryLock } from './advisory-lock.js';
import { applyBatch } from './checkpoints.js';
import { disconnect, ownConnection } from './connection.js';
import type { GroupRunnerOptions } from './group-runner.js';
import type { Sql } from './projection.js';
import { createIndexes, readModels, schemaName, versionWith } from './read-models.js';
import { addSchema, dropSchema } from './read-schemas.js';
import { transactionOn } from './transaction.js';

export interface BuildingOptions extends Pick<GroupRunnerOptions, 'sql' | 'store' | 'open' | 'texts' | 'log'> {
  /** Leads to the database itself where `sql` goes through a transaction pooler. Default: `sql`. */
  readonly direct?: Sql;
  /** Default: that of this release, with texts held so. */
  readonly version?: string;
  /** Events in a transaction, default 2,000. */
  readonly maxBatch?: number;
  /** Gives up when aborted. */
  readonly signal?: AbortSignal;
}

/** The lock that is held as long as read models are built beside the live ones. */
export const REBUILD = 'verbatim rebuild';

/**
 * Does some work with read models that are built anew, in a schema beside the live one that this makes. One process of the
 * database does so at a time; null when it is another. What one that was killed left behind is dropped by the next: keys may
 * have been destroyed since.
 */
export async function withBuilding<T>(
  options: BuildingOptions,
  work: (building: Building) => Promise<T>,
): Promise<T | null> {
  const { sql, direct = sql, signal } = options;
  const lock = await AdvisoryLock.tryTake(direct, REBUILD);
  if (!lock) return null;
  const connection = ownConnection(sql);
  try {
    const over = AbortSignal.any([lock.lost, ...(signal ? [signal] : [])]);
    const building = Building.begin(connection, options, over);
    return await Promise.race([building.then(work), rejectWhen(over)]);
  } finally {
    await disconnect(connection);
    await lock.release();
  }
}

const rejectWhen = (over: AbortSignal): Promise<never> =>
  new Promise((_, reject) => over.addEventListener('abort', () => reject(over.reason), { once: true }));

/** Read models that are being built in a schema of their own, `read_<n>`. */
export class Building {
  /** Of the last event taken in. */
  position = -1n;

  private constructor(
    readonly connection: Sql,
    readonly n: number,
    private readonly options: BuildingOptions,
    private readonly over: AbortSignal,
  ) {}

  static async begin(connection: Sql, options: BuildingOptions, over: AbortSignal): Promise<Building> {
    await dropLeftovers(connection, options);
    const { version = versionWith(options.texts) } = options;
    const n = await transactionOn(connection, (tx) => addSchema(tx, version, 'building'));
    return new Building(connection, n, options, over);
  }

  get schema(): string {
    return schemaName(this.n);
  }

  /** Takes in all events up to a position, reading and opening the next ones while the last are written. */
  async fill(until: bigint, onProgress: () => void = () => {}): Promise<void> {
    for await (const events of this.eventsAfter(this.position, until)) {
      const groups = [readModels.timeline, readModels.search];
      await applyBatch(this.connection, this.schema, groups, this.position, events, this.options.texts);
      this.position = events.at(-1)?.position ?? this.position;
      onProgress();
    }
  }

  /** Opened events after a position up to another, in batches. */
  async *eventsAfter(position: bigint, until: bigint): AsyncGenerator<Recorded[]> {
    for (let next = this.readOn(position, until); next; ) {
      this.over.throwIfAborted();
      const { events, end } = await next;
      next = this.readOn(end, until);
      if (events.length > 0) yield events;
    }
  }

  /** Makes the indexes and gathers statistics, so that the first queries are planned for tables of this size. */
  async index(): Promise<void> {
    const { connection, schema } = this;
    await transactionOn(connection, (tx) => createIndexes(tx, schema));
    const tables = await connection<{ name: string }[]>`
      SELECT tablename AS name FROM pg_tables WHERE schemaname = ${schema}`;
    for (const { name } of tables) await connection`ANALYZE ${connection(schema)}.${connection(name)}`;
  }

  async drop(): Promise<void> {
    await transactionOn(this.connection, (tx) => dropSchema(tx, this.n));
  }

  private readOn(position: bigint, until: bigint): Promise<{ events: Recorded[]; end: bigint }> | null {
    if (position >= until) return null;
    const { store, open, maxBatch = 2_000 } = this.options;
    const read = store.readAll(position + 1n, maxBatch).then(async (stored) => {
      const end = stored.at(-1)?.position;
      if (end === undefined) throw new Error(`The log should go on to ${until}, and has nothing after ${position}.`);
      return { events: await open(stored.filter((event) => event.position <= until)), end };
    });
    // Looked at when its turn comes, if it comes.
    read.catch(() => {});
    return read;
  }
}

async function dropLeftovers(connection: Sql, { log }: BuildingOptions): Promise<void> {
  const rows = await connection<{ n: number }[]>`SELECT n FROM desk.read_schemas WHERE state = 'building'`;
  for (const { n } of rows) {
    await transactionOn(connection, (tx) => dropSchema(tx, n)).catch((error) => {
      // A statement of the one that was killed may still be running on it. The next one will find it free.
      log.warn({ err: error, schema: schemaName(n) }, 'Could not drop read models that were left unfinished.');
    });
  }
}
