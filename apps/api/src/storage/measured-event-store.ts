import {
  type Appended,
  type EventHandler,
  type EventStore,
  type EventStoreOptions,
  type NewEvent,
  openEventStore,
  peek,
  type StoredEvent,
  type Subscription,
} from '@verbatim/event-store';
import { Counter, Gauge, Histogram, type Metric } from 'prom-client';

/** Seconds: from a local disk to a remote store under heavy load. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Milliseconds to wait for the position of the store while metrics are read. */
const PATIENCE_MS = 2_000;

/**
 * Times the calls of an event store, under the same metric names for every store. The overhead is per call and does
 * not grow with the number of events.
 */
export class MeasuredEventStore implements EventStore {
  private readonly appends = new Histogram({
    name: 'verbatim_store_append_seconds',
    help: 'Time the event store takes to respond to an append, conflicts included.',
    buckets,
    registers: [],
  });
  private readonly reads = new Histogram({
    name: 'verbatim_store_read_seconds',
    help: 'Time the event store takes to respond to a read of events.',
    buckets,
    registers: [],
  });
  private readonly lag: Gauge;
  private readonly subscriptions = new Set<Subscription>();

  /** Opens the log at a URL; rejects like `openEventStore`. */
  static async open(options: EventStoreOptions): Promise<MeasuredEventStore> {
    const reconnects = new Counter({
      name: 'verbatim_store_reconnects_total',
      help: 'Reconnects to the event store after lost connections.',
      registers: [],
    });
    const store = await openEventStore({ ...options, onReconnect: () => reconnects.inc() });
    return new MeasuredEventStore(store, reconnects);
  }

  private constructor(
    private readonly store: EventStore,
    private readonly reconnects: Counter,
  ) {
    const lagNow = () => this.lagNow();
    this.lag = new Gauge({
      name: 'verbatim_store_subscription_lag_seconds',
      help: 'Age of the oldest event that a subscription of this process has not received yet; 0 when there is none.',
      registers: [],
      async collect() {
        this.set(await lagNow());
      },
    });
  }

  /** The metrics, for a registry. */
  get metrics(): readonly Metric[] {
    return [this.appends, this.reads, this.lag, this.reconnects];
  }

  append(stream: string, expectedRevision: bigint, events: readonly NewEvent[]): Promise<Appended> {
    return timed(this.appends, this.store.append(stream, expectedRevision, events));
  }

  read(stream: string, from: bigint, limit: number, maxBytes?: number): Promise<StoredEvent[]> {
    return timed(this.reads, this.store.read(stream, from, limit, maxBytes));
  }

  readLast(stream: string): Promise<StoredEvent | null> {
    return timed(this.reads, this.store.readLast(stream));
  }

  readAll(from: bigint, limit: number): Promise<StoredEvent[]> {
    return timed(this.reads, this.store.readAll(from, limit));
  }

  last(): Promise<StoredEvent | null> {
    return this.store.last();
  }

  head(): Promise<bigint> {
    return this.store.head();
  }

  async subscribe(after: bigint | 'end', handler: EventHandler): Promise<Subscription> {
    const subscription = await this.store.subscribe(after, handler);
    const stop = () => {
      this.subscriptions.delete(measured);
      return subscription.stop();
    };
    const measured: Subscription = {
      get position() {
        return subscription.position;
      },
      reached: (position) => subscription.reached(position),
      stop,
    };
    this.subscriptions.add(measured);
    return measured;
  }

  close(): Promise<void> {
    return this.store.close();
  }

  /** Lag of the subscription that is furthest behind; NaN when the store does not respond. */
  private async lagNow(): Promise<number> {
    const places = [...this.subscriptions].map(({ position }) => position);
    const furthestBehind = places.reduce((one, other) => (one < other ? one : other), places[0] ?? -1n);
    const unknown = new Promise<number>((resolve) => setTimeout(resolve, PATIENCE_MS, Number.NaN).unref());
    return Promise.race([this.ageAfter(furthestBehind), unknown]).catch(() => Number.NaN);
  }

  /** Seconds since the event after this position was recorded; 0 when there is none. */
  private async ageAfter(position: bigint): Promise<number> {
    if (this.subscriptions.size === 0) return 0;
    const [next] = await this.store.readAll(position + 1n, 1);
    return next ? Math.max(0, (Date.now() - Date.parse(peek(next.sealed).at)) / 1_000) : 0;
  }
}

/** Failed calls are counted too, with the time until they failed. */
function timed<T>(histogram: Histogram, answer: Promise<T>): Promise<T> {
  const begun = performance.now();
  const observe = () => histogram.observe((performance.now() - begun) / 1_000);
  answer.then(observe, observe);
  return answer;
}
