import postgres from 'postgres';
import { checkAppend } from '../append-limits.js';
import {
  type Append,
  type Appended,
  appendLimits,
  type EventHandler,
  type EventStore,
  EventsMissing,
  type NewEvent,
  RevisionConflict,
  StoreClosed,
  type StoredEvent,
  StoreUnavailable,
  type Subscription,
} from '../event-store.js';
import { outageOf } from '../outage.js';
import { Subscriptions } from '../subscriptions.js';
import { silent, type TroubleLog } from '../trouble-log.js';
import { atMost, insist } from '../waiting.js';
import { CommitNews } from './commit-news.js';
import { DatabaseClient, refusesData, type Sql } from './database-client.js';
import { GroupCommit } from './group-commit.js';
import { prepareDatabase } from './log-schema.js';

export { UnsafeDatabase } from './log-schema.js';

export interface PostgresOptions {
  readonly url: string;
  /** The way around a transaction pooler, if `url` leads through one. */
  readonly directUrl?: string;
  readonly log?: TroubleLog;
  /** Called whenever a lost connection has been replaced. */
  readonly onReconnect?: () => void;
}

/** All in milliseconds. */
const times = { appendAnswer: 5_000, readAnswer: 2_000, bulkAnswer: 20_000, poll: 1_000, closing: 9_000 } as const;

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

  /** Rejects with UnsafeDatabase, or with StoreUnavailable when the database cannot be reached or does not let us in. */
  static async open({ url, directUrl = url, log = silent, onReconnect }: PostgresOptions): Promise<PostgresEventStore> {
    await prepareDatabase(directUrl).catch(asUnavailable);
    return new PostgresEventStore(url, directUrl, log, onReconnect);
  }

  private constructor(
    url: string,
    directUrl: string,
    private readonly log: TroubleLog,
    onReconnect?: () => void,
  ) {
    const common = { pooled: url !== directUrl, onReconnect };
    this.writes = new DatabaseClient(url, { connections: 1, patience: times.appendAnswer, ...common });
    this.reads = new DatabaseClient(url, { connections: 4, patience: times.bulkAnswer, ...common });
    this.news = new CommitNews(this.reads, directUrl, log, onReconnect);
    this.subscriptions = new Subscriptions({
      readAfter: (after, limit, last) => this.readAfter(after, limit, last),
      pollEvery: times.poll,
      log,
    });
    this.commits = new GroupCommit(this.writes, log, (events) => this.deliver(events));
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
    return this.ask(
      (sql) => sql<StoredEvent[]>`
        select stream, revision, position, id, type, hash, sealed from log.events
         where stream = ${stream} and revision >= ${from} order by revision limit ${limit}`,
    );
  }

  /** The database measures the texts without unpacking them (`octet_length`), so only those that are sent are read. */
  private readBytes(stream: string, from: bigint, limit: number, maxBytes: number): Promise<StoredEvent[]> {
    return this.ask(
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
    const [last] = await this.ask(
      (sql) => sql<StoredEvent[]>`
        select stream, revision, position, id, type, hash, sealed from log.events
         where stream = ${stream} order by revision desc limit 1`,
    );
    return last ?? null;
  }

  async readAll(from: bigint, limit: number): Promise<StoredEvent[]> {
    return this.ask(
      (sql) => sql<StoredEvent[]>`
        select stream, revision, position, id, type, hash, sealed from log.events
         where position >= ${from} order by position limit ${limit}`,
      times.bulkAnswer,
    );
  }

  async last(): Promise<StoredEvent | null> {
    const [last] = await this.ask(
      (sql) => sql<StoredEvent[]>`
        select stream, revision, position, id, type, hash, sealed from log.events order by position desc limit 1`,
    );
    return last ?? null;
  }

  async head(): Promise<bigint> {
    const [row] = await this.ask((sql) => sql<{ head: bigint | null }[]>`select max(position) as head from log.events`);
    return row?.head ?? -1n;
  }

  async subscribe(after: bigint | 'end', handler: EventHandler): Promise<Subscription> {
    const start = after === 'end' ? await this.insist(() => this.head()) : after;
    const subscription = this.subscriptions.start(start, handler);
    this.news.listen((position) =>
      position === undefined ? this.subscriptions.doubt() : this.subscriptions.wake(position),
    );
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

  /** See CatchUpSource.readAfter. */
  private async readAfter(after: bigint, limit: number, last: StoredEvent | undefined): Promise<StoredEvent[]> {
    if (!last) return this.readAll(after + 1n, limit);
    const [first, ...events] = await this.readAll(after, limit + 1);
    if (first?.id !== last.id) throw new EventsMissing(last.stream);
    return events;
  }

  private deliver(events: readonly StoredEvent[]): void {
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

  private ask<T>(question: (sql: Sql) => Promise<T>, patience: number = times.readAnswer): Promise<T> {
    return this.reads.ask(question, patience).catch(asUnavailable);
  }

  private insist<T>(question: () => Promise<T>): Promise<T> {
    return insist(question, this.log, this.aborted.signal);
  }
}

/** A log that PostgreSQL does not let be read, such as one that is just being restored, may be there later. */
function asUnavailable(error: unknown): never {
  if (error instanceof StoreClosed || refusesData(error)) throw error;
  const refused = error instanceof postgres.PostgresError ? error.message : null;
  const reason = outageOf(error)?.reason ?? refused;
  throw reason === null ? error : new StoreUnavailable(reason, { cause: error });
}
