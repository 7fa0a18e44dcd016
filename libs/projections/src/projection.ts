import type { Recorded } from '@verbatim/domain';
import type postgres from 'postgres';
import type { Texts } from './texts.js';

export type Sql = postgres.Sql;
export type Transaction = postgres.TransactionSql;

/**
 * A function from events to rows. It never refuses: unknown event types change nothing, erased fields become null, and
 * a change to something that is not there is passed over. Rows after any number of calls depend on the events alone,
 * not on how they were cut into batches.
 */
export interface Projection {
  readonly name: string;
  /** DDL of the tables with those keys that `apply` relies on. */
  tables(schema: string): string;
  /** DDL of all other indexes; a rebuild creates them after the rows. */
  indexes(schema: string): string;
  /** Applies events in log order. Sends its statements without waiting in between, so that they share a round trip. */
  apply(tx: Transaction, schema: string, events: readonly Recorded[], texts: Texts): Promise<void>;
}

/** Where queries read: a connection pool, and the schema that is live at this moment. */
export interface ReadDatabase {
  readonly sql: Sql;
  /** How that schema holds texts. */
  readonly texts: Texts;
  schema(): string;
}

/** What a query needs to name its tables, as in `${schema}.rooms`. */
export const reading = (db: ReadDatabase) => ({
  sql: db.sql,
  schema: db.sql(db.schema()),
  texts: db.texts,
});

/** The part of a logger that is used here. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
