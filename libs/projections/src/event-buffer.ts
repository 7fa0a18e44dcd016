import type { StoredEvent } from '@verbatim/event-store';

/** Characters of sealed text in a batch, so that very long messages do not make a very large transaction. */
const BATCH_CHARACTERS = 8_388_608;

/**
 * Collects what a subscription delivers into batches. A batch is ready when its first event has waited `delayMs`, when
 * there are `maxBatch` events or enough characters, or when somebody is in a hurry. A full buffer lets the subscription wait.
 */
export class EventBuffer {
  #events: StoredEvent[] = [];
  #characters = 0;
  #firstAt = 0;
  #hurriedTo = -1n;
  #closed = false;
  readonly #change = new Wake();

  constructor(
    private readonly delayMs: number,
    private readonly maxBatch: number,
  ) {}

  /** Takes events in; resolves when there is space for more. */
  async put(events: readonly StoredEvent[]): Promise<void> {
    if (this.#events.length === 0) this.#firstAt = performance.now();
    for (const event of events) {
      this.#events.push(event);
      this.#characters += event.sealed.length;
    }
    this.#change.all();
    while (this.#full && !this.#closed) await this.#change.next();
  }

  /** The next batch, or null once closed. */
  async nextBatch(): Promise<StoredEvent[] | null> {
    while (!this.#closed) {
      const wait = this.#waitMs();
      if (wait <= 0) return this.#cut();
      await this.#change.next(wait);
    }
    return null;
  }

  /** Somebody waits for the events up to `position`: batches that begin with one of them are ready at once. */
  hurryTo(position: bigint): void {
    if (position <= this.#hurriedTo) return;
    this.#hurriedTo = position;
    this.#change.all();
  }

  close(): void {
    this.#closed = true;
    this.#change.all();
  }

  get #full(): boolean {
    return this.#events.length >= this.maxBatch || this.#characters >= BATCH_CHARACTERS;
  }

  #waitMs(): number {
    const first = this.#events[0];
    if (!first) return Number.POSITIVE_INFINITY;
    if (this.#full || first.position <= this.#hurriedTo) return 0;
    return this.#firstAt + this.delayMs - performance.now();
  }

  #cut(): StoredEvent[] {
    let characters = 0;
    let count = 0;
    for (const { sealed } of this.#events) {
      characters += sealed.length;
      if (count === this.maxBatch || (count > 0 && characters > BATCH_CHARACTERS)) break;
      count++;
    }
    const batch = this.#events.splice(0, count);
    for (const { sealed } of batch) this.#characters -= sealed.length;
    this.#firstAt = performance.now();
    this.#change.all();
    return batch;
  }
}

/** Lets any number of callers wait for the next call of `all`. */
class Wake {
  #waiting: (() => void)[] = [];

  next(timeoutMs = Number.POSITIVE_INFINITY): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs < Number.POSITIVE_INFINITY ? setTimeout(resolve, timeoutMs) : undefined;
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  all(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
