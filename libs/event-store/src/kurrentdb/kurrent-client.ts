import { ErrorType, isCommandError, KurrentDBClient } from '@kurrent/kurrentdb-client';
import { StoreClosed, StoreSilent, StoreUnavailable } from '../event-store.js';
import type { Credentials } from '../server-url.js';
import { settledInTime } from '../waiting.js';
import type { Connection } from './connection-string.js';

/** What goes along with every call but appends. */
export type CallOptions = { readonly credentials?: Credentials };

/**
 * A client of KurrentDB that is replaced when it fails, and whose questions all get an answer in time or an error. By
 * itself the client would neither give up an append that stays without an answer, nor ever read again once a read has
 * found the server away. Whether the question was carried out is then unknown. Trying again is left to the asker.
 */
export class KurrentClient {
  private current: KurrentDBClient | undefined;
  private connected = false;
  private closed = false;
  private readonly waiting = new Set<(reason: Error) => void>();

  /**
   * @param patience milliseconds after which a question counts as lost.
   * @param onReconnect called whenever a client takes the place of one that failed.
   */
  constructor(
    private readonly connection: Connection,
    private readonly patience: number,
    private readonly onReconnect?: () => void,
  ) {}

  /**
   * Rejects with StoreUnavailable, unless the server has answered by an error that says something about the question.
   *
   * @param patience of this question, if it is not that of all.
   */
  async ask<T>(
    question: (client: KurrentDBClient, call: CallOptions) => Promise<T>,
    patience = this.patience,
  ): Promise<T> {
    if (this.closed) throw new StoreClosed();
    this.current ??= this.connect();
    const asked = this.current;
    const { credentials } = this.connection;
    try {
      return await this.inTime(question(asked, credentials ? { credentials } : {}), patience);
    } catch (error) {
      if (this.closed) throw new StoreClosed();
      if (answers.has(typeOf(error))) throw error;
      if (!refusals.has(typeOf(error)) && this.current === asked) this.discard();
      throw error instanceof StoreUnavailable ? error : new StoreUnavailable(reasonOf(error), { cause: error });
    }
  }

  close(): void {
    this.closed = true;
    for (const giveUp of this.waiting) giveUp(new StoreClosed());
    this.discard();
  }

  private connect(): KurrentDBClient {
    if (this.connected) this.onReconnect?.();
    this.connected = true;
    return KurrentDBClient.connectionString(this.connection.url);
  }

  /** The answer, which may never come by itself, or an error. */
  private inTime<T>(answer: Promise<T>, patience: number): Promise<T> {
    let giveUp: (reason: Error) => void = () => undefined;
    const closed = new Promise<never>((_, reject) => {
      giveUp = reject;
    });
    this.waiting.add(giveUp);
    const settled = settledInTime(answer, patience, () => new StoreSilent(patience));
    return Promise.race([settled, closed]).finally(() => this.waiting.delete(giveUp));
  }

  private discard(): void {
    const discarded = this.current;
    this.current = undefined;
    if (discarded) void letGo(discarded).catch(() => {});
  }
}

/** Errors with which a healthy server answers a request. */
const answers: ReadonlySet<string> = new Set([
  ErrorType.WRONG_EXPECTED_VERSION,
  ErrorType.STREAM_NOT_FOUND,
  ErrorType.STREAM_DELETED,
  ErrorType.STREAM_TOMBSTONED,
  ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED,
  ErrorType.APPEND_RECORD_SIZE_EXCEEDED,
  ErrorType.INVALID_ARGUMENT,
]);

/** Errors with which a reachable server refuses every request. A new client would get the same. */
const refusals: ReadonlySet<string> = new Set([
  ErrorType.ACCESS_DENIED,
  // The client goes to the leader by itself.
  ErrorType.NOT_LEADER,
]);

/** The kind of an error of the client, also of one that made the store unavailable, or '' for any other error. */
export function typeOf(error: unknown): string {
  const own = error instanceof StoreUnavailable ? error.cause : error;
  return own instanceof Error && isCommandError(own) ? own.type : '';
}

/** Why the server could not be asked, in a few words. Some errors of the client have no message. */
export function reasonOf(error: unknown): string {
  const said = error instanceof Error ? error.message.trim() : `${error}`;
  // Where the client has no message, it repeats the name of the error.
  const more = /^\w*Error$/.test(said) ? '' : said.replace(/\.$/, '');
  const known = reasons[typeOf(error)];
  if (known) return more ? `${known} (${more})` : known;
  return more || 'it failed without saying why';
}

const reasons: Readonly<Record<string, string>> = {
  [ErrorType.UNAVAILABLE]: 'no node of it can be reached',
  [ErrorType.DEADLINE_EXCEEDED]: 'no answer in time',
  [ErrorType.TIMEOUT]: 'it gave up in time',
  [ErrorType.CANCELLED]: 'it cancelled the call',
  [ErrorType.ACCESS_DENIED]: 'access denied',
  [ErrorType.NOT_LEADER]: 'the node asked is not the leader',
};

/**
 * Ends what is under way, and the channel it uses, which has no public way out of the client and would stay open for half
 * an hour. Where nothing is under way, asking for the channel might make one.
 */
async function letGo(client: KurrentDBClient): Promise<void> {
  const { disposableStreams, getChannel } = client as unknown as {
    disposableStreams: Set<unknown>;
    getChannel(): Promise<{ close(): void }>;
  };
  const busy = disposableStreams.size > 0;
  await client.dispose();
  if (busy) (await getChannel()).close();
}
