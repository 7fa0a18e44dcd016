import type { Recorded } from '@verbatim/domain';
import { type EventStore, peek, type Sealer, type StoredEvent } from '@verbatim/event-store';

/** Reads the log and opens its events. */
export class OpenLog {
  constructor(
    private readonly store: EventStore,
    private readonly sealer: Sealer,
  ) {}

  /** Events of a stream from a revision on, in order, at most `limit`, and up to the one that reaches `maxBytes`. */
  async read(stream: string, from: bigint, limit: number, maxBytes?: number): Promise<Recorded[]> {
    return this.sealer.open(await this.store.read(stream, from, limit, maxBytes), { passing: true, gently: true });
  }

  /** Single events of a stream, by their revisions and in their order; those that do not exist are left out. */
  async readEach(stream: string, revisions: readonly bigint[]): Promise<Recorded[]> {
    const found: StoredEvent[] = [];
    for (const part of chunks(revisions)) {
      const events = await Promise.all(part.map((revision) => this.store.read(stream, revision, 1)));
      found.push(...events.flat());
    }
    return this.sealer.open(found, { passing: true, gently: true });
  }

  /** When the events at some revisions of a stream were recorded; empty for those that do not exist. */
  async timesOf(stream: string, revisions: readonly bigint[]): Promise<string[]> {
    const times: string[] = [];
    for (const part of chunks(revisions))
      times.push(...(await Promise.all(part.map((one) => this.timeOf(stream, one)))));
    return times;
  }

  /**
   * The last revision of a stream up to `last` that was recorded at `instant` or before, -1 if none was. Times grow with
   * revisions, so a binary search finds it; if a clock was wrong, the result is approximate.
   */
  async revisionAt(stream: string, instant: string, last: bigint): Promise<bigint> {
    let [low, high] = [0n, last + 1n];
    while (low < high) {
      const middle = (low + high) / 2n;
      if ((await this.timeOf(stream, middle)) <= instant) low = middle + 1n;
      else high = middle;
    }
    return low - 1n;
  }

  private async timeOf(stream: string, revision: bigint): Promise<string> {
    const [event] = await this.store.read(stream, revision, 1);
    return event ? peek(event.sealed).at : '';
  }
}

/** Concurrent reads of single events. */
const CONCURRENT_READS = 8;

function chunks<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / CONCURRENT_READS) }, (_, i) =>
    all.slice(i * CONCURRENT_READS, (i + 1) * CONCURRENT_READS),
  );
}
