import { checkAppend } from '../append-limits.js';
import {
  type Appended,
  type EventHandler,
  type EventStore,
  type NewEvent,
  StoreClosed,
  type StoredEvent,
  type Subscription,
} from '../event-store.js';
import { Subscriptions } from '../subscriptions.js';
import { silent, type TroubleLog } from '../trouble-log.js';
import { atMost, insist } from '../waiting.js';
import { type Connection, readConnection, refuseUnsafe } from './connection-string.js';
import { KurrentClient } from './kurrent-client.js';
import { LiveFeed } from './live-feed.js';
import { LogReader } from './log-reader.js';
import { SteadyAppends } from './steady-appends.js';
import { StreamNames } from './stream-names.js';

export interface KurrentOptions {
  /** `kurrentdb://` or `kurrentdb+discover://`, with TLS and credentials as the client of KurrentDB understands them. */
  readonly url: string;
  readonly log?: TroubleLog;
  /** Called whenever a lost connection has been replaced. */
  readonly onReconnect?: () => void;
  /** Put before the names of all streams, so that several logs can share a server. Default: nothing. */
  readonly prefix?: string;
  /** Milliseconds after which an append that has no answer counts as lost, and is made again. */
  readonly appendAnswer?: number;
}

/** All in milliseconds. */
const times = {
  opening: 10_000,
  appendAnswer: 5_000,
  readAnswer: 2_000,
  confirmation: 5_000,
  poll: 5_000,
  closing: 9_000,
} as const;

/**
 * The log in a KurrentDB, shared by any number of processes. A position is the one of KurrentDB, which counts bytes and
 * has other events between ours. Subscriptions read the log by position, and are handed what the one LiveFeed hears.
 */
export class KurrentEventStore implements EventStore {
  private readonly writes: KurrentClient;
  private readonly reads: KurrentClient;
  private readonly reader: LogReader;
  private readonly appends: SteadyAppends;
  private readonly subscriptions: Subscriptions;
  private readonly aborted = new AbortController();
  private feed: LiveFeed | undefined;
  private closing: Promise<void> | undefined;

  /** Rejects with UnsafeConnection, or with StoreUnavailable when the server cannot be reached or does not let us in. */
  static async open({
    url,
    log = silent,
    onReconnect,
    prefix = '',
    appendAnswer = times.appendAnswer,
  }: KurrentOptions): Promise<KurrentEventStore> {
    refuseUnsafe(url);
    const store = new KurrentEventStore(readConnection(url), new StreamNames(prefix), appendAnswer, log, onReconnect);
    try {
      // The first read on a new client takes half a second.
      await store.reader.head(times.opening);
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  private constructor(
    private readonly connection: Connection,
    private readonly names: StreamNames,
    appendAnswer: number,
    private readonly log: TroubleLog,
    private readonly onReconnect?: () => void,
  ) {
    this.writes = new KurrentClient(connection, appendAnswer, onReconnect);
    this.reads = new KurrentClient(connection, times.readAnswer, onReconnect);
    this.reader = new LogReader(this.reads, names);
    this.appends = new SteadyAppends(this.writes, this.reader, names, log);
    this.subscriptions = new Subscriptions({
      readAfter: (after, limit, last) => this.reader.readAfter(after, limit, last),
      pollEvery: times.poll,
      log,
    });
  }

  async append(stream: string, expectedRevision: bigint, events: readonly NewEvent[]): Promise<Appended> {
    if (this.closing) throw new StoreClosed();
    checkAppend(expectedRevision, events);
    return this.appends.append({ stream, expectedRevision, events });
  }

  read(stream: string, from: bigint, limit: number, maxBytes?: number): Promise<StoredEvent[]> {
    return this.reader.read(stream, from, limit, maxBytes);
  }

  readLast(stream: string): Promise<StoredEvent | null> {
    return this.reader.readLast(stream);
  }

  readAll(from: bigint, limit: number): Promise<StoredEvent[]> {
    return this.reader.readFrom(from, limit);
  }

  last(): Promise<StoredEvent | null> {
    return this.reader.last();
  }

  head(): Promise<bigint> {
    return this.reader.head();
  }

  async subscribe(after: bigint | 'end', handler: EventHandler): Promise<Subscription> {
    const head = await insist(() => this.head(), this.log, this.aborted.signal);
    const subscription = this.subscriptions.start(after === 'end' ? head : after, handler);
    this.feed ??= this.listen(head);
    return subscription;
  }

  /** Takes 10 s at most: nine for appends and handlers, one for connections. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private listen(after: bigint): LiveFeed {
    const client = new KurrentClient(this.connection, times.confirmation);
    const deliver = (events: readonly StoredEvent[], from: bigint) => this.subscriptions.offer(events, from);
    const resumed = () => {
      this.onReconnect?.();
      this.subscriptions.doubt();
    };
    const feed = new LiveFeed(client, this.names, after, deliver, this.log, resumed);
    feed.listen();
    return feed;
  }

  private async shutDown(): Promise<void> {
    await Promise.all([this.appends.close(times.closing), atMost(times.closing, this.subscriptions.close())]);
    this.aborted.abort();
    this.feed?.close();
    this.writes.close();
    this.reads.close();
  }
}
