import { type StreamCategory, streamCategories } from '@verbatim/protocol';
import { type Backoff, pauseAfter } from './backoff.js';
import type { Connection } from './connection.js';
import { Unanswered, VerbatimError } from './verbatim-error.js';

export interface WatchOptions {
  /** Called about once a second at most, with the kinds of streams that changed. After a lost connection that may be any. */
  onChanged(categories: readonly StreamCategory[]): unknown;
  /** The last callback: watching was refused, or the permission or the session has ended. */
  onError?(error: unknown): unknown;
}

const again: Backoff = { first: 1_000, most: 30_000 };

/** Reports changes in the service, over any number of connections. */
export class Watching {
  private connection: Connection | null = null;
  /** Whether a server has agreed before: changes between two connections were missed. */
  private agreedBefore = false;
  private over = false;
  private failures = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;

  /** @internal Made by `client.watch`; `ended` is called once. */
  constructor(
    private readonly options: WatchOptions,
    private readonly ended: () => void,
  ) {}

  /** Ends watching; no more callbacks follow. */
  close(): void {
    if (this.over) return;
    // Sent as a request, so that its answer is not mistaken for the answer to the next watcher.
    this.connection?.ask('unwatch', {}, () => undefined);
    this.finish();
  }

  /** @internal There is a new connection, on which nothing is watched yet. */
  connect(connection: Connection): void {
    this.connection = connection;
    this.ask(connection);
  }

  /** @internal */
  changed(categories: readonly StreamCategory[]): void {
    if (!this.over) this.options.onChanged(categories);
  }

  /** @internal Ends watching with an error. */
  fail(error: unknown): void {
    if (this.over) return;
    this.finish();
    this.options.onError?.(error);
  }

  private ask(connection: Connection): void {
    clearTimeout(this.retry);
    connection.ask('watch', {}, (answer) => {
      if (this.over || connection !== this.connection || answer instanceof Unanswered) return;
      if (!(answer instanceof VerbatimError)) this.agreed();
      else if (answer.retryable) this.askLater(connection);
      else this.fail(answer);
    });
  }

  private agreed(): void {
    this.failures = 0;
    if (this.agreedBefore) this.changed(streamCategories);
    this.agreedBefore = true;
  }

  private askLater(connection: Connection): void {
    this.failures += 1;
    this.retry = setTimeout(() => this.ask(connection), pauseAfter(this.failures, again));
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.retry);
    this.ended();
  }
}
