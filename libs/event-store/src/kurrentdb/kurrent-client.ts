import { ErrorType, isCommandError, KurrentDBClient } from '@kurrent/kurrentdb-client';
import { StoreClosed, StoreSilent } from '../event-store.js';

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
    private readonly url: string,
    private readonly patience: number,
    private readonly onReconnect?: () => void,
  ) {}

  async ask<T>(question: (client: KurrentDBClient) => Promise<T>): Promise<T> {
    if (this.closed) throw new StoreClosed();
    this.current ??= this.connect();
    const asked = this.current;
    try {
      return await this.inTime(question(asked));
    } catch (error) {
      if (!isAnswer(error) && this.current === asked) this.discard();
      throw this.closed ? new StoreClosed() : error;
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
    return KurrentDBClient.connectionString(this.url);
  }

  /** The answer, which may never come by itself, or an error. */
  private inTime<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const over = () => {
        clearTimeout(timer);
        this.waiting.delete(giveUp);
      };
      const giveUp = (reason: unknown) => {
        over();
        reject(reason);
      };
      const timer = setTimeout(() => giveUp(new StoreSilent(this.patience)), this.patience);
      this.waiting.add(giveUp);
      answer.then((value) => {
        over();
        resolve(value);
      }, giveUp);
    });
  }

  private discard(): void {
    const discarded = this.current;
    this.current = undefined;
    if (discarded) void letGo(discarded).catch(() => {});
  }
}

/** Errors with which a server that is well, and within reach, has answered. */
const answers: ReadonlySet<string> = new Set([
  ErrorType.WRONG_EXPECTED_VERSION,
  ErrorType.STREAM_NOT_FOUND,
  ErrorType.STREAM_DELETED,
  ErrorType.STREAM_TOMBSTONED,
  ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED,
  ErrorType.APPEND_RECORD_SIZE_EXCEEDED,
  ErrorType.INVALID_ARGUMENT,
  ErrorType.ACCESS_DENIED,
  // The client goes to the leader by itself.
  ErrorType.NOT_LEADER,
]);

const isAnswer = (error: unknown): boolean => answers.has(typeOf(error));

/** The kind of an error of the client, or '' for any other error. */
export const typeOf = (error: unknown): string => (error instanceof Error && isCommandError(error) ? error.type : '');

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
