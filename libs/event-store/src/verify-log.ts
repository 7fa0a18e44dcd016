import { ChainCheck } from './chain-check.js';
import type { EventStore } from './event-store.js';
import { eventsOf } from './log-walk.js';

/** How far a walk through a log is. */
export interface WalkProgress {
  /** Events seen so far. */
  readonly events: number;
  /** Positions of the last of them, and of the last in the log when the walk began. */
  readonly position: bigint;
  readonly head: bigint;
}

/** Events between two reports of progress. */
export const REPORT_EVERY = 500;

/** Walks through a whole log and checks the chains of all its streams. Reads only; the service may go on meanwhile. */
export async function verifyLog(
  store: EventStore,
  onProgress: (progress: WalkProgress) => void = () => {},
): Promise<ChainCheck> {
  const head = await store.head();
  const check = new ChainCheck();
  for await (const event of eventsOf(store)) {
    check.add(event);
    if (check.events % REPORT_EVERY === 0) onProgress({ events: check.events, position: event.position, head });
  }
  onProgress({ events: check.events, position: head, head });
  return check;
}
