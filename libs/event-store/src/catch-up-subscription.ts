import { type EventHandler, StoreClosed, type StoredEvent, type Subscription } from './event-store.js';
import type { TroubleLog } from './trouble-log.js';
import { pauseBeforeRetry } from './waiting.js';

/** The log as a subscription sees it. */
export interface CatchUpSource {
  /**
   * The events that follow position `after`, in order, at most `limit`. Where the event at `after` is known, it is given as
   * `last`; rejects with EventsMissing when it is not there any more.
   */
  readAfter(after: bigint, limit: number, last: StoredEvent | undefined): Promise<StoredEvent[]>;
  /** Milliseconds after which to look for events without having been woken; never if absent. */
  readonly pollEvery?: number;
  readonly log: TroubleLog;
}

/** Events in one call of a handler. */
const batchLimit = 500;

/** What may wait in memory for a slow handler; past it, the events are read from the log again. */
export const liveLimits = { events: 2_000, characters: 8_388_608 } as const;

/**
 * A subscription for any store that can be read by position.
 *
 * Reading is what makes it complete and ordered: it always asks for what follows the last event it took. Events that the
 * store has just committed may be offered as well, to spare the reading. They are used only where they continue exactly
 * what was taken, so an offer that comes twice, late, or with something missing before it is no more than a reason to
 * read.
 *
 * Each read also makes sure that the log still has the last event taken. A log that was put back to an earlier state and has
 * grown again is so never taken for the one before: the subscription stands still at what is missing.
 */
export class CatchUpSubscription implements Subscription {
  position: bigint;
  /** Position of the last event taken out for the handler. */
  private taken: bigint;
  /** The event at this position, if one was taken. */
  private last: StoredEvent | undefined;
  /** What is offered is not used before the log was read again. */
  private doubtful = false;
  /** The highest position heard of. */
  private known: bigint;
  /** Whether the log may hold events that are neither taken nor in `live`. */
  private behind = true;
  /** The newest of the events offered, none missing between them, and the position that the first of them follows. */
  private live: StoredEvent[] = [];
  private liveAfter: bigint;
  private liveCharacters = 0;

  private readonly stopping = new AbortController();
  private delivery: Promise<void> = Promise.resolve();
  private ring = () => {};
  private waiters: { position: bigint; resolve: () => void; reject: (reason: Error) => void }[] = [];

  constructor(
    private readonly source: CatchUpSource,
    after: bigint,
    private readonly handler: EventHandler,
    private readonly stopped: () => void,
  ) {
    this.position = this.taken = this.known = this.liveAfter = after;
    void this.run();
  }

  /** Tells that the log may have grown, up to `position` if that is known. */
  wake(position?: bigint): void {
    if (position !== undefined && position <= this.known) return;
    this.behind = true;
    this.ring();
  }

  /** Tells that the connection to the log was lost: it may not be the same log any more. */
  doubt(): void {
    this.doubtful = true;
    this.wake();
  }

  /** Hands over events just committed: those that follow position `after` in the log, none missing between them. */
  offer(events: readonly StoredEvent[], after: bigint): void {
    const last = events.at(-1);
    if (!last || last.position <= this.known) return;
    if (after !== this.known) this.dropLive();
    if (this.live.length === 0) this.liveAfter = after;
    for (const event of events) {
      this.live.push(event);
      this.liveCharacters += event.sealed.length;
    }
    this.known = last.position;
    if (this.live.length > liveLimits.events || this.liveCharacters > liveLimits.characters) this.dropLive();
    this.ring();
  }

  reached(position: bigint): Promise<void> {
    if (this.position >= position) return Promise.resolve();
    if (this.stopping.signal.aborted) return Promise.reject(new StoreClosed());
    return new Promise((resolve, reject) => this.waiters.push({ position, resolve, reject }));
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.stopped();
    this.ring();
    for (const waiter of this.waiters.splice(0)) waiter.reject(new StoreClosed());
    await this.delivery;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const events = await this.next();
        failures = 0;
        if (events.length === 0 || signal.aborted) continue;
        this.delivery = this.deliver(events);
        await this.delivery;
      } catch (error) {
        if (signal.aborted) return;
        this.behind = true;
        this.doubtful = true;
        this.source.log.warn({ err: error, failures }, 'A subscription could not read the log and tries again.');
        await pauseBeforeRetry(failures++, signal);
      }
    }
  }

  /** The events that follow those taken. Waits when there are none, and may still return none when woken for nothing. */
  private async next(): Promise<StoredEvent[]> {
    if (!this.behind && this.live.length === 0) await this.woken();
    const offered = this.doubtful ? undefined : this.takeLive();
    const events = offered ?? (await this.read());
    this.last = events.at(-1) ?? this.last;
    this.taken = this.last?.position ?? this.taken;
    if (this.known < this.taken) this.known = this.taken;
    return events;
  }

  /** Events offered, if the next one is among them. */
  private takeLive(): StoredEvent[] | undefined {
    const alreadyRead = this.live.findIndex((event) => event.position > this.taken);
    this.removeLive(alreadyRead < 0 ? this.live.length : alreadyRead);
    return this.live.length > 0 && this.liveAfter <= this.taken ? this.removeLive(batchLimit) : undefined;
  }

  private async read(): Promise<StoredEvent[]> {
    this.behind = false;
    this.doubtful = false;
    const events = await this.source.readAfter(this.taken, batchLimit, this.last);
    if (events.length === batchLimit) this.behind = true;
    return events;
  }

  private removeLive(count: number): StoredEvent[] {
    const removed = this.live.splice(0, count);
    for (const event of removed) this.liveCharacters -= event.sealed.length;
    this.liveAfter = removed.at(-1)?.position ?? this.liveAfter;
    return removed;
  }

  private dropLive(): void {
    this.live = [];
    this.liveCharacters = 0;
    this.behind = true;
  }

  private woken(): Promise<void> {
    return new Promise((resolve) => {
      const { pollEvery } = this.source;
      const timer = pollEvery === undefined ? undefined : setTimeout(() => this.wake(), pollEvery);
      this.ring = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.stopping.signal.aborted) this.ring();
    });
  }

  /** Gives the events to the handler until it has taken them, with growing pauses. */
  private async deliver(events: readonly StoredEvent[]): Promise<void> {
    const { signal } = this.stopping;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await this.handler(events);
        this.position = this.taken;
        this.releaseWaiters();
        return;
      } catch (error) {
        const first = events[0];
        this.source.log.warn(
          { err: error, failures, position: first?.position },
          'A handler failed; it gets the same events again.',
        );
        await pauseBeforeRetry(failures, signal);
      }
    }
  }

  private releaseWaiters(): void {
    const waiting = this.waiters;
    this.waiters = [];
    for (const waiter of waiting) {
      if (waiter.position <= this.position) waiter.resolve();
      else this.waiters.push(waiter);
    }
  }
}
