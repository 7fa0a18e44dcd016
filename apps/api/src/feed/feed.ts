import type { Recorded } from '@verbatim/domain';
import type { EventStore, Sealer, Subscription } from '@verbatim/event-store';
import type { Logger } from 'pino';
import { Gauge, type Metric } from 'prom-client';
import type { Tracing } from '../telemetry/tracing.js';
import { KeyedQueue, type KeyedQueueOptions } from './keyed-queue.js';

/**
 * Reacts to events in memory, at once. Receives each event of the log once, in order. It cannot be asynchronous: work
 * that waits for a database goes into a queue.
 */
export type Sink = (events: readonly Recorded[]) => void;

/** Restores a safe state after a sink failed with these events. */
export type Rescue = (events: readonly Recorded[]) => void;

/** Rejects functions that return a promise at compile time. */
type NotAsynchronous<Result> = [Result] extends [never]
  ? unknown
  : Result extends PromiseLike<unknown>
    ? never
    : unknown;

interface NamedSink {
  readonly name: string;
  readonly sink: Sink;
  readonly rescue: Rescue;
}

/** How far a feed queue is behind. */
export interface QueueFigures {
  readonly name: string;
  /** Items waiting or in progress. */
  readonly waiting: number;
  /** Positions between the oldest of them and the newest event of the feed. */
  readonly lag: number;
}

/**
 * The one subscription through which this process learns of events, including its own. Sinks are called in the order in
 * which they were added, and each batch goes to all of them without a pause in between. Revoked sessions and room states
 * come first, so that later sinks see states at least as new as their events.
 */
export class Feed {
  private readonly sinks: NamedSink[] = [];
  private readonly keyedQueues: Pick<KeyedQueue<unknown>, 'name' | 'size' | 'oldest' | 'stop'>[] = [];
  private subscription: Subscription | null = null;
  /** Position of the newest event that all sinks have received. */
  private newest = -1n;

  constructor(
    private readonly store: Pick<EventStore, 'subscribe'>,
    private readonly sealer: Pick<Sealer, 'open'>,
    private readonly log: Pick<Logger, 'warn' | 'error'>,
    private readonly tracing?: Pick<Tracing, 'done'>,
  ) {}

  /**
   * Call before `start`. The name is for the log. A sink that throws has a bug; the others still receive the events, and
   * its `rescue` is called with them.
   */
  add<Result>(
    name: string,
    sink: ((events: readonly Recorded[]) => Result) & NotAsynchronous<Result>,
    rescue: Rescue = nothing,
  ): void {
    this.sinks.push({ name, sink, rescue });
  }

  /** Creates a queue for work on events that needs a database. It is closed with the feed. */
  queue<T>(options: Omit<KeyedQueueOptions<T>, 'log'>): KeyedQueue<T> {
    const queue = new KeyedQueue<T>({ ...options, log: this.log });
    this.keyedQueues.push(queue);
    return queue;
  }

  async start(): Promise<void> {
    this.subscription = await this.store.subscribe('end', async (stored) => {
      const began = Date.now();
      const events = await this.sealer.open(stored);
      this.pass(events);
      this.tracing?.done('feed', events, began);
    });
  }

  get running(): boolean {
    return this.subscription !== null;
  }

  /** Position up to which every sink has received the events. Queues may still hold older ones. */
  get position(): bigint {
    return this.subscription?.position ?? -1n;
  }

  get queues(): readonly QueueFigures[] {
    return this.keyedQueues.map(({ name, size, oldest }) => ({
      name,
      waiting: size,
      lag: oldest === null ? 0 : Number(this.newest - oldest) + 1,
    }));
  }

  /** For Prometheus: how far each queue is behind, and its length. */
  get metrics(): readonly Metric[] {
    return [
      this.gauge(
        'verbatim_feed_queue_lag',
        'How far each queue of the feed is behind it, in positions.',
        ({ lag }) => lag,
      ),
      this.gauge('verbatim_feed_queue_waiting', 'Items waiting in each queue of the feed.', ({ waiting }) => waiting),
    ];
  }

  private gauge(name: string, help: string, read: (figures: QueueFigures) => number): Metric {
    const figures = () => this.queues;
    return new Gauge({
      name,
      help,
      labelNames: ['queue'],
      registers: [],
      collect() {
        for (const queue of figures()) this.set({ queue: queue.name }, read(queue));
      },
    });
  }

  async stop(): Promise<void> {
    for (const queue of this.keyedQueues) queue.stop();
    await this.subscription?.stop();
    this.subscription = null;
  }

  private pass(events: readonly Recorded[]): void {
    this.newest = events.at(-1)?.position ?? this.newest;
    for (const { name, sink, rescue } of this.sinks) {
      try {
        sink(events);
      } catch (error) {
        this.log.error({ err: error, sink: name }, 'a feed sink failed');
        this.rescue(name, rescue, events);
      }
    }
  }

  private rescue(name: string, rescue: Rescue, events: readonly Recorded[]): void {
    try {
      rescue(events);
    } catch (error) {
      this.log.error(
        { err: error, sink: name },
        'a feed sink failed, and so did restoring a safe state; restart this process',
      );
    }
  }
}

const nothing = (): void => undefined;

/** Splits events into runs of the same stream, keeping their order. */
export function* byStream(events: readonly Recorded[]): IterableIterator<[string, Recorded[]]> {
  const runs = new Map<string, Recorded[]>();
  for (const event of events) {
    const run = runs.get(event.stream);
    if (run) run.push(event);
    else runs.set(event.stream, [event]);
  }
  yield* runs;
}
