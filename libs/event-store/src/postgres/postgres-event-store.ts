import { checkAppend } from '../append-limits.js';
import {
  type Append,
  type Appended,
  appendLimits,
  type EventHandler,
  type EventStore,
  type NewEvent,
  RevisionConflict,
  StoreClosed,
  type StoredEvent,
  type Subscription,
} from '../event-store.js';
import { Subscriptions } from '../subscriptions.js';
import { silent, type TroubleLog } from '../trouble-log.js';
import { atMost, insist } from '../waiting.js';
import { CommitNews } from './commit-news.js';
import { DatabaseClient } from './database-client.js';
import { GroupCommit } from './group-commit.js';
import { prepareDatabase } from './log-schema.js';

export { UnsafeDatabase } from './log-schema.js';

export interface PostgresOptions {
  readonly url: string;
  /** The way around a transaction pooler, if `url` leads through one. */
  readonly directUrl?: string;
  readonly log?: TroubleLog;
  /** Called whenever a connection that was lost is made anew. */
  readonly onReconnect?: () => void;
}

/** All in milliseconds. */
const times = { appendAnswer: 5_000, readAnswer: 20_000, poll: 1_000, closing: 9_000 } as const;

/**
 * The log in a PostgreSQL, shared by any number of processes. Appends go through GroupCommit; subscriptions read the
 * table, are handed what this very store commits, and hear from CommitNews what others do.
 */
export class PostgresEventStore implements EventStore {
  private readonly writes: DatabaseClient;
  private readonly reads: DatabaseClient;
  private readonly commits: GroupCommit;
  private readonly news: CommitNews;
  private readonly subscriptions: Subscriptions;
  private readonly aborted = new AbortController();
  private closing: Promise<void> | undefined;

  /** Rejects with UnsafeDatabase, or with the error of postgres.js when the database cannot be reached. */
  static async open({ url, directUrl = url, log = silent, onReconnect }: PostgresOptions): Promise<PostgresEventStore> {
    await prepareDatabase(directUrl);
    return new PostgresEventStore(url, directUrl, log, onReconnect);
  }

  private constructor(
    url: string,
    directUrl: string,
    private readonly log: TroubleLog,
    onReconnect?: () => void,
  ) {
    this.writes = new DatabaseClient(url, { connections: 1, patience: times.appendAnswer, onReconnect });
    this.reads = new DatabaseClient(url, { connections: 4, patience: times.readAnswer, onReconnect });
    this.news = new CommitNews(this.reads, directUrl, log, onReconnect);
    this.subscriptions = new Subscriptions({
      readAfter: (after, limit) => this.readAll(after + 1n, limit),
      pollEvery: times.poll,
      log,
    });
    this.commits = new GroupCommit(this.writes, log, (events) => this.tell(events));
  }

  async append(stream: string, expectedRevision: bigint, events: readonly NewEvent[]): Promise<Appended> {
    if (this.closing) throw new StoreClosed();
    const bytes = checkAppend(expectedRevision, events);
    const places = await this.commits.append({ stream, expectedRevision, events, bytes });
    return places ?? this.conflict(stream, expectedRevision);
  }

  /**
   * Several appends in one commit, next to each other in the order given; for copying a log, whose order is kept that way.
   * At most one of each stream, within `appendLimits` together, and nothing else may be appended meanwhile.
   */
  async appendInOrder(appends: readonly Append[]): Promise<void> {
    await Promise.all(
      appends.map(({ stream, expectedRevision, events }) => this.append(stream, expectedRevision, events)),
    );
  }

  async read(stream: string, from: bigint, limit: number, maxBytes?: number): Promise<StoredEvent[]> {
    if (maxBytes !== undefined) return this.readBytes(stream, from, limit, maxBytes);
    return this.reads.ask(
      (sql) => sql<StoredEvent[]>`
        select stream, revision, position, id, type, hash, sealed from log.events
         where stream = ${stream} and revision >= ${from} order by revision limit ${limit}`,
    );
  }

  /** The database measures the texts without unpacking them (`octet_length`), so only those that are sent are read. */
  private readBytes(stream: string, from: bigint, limit: number, maxBytes: number): Promise<StoredEvent[]> {
    return this.reads.ask(
      (sql) => sql<StoredEvent[]>`
        select stream, revision, position, id, type, hash, sealed
        from (
          select *, sum(octet_length(sealed)) over (order by revision rows unbounded preceding) as bytes
          from (
            select * from log.events where stream = ${stream} and revision >= ${from} order by revision limit ${limit}
          ) as wanted
        ) as measured
        where bytes - octet_length(sealed) < ${maxBytes} order by revision`,
    );
  }

  async readLast(stream: string): Promise<StoredEvent | null> {
    const [last] = await this.reads.ask(
      (sql) => sql<StoredEvent[]>`
        select stream, revision, position, id, type, hash, sealed from log.events
         where stream = ${stream} order by revision desc limit 1`,
    );
    return last ?? null;
  }

  async readAll(from: bigint, limit: number): Promise<StoredEvent[]> {
    return this.reads.ask(
      (sql) => sql<StoredEvent[]>`
        select stream, revision, position, id, type, hash, sealed from log.events
         where position >= ${from} order by position limit ${limit}`,
    );
  }

  async head(): Promise<bigint> {
    const [row] = await this.reads.ask(
      (sql) => sql<{ head: bigint | null }[]>`select max(position) as head from log.events`,
    );
    return row?.head ?? -1n;
  }

  async subscribe(after: bigint | 'end', handler: EventHandler): Promise<Subscription> {
    const start = after === 'end' ? await this.insist(() => this.head()) : after;
    const subscription = this.subscriptions.start(start, handler);
    this.news.listen((position) => this.subscriptions.wake(position));
    return subscription;
  }

  /** Takes 10 s at most: nine for appends and handlers, one for connections. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    await Promise.all([this.commits.close(times.closing), atMost(times.closing, this.subscriptions.close())]);
    this.aborted.abort();
    await Promise.all([this.news.close(), this.writes.close(), this.reads.close()]);
  }

  private tell(events: readonly StoredEvent[]): void {
    const [first, last] = [events[0], events.at(-1)];
    if (!first || !last) return;
    // Positions have no gaps here.
    this.subscriptions.offer(events, first.position - 1n);
    this.news.announce(last.position);
  }

  private async conflict(stream: string, expectedRevision: bigint): Promise<never> {
    const tail = await this.insist(() => this.read(stream, expectedRevision + 1n, appendLimits.events));
    throw new RevisionConflict(stream, expectedRevision, tail);
  }

  private insist<T>(question: () => Promise<T>): Promise<T> {
    return insist(question, this.log, this.aborted.signal);
  }
}
