import { pauseBeforeRetry } from '@verbatim/event-store';
import type { Logger } from 'pino';

/** Why items will not be handled: too many were waiting, or all attempts failed. */
export type GaveUp = 'full' | 'failed';

export interface KeyedQueueOptions<T> {
  /** For log and metrics. */
  readonly name: string;
  /** Maximum number of items waiting or in progress, over all keys. */
  readonly capacity: number;
  /** Keys handled concurrently. */
  readonly atOnce: number;
  /** Consecutive failures after which the items of a key are dropped; Infinity: never. */
  readonly attempts: number;
  /** Handles items of one key in order. If it rejects, it is called again with the same items after a growing pause. */
  readonly handle: (key: string, items: readonly T[]) => Promise<void>;
  /** Called with items that will not be handled. Must leave a safe state without them. */
  readonly giveUp: (key: string, items: readonly T[], why: GaveUp) => void;
  readonly log: Pick<Logger, 'warn' | 'error'>;
}

interface Lane<T> {
  readonly key: string;
  waiting: { readonly item: T; readonly position: bigint }[];
  /** Position of the first item in progress; null if there is none. */
  inWork: bigint | null;
}

/**
 * Work that may have to wait for a database, unlike the feed itself. The items of one key (a room, an account) are
 * handled in order and one batch at a time; different keys do not wait for each other.
 */
export class KeyedQueue<T> {
  private readonly lanes = new Map<string, Lane<T>>();
  /** Lanes that no worker has picked up yet. */
  private ready: Lane<T>[] = [];
  private working = 0;
  private items = 0;
  private readonly stopping = new AbortController();

  constructor(private readonly options: KeyedQueueOptions<T>) {}

  get name(): string {
    return this.options.name;
  }

  /** Items waiting or in progress. */
  get size(): number {
    return this.items;
  }

  /** Position of the oldest unhandled event, or null. */
  get oldest(): bigint | null {
    let oldest: bigint | null = null;
    for (const { inWork, waiting } of this.lanes.values()) {
      const first = inWork ?? waiting[0]?.position ?? null;
      if (first !== null && (oldest === null || first < oldest)) oldest = first;
    }
    return oldest;
  }

  /**
   * Whether items of this key are waiting or in progress. If so, everything that must come after them has to be queued as
   * well.
   */
  has(key: string): boolean {
    return this.lanes.has(key);
  }

  /** `position`: of the event that the item is about. */
  enqueue(key: string, item: T, position: bigint): void {
    if (this.stopping.signal.aborted) return;
    const lane = this.lanes.get(key) ?? this.openLane(key);
    lane.waiting.push({ item, position });
    this.items += 1;
    if (this.items > this.options.capacity) this.dropWaiting(lane);
    this.startWork();
  }

  /** Handles nothing more, except what is in progress. */
  stop(): void {
    this.stopping.abort();
  }

  private openLane(key: string): Lane<T> {
    const lane: Lane<T> = { key, waiting: [], inWork: null };
    this.lanes.set(key, lane);
    this.ready.push(lane);
    return lane;
  }

  private dropWaiting(lane: Lane<T>): void {
    const dropped = lane.waiting.map(({ item }) => item);
    lane.waiting = [];
    this.items -= dropped.length;
    this.options.log.warn(
      { queue: this.name, key: lane.key, items: dropped.length },
      'a feed queue is full; its waiting items were dropped',
    );
    this.giveUp(lane.key, dropped, 'full');
  }

  private startWork(): void {
    while (this.working < this.options.atOnce) {
      const lane = this.ready.shift();
      if (!lane) return;
      this.working += 1;
      void this.work(lane);
    }
  }

  private async work(lane: Lane<T>): Promise<void> {
    while (lane.waiting.length > 0 && !this.stopping.signal.aborted) {
      const batch = lane.waiting;
      lane.waiting = [];
      lane.inWork = batch[0]?.position ?? null;
      await this.handle(
        lane.key,
        batch.map(({ item }) => item),
      );
      lane.inWork = null;
      this.items -= batch.length;
    }
    this.lanes.delete(lane.key);
    this.working -= 1;
    this.startWork();
  }

  private async handle(key: string, items: readonly T[]): Promise<void> {
    const { handle, attempts, log } = this.options;
    const { signal } = this.stopping;
    for (let failures = 0; !signal.aborted; ) {
      try {
        return await handle(key, items);
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ err: error, queue: this.name, key, failures }, 'work on a feed queue failed; retrying');
        await pauseBeforeRetry(failures++, signal);
        if (failures >= attempts) return this.giveUp(key, items, 'failed');
      }
    }
  }

  private giveUp(key: string, items: readonly T[], why: GaveUp): void {
    try {
      this.options.giveUp(key, items, why);
    } catch (error) {
      this.options.log.error({ err: error, queue: this.name, key }, 'dropping items of a feed queue failed');
    }
  }
}
