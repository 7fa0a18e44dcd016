import { migrate } from '@verbatim/event-store';
import { backoff, pause } from './connection.js';
import { deskSchema } from './desk-schema.js';
import type { Log, Sql, Transaction } from './projection.js';
import { createIndexes, createReadSchema, readModelsVersion, schemaName } from './read-models.js';
import { inTransaction } from './transaction.js';

/** Told when another schema has become live; only a wake-up, what counts is the table. */
const CHANNEL = 'verbatim_read_schemas';

export interface ReadSchemasOptions {
  readonly sql: Sql;
  /** Leads to the database itself where `sql` goes through a transaction pooler. Default: `sql`. */
  readonly direct?: Sql;
  /** Of the read models that this process can use; default: those of this release. */
  readonly version?: string;
  /** How long a retired schema is kept for processes that still use it; milliseconds, default 10 minutes. */
  readonly graceMs?: number;
  /** How often to look without a notification, in milliseconds; 5,000 by default. */
  readonly pollMs?: number;
  readonly log: Log;
}

export interface LiveSchema {
  readonly schema: string;
  /** The read models of another release: neither to be read nor projected by this one, but to be rebuilt. */
  readonly needsRebuild: boolean;
}

/** Which of the schemas `read_<n>` holds the read models, according to `desk.read_schemas`, the same for all processes. */
export class ReadSchemas {
  readonly version: string;
  readonly #sql: Sql;

  constructor(private readonly options: ReadSchemasOptions) {
    this.version = options.version ?? readModelsVersion;
    this.#sql = options.sql;
  }

  /** The live schema; makes empty read models when there are none. Safe to call in several processes at once. */
  async ensureLive(): Promise<LiveSchema> {
    await migrate(this.#sql, 'desk', 'read models', deskSchema);
    return (await this.live()) ?? (await inTransaction(this.#sql, (tx) => this.#makeFirst(tx)));
  }

  /** Null before the first was made. */
  async live(): Promise<LiveSchema | null> {
    const [row] = await this.#sql<{ n: number; version: string }[]>`
      SELECT n, version FROM desk.read_schemas WHERE state = 'live'`;
    return row ? { schema: schemaName(row.n), needsRebuild: row.version !== this.version } : null;
  }

  /**
   * Calls `look` with the live schema at the start, whenever another has become live, and every `pollMs`, one call at a
   * time, until `signal` aborts. Also drops schemas that were retired long enough ago.
   */
  async watch(signal: AbortSignal, look: (live: LiveSchema) => Promise<void>): Promise<void> {
    const { direct = this.#sql, pollMs = 5_000, log } = this.options;
    let woken = new AbortController();
    const wake = () => woken.abort();
    signal.addEventListener('abort', wake);
    const listening = direct.listen(CHANNEL, wake).catch((error) => {
      log.warn({ err: error }, 'Cannot listen for changes of the live read models; polling instead.');
    });
    for (let failures = 0; !signal.aborted; ) {
      woken = new AbortController();
      try {
        const live = await this.live();
        if (live) await look(live);
        await this.#dropRetired();
        failures = 0;
      } catch (error) {
        log.warn({ err: error }, 'Could not look for the live read models; trying again.');
        failures++;
      }
      await pause(failures > 0 ? backoff(failures) : pollMs, woken.signal);
    }
    void listening.then((listener) => listener?.unlisten()).catch(() => {});
  }

  async #makeFirst(tx: Transaction): Promise<LiveSchema> {
    await tx`LOCK TABLE desk.read_schemas IN SHARE ROW EXCLUSIVE MODE`;
    const [row] = await tx<{ n: number; version: string }[]>`
      SELECT n, version FROM desk.read_schemas WHERE state = 'live'`;
    if (row) return { schema: schemaName(row.n), needsRebuild: row.version !== this.version };
    const schema = schemaName(await addSchema(tx, this.version, 'live'));
    await createIndexes(tx, schema);
    return { schema, needsRebuild: false };
  }

  async #dropRetired(): Promise<void> {
    const { graceMs = 600_000, log } = this.options;
    const rows = await this.#sql<{ n: number }[]>`
      SELECT n FROM desk.read_schemas
      WHERE state = 'retired' AND switched_at < now() - ${graceMs} * interval '1 millisecond' ORDER BY n`;
    for (const { n } of rows) {
      if (await inTransaction(this.#sql, (tx) => dropSchema(tx, n))) {
        log.info({ schema: schemaName(n) }, 'Dropped read models that were retired.');
      }
    }
  }
}

/** Makes a schema of empty read models without secondary indexes, numbered after all that are or were there. */
export async function addSchema(tx: Transaction, version: string, state: 'building' | 'live'): Promise<number> {
  const [row] = await tx<{ n: number }[]>`
    SELECT 1 + greatest(
      (SELECT max(n) FROM desk.read_schemas),
      (SELECT max(substring(nspname FROM 6)::integer) FROM pg_namespace WHERE nspname ~ '^read_[0-9]{1,9}$'), 0) AS n`;
  const n = row?.n ?? 1;
  await tx`INSERT INTO desk.read_schemas (n, version, state) VALUES (${n}, ${version}, ${state})`;
  await createReadSchema(tx, schemaName(n));
  return n;
}

/** Drops a schema that is not live; false if another process did. Gives up soon when somebody reads it. */
export async function dropSchema(tx: Transaction, n: number): Promise<boolean> {
  await tx`SELECT set_config('lock_timeout', '2s', true), set_config('client_min_messages', 'warning', true)`;
  const { count } = await tx`DELETE FROM desk.read_schemas WHERE n = ${n} AND state <> 'live'`;
  if (count > 0) await tx`DROP SCHEMA IF EXISTS ${tx(schemaName(n))} CASCADE`;
  return count > 0;
}

/** Makes the schema that was being built the live one and retires the one before, in one step for everybody. */
export async function switchTo(tx: Transaction, n: number): Promise<void> {
  await tx`UPDATE desk.read_schemas SET state = 'retired', switched_at = now() WHERE state = 'live'`;
  const { count } = await tx`
    UPDATE desk.read_schemas SET state = 'live', switched_at = now() WHERE n = ${n} AND state = 'building'`;
  if (count === 0) throw new Error(`${schemaName(n)} is not being built any more.`);
  await tx`SELECT pg_notify(${CHANNEL}, ${schemaName(n)})`;
}
