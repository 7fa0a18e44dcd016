import type { EventStore, StoredEvent } from './event-store.js';
import { pauseBeforeRetry } from './waiting.js';

/** Events in one read. */
const PAGE = 500;
/** Times that a read is tried again before the walk gives up, over about half a minute. */
const PATIENCE = 9;

/** The events of a log from a position on, in the order of their positions, up to its end at the time when it is reached. */
export async function* eventsOf(store: EventStore, from = 0n): AsyncGenerator<StoredEvent, undefined> {
  let next = page(store, from);
  for (;;) {
    const events = await next;
    const last = events.at(-1);
    if (!last) return;
    // The next page is on its way while this one is worked on.
    next = page(store, last.position + 1n);
    next.catch(() => {});
    yield* events;
  }
}

async function page(store: EventStore, from: bigint): Promise<StoredEvent[]> {
  for (let failures = 0; ; failures++) {
    try {
      return await store.readAll(from, PAGE);
    } catch (error) {
      if (failures === PATIENCE) throw error;
      await pauseBeforeRetry(failures, never);
    }
  }
}

const never = new AbortController().signal;
