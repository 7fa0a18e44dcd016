import postgres from 'postgres';
import { StoreClosed } from '../event-store.js';
import { encodeCredentials } from '../server-url.js';
import { settledInTime } from '../waiting.js';
import { arrayParameters } from './array-parameters.js';
import { PacedSockets } from './paced-sockets.js';

export type Sql = postgres.Sql<{ bigint: bigint }>;

export interface ClientOptions {
  /** Most connections at a time. */
  readonly connections: number;
  /** Milliseconds after which a question counts as lost. */
  readonly patience: number;
  /** The URL leads through a transaction pooler: the next transaction may have a connection that knows no prepared statement. */
  readonly pooled?: boolean;
  readonly onnotify?: (channel: string, payload: string) => void;
  readonly onclose?: () => void;
  /** Called whenever connections take the place of failed ones. */
  readonly onReconnect?: () => void;
}

/** The database did not answer in time; whether it did what it was asked is not known. */
export class DatabaseSilent extends Error {
  /** As Node has it for connections on which nothing comes. */
  readonly code = 'ETIMEDOUT';

  constructor(readonly milliseconds: number) {
    super(`The database did not answer within ${milliseconds} ms.`);
    this.name = 'DatabaseSilent';
  }
}

/** Seconds that a discarded client leaves to its other questions. */
const partingTime = 1;

/**
 * A postgres.js client that is replaced when it fails or loses a connection. A dead network gives no sign of its own, a
 * pooler may have forgotten what the client believes it prepared, and what is left of a lost connection would spoil the
 * next one; a new client is the cure for all of them. Whether the question was carried out is then unknown. Trying again
 * is left to the asker.
 */
export class DatabaseClient {
  private current: { readonly sql: Sql; readonly sockets: PacedSockets } | undefined;
  private connected = false;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly options: ClientOptions,
  ) {}

  /** @param patience milliseconds after which this question counts as lost, unless they are those of the client. */
  async ask<T>(question: (sql: Sql) => Promise<T>, patience = this.options.patience): Promise<T> {
    if (this.closed) throw new StoreClosed();
    this.current ??= this.connect();
    const asked = this.current;
    try {
      return await settledInTime(question(asked.sql), patience, () => new DatabaseSilent(patience));
    } catch (error) {
      if (!refusesData(error) && this.current === asked) void this.discard();
      throw this.closed ? new StoreClosed() : error;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.discard();
  }

  private connect() {
    const { connections, patience, pooled = false, onnotify, onclose, onReconnect } = this.options;
    if (this.connected) onReconnect?.();
    this.connected = true;
    const sockets = new PacedSockets(() => {
      if (this.current?.sockets === sockets) void this.discard();
    });
    // Not written into the call, because the types of postgres.js leave out `onnotify` and `socket`.
    const options = {
      max: connections,
      socket: (target: Parameters<PacedSockets['open']>[0]) => sockets.open(target),
      connect_timeout: patience / 1_000,
      backoff: () => 0,
      fetch_types: false,
      prepare: !pooled,
      types: { bigint: postgres.BigInt, array: arrayParameters },
      onnotice: () => {},
      onnotify,
      max_lifetime: null,
      onclose: () => {
        sockets.refuse();
        if (this.current?.sockets === sockets) void this.discard();
        onclose?.();
      },
    };
    return { sql: postgres(encodeCredentials(this.url), options), sockets };
  }

  private async discard(): Promise<void> {
    const discarded = this.current;
    this.current = undefined;
    await discarded?.sql.end({ timeout: partingTime });
    discarded?.sockets.destroy();
  }
}

/**
 * Whether an error is the database's verdict on the data itself (SQLSTATE classes 22 data exception, 23 integrity
 * constraint violation, 54 program limit exceeded), which would be the same next time. All other errors speak of the
 * state the database or the way to it is in, and that passes.
 */
export const refusesData = (error: unknown): boolean =>
  error instanceof postgres.PostgresError && /^(22|23|54)/.test(error.code);
