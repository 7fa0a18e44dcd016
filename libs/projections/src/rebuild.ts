import type { Recorded } from '@verbatim/domain';
import { AdvisoryLock, isHeld } from './advisory-lock.js';
import { applyBatch, readCheckpoint } from './checkpoints.js';
import { disconnect, ownConnection } from './connection.js';
import type { GroupRunnerOptions } from './group-runner.js';
import type { Sql } from './projection.js';
import { createIndexes, readModels, schemaName, versionWith } from './read-models.js';
import { addSchema, dropSchema, ReadSchemas, switchTo } from './read-schemas.js';
import { transactionOn } from './transaction.js';

export interface RebuildOptions extends Pick<GroupRunnerOptions, 'sql' | 'store' | 'open' | 'texts' | 'log'> {
  /** Leads to the database itself where `sql` goes through a transaction pooler. Default: `sql`. */
  readonly direct?: Sql;
  /** Default: that of this release, with texts held so. */
  readonly version?: string;
  /** Events in a transaction, default 2,000. */
  readonly maxBatch?: number;
  /** Gives up when aborted. */
  readonly signal?: AbortSignal;
}

export interface RebuildProgress {
  readonly schema: string;
  readonly phase: 'filling' | 'indexing' | 'switched';
  /** Position of the last event taken in, and of the last in the log. */
  readonly position: bigint;
  readonly head: bigint;
}

/** How far a rebuild has come, as the database shows it to every process. */
export type RebuildUnderWay = Omit<RebuildProgress, 'phase'>;

export type RebuildOutcome =
  | { readonly outcome: 'switched'; readonly schema: string }
  | { readonly outcome: 'already running' };

/** The lock that is held as long as a rebuild runs. */
const REBUILD = 'verbatim rebuild';

/**
 * Rebuilds all read models from the log, in a schema beside the live one, and makes it the live one when it has caught
 * up. What happens from then on is added by the projectors of the running processes. Only one rebuild runs in a database
 * at a time. What one that was killed left behind is dropped by the next, which starts from the beginning: keys may have
 * been destroyed since.
 */
export async function rebuild(
  options: RebuildOptions,
  onProgress: (progress: RebuildProgress) => void = () => {},
): Promise<RebuildOutcome> {
  const { sql, direct = sql, signal } = options;
  await new ReadSchemas(options).ensureLive();
  const lock = await AdvisoryLock.tryTake(direct, REBUILD);
  if (!lock) return { outcome: 'already running' };
  const connection = ownConnection(sql);
  try {
    const over = AbortSignal.any([lock.lost, ...(signal ? [signal] : [])]);
    return await Promise.race([new Rebuild(connection, options, over, onProgress).run(), rejectWhen(over)]);
  } finally {
    await disconnect(connection);
    await lock.release();
  }
}

/** The rebuild that runs now, in whatever process of this database; null: there is none, or it has only just begun. */
export async function rebuildUnderWay({
  sql,
  store,
}: Pick<RebuildOptions, 'sql' | 'store'>): Promise<RebuildUnderWay | null> {
  if (!(await isHeld(sql, REBUILD))) return null;
  const [row] = await sql<
    { n: number }[]
  >`SELECT max(n) AS n FROM desk.read_schemas WHERE state = 'building' HAVING max(n) > 0`;
  if (!row) return null;
  const schema = schemaName(row.n);
  // It may have come to its end meanwhile, and a schema that was given up may be gone.
  const checkpoint = await readCheckpoint(sql, schema, readModels.timeline.name).catch(() => null);
  return checkpoint && { schema, position: checkpoint.position, head: await store.head() };
}

const rejectWhen = (over: AbortSignal): Promise<never> =>
  new Promise((_, reject) => over.addEventListener('abort', () => reject(over.reason), { once: true }));

class Rebuild {
  private position = -1n;
  private head = -1n;
  private schema = '';

  constructor(
    private readonly connection: Sql,
    private readonly options: RebuildOptions,
    private readonly over: AbortSignal,
    private readonly onProgress: (progress: RebuildProgress) => void,
  ) {}

  async run(): Promise<RebuildOutcome> {
    const { texts, version = versionWith(texts), log } = this.options;
    const { connection } = this;
    await this.dropLeftovers();
    const n = await transactionOn(connection, (tx) => addSchema(tx, version, 'building'));
    this.schema = schemaName(n);
    log.info({ schema: this.schema }, 'Rebuilding the read models.');

    await this.catchUp();
    this.report('indexing');
    await transactionOn(connection, (tx) => createIndexes(tx, this.schema));
    await this.gatherStatistics();
    // Twice: the first pass takes in what was written while the indexes were built, the second what the first left.
    await this.catchUp();
    await this.catchUp();
    await transactionOn(connection, (tx) => switchTo(tx, n));
    this.report('switched');
    log.info({ schema: this.schema, position: this.position }, 'The read models were rebuilt.');
    return { outcome: 'switched', schema: this.schema };
  }

  private async dropLeftovers(): Promise<void> {
    const rows = await this.connection<{ n: number }[]>`SELECT n FROM desk.read_schemas WHERE state = 'building'`;
    for (const { n } of rows) {
      await transactionOn(this.connection, (tx) => dropSchema(tx, n)).catch((error) => {
        // A statement of the one that was killed may still be running on it. The next rebuild will find it free.
        this.options.log.warn({ err: error, schema: schemaName(n) }, 'Could not drop what an earlier rebuild left.');
      });
    }
  }

  /** Takes in everything that is in the log now, reading and opening the next events while the last are written. */
  private async catchUp(): Promise<void> {
    this.head = await this.options.store.head();
    let next = this.readOn(this.position);
    while (this.position < this.head) {
      this.over.throwIfAborted();
      const events = await next;
      const last = events.at(-1);
      if (!last) throw new Error(`The log has a head at ${this.head} and nothing after ${this.position}.`);
      next = this.readOn(last.position);
      const groups = [readModels.timeline, readModels.search];
      await applyBatch(this.connection, this.schema, groups, this.position, events, this.options.texts);
      this.position = last.position;
      this.report('filling');
    }
  }

  private readOn(position: bigint): Promise<Recorded[]> {
    const { store, open, maxBatch = 2_000 } = this.options;
    const events = store.readAll(position + 1n, maxBatch).then(open);
    // Looked at when its turn comes, if it comes.
    events.catch(() => {});
    return events;
  }

  /** So that the first queries are planned for tables of this size. */
  private async gatherStatistics(): Promise<void> {
    const tables = await this.connection<{ name: string }[]>`
      SELECT tablename AS name FROM pg_tables WHERE schemaname = ${this.schema}`;
    for (const { name } of tables)
      await this.connection`ANALYZE ${this.connection(this.schema)}.${this.connection(name)}`;
  }

  private report(phase: RebuildProgress['phase']): void {
    const { schema, position, head } = this;
    this.onProgress({ schema, phase, position, head });
  }
}
