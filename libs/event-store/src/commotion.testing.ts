import { createHash, randomInt, randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'vitest';
import {
  type Appended,
  type EventHandler,
  type EventStore,
  type NewEvent,
  NO_STREAM,
  RevisionConflict,
  type StoredEvent,
  type Subscription,
} from './event-store.js';

/** What came out of a commotion: everything that was answered, and everything that was heard. */
export interface Commotion {
  readonly stored: readonly { stream: string; events: readonly NewEvent[]; places: Appended }[];
  readonly refused: readonly NewEvent[];
  readonly conflicts: number;
  readonly recordings: readonly Recording[];
}

export interface Recording {
  readonly start: bigint;
  readonly events: readonly StoredEvent[];
  readonly subscription: Subscription;
  /** Most calls of the handler that ever ran at a time. */
  mostAtATime(): number;
}

/** Subscribes and keeps what the handler took; `handle` may delay it, or fail. */
export async function recordFrom(store: EventStore, after: bigint | 'end', handle?: EventHandler): Promise<Recording> {
  const events: StoredEvent[] = [];
  let running = 0;
  let most = 0;
  const subscription = await store.subscribe(after, async (batch) => {
    most = Math.max(most, ++running);
    try {
      await handle?.(batch);
      events.push(...batch);
    } finally {
      running--;
    }
  });
  return { start: subscription.position, events, subscription, mostAtATime: () => most };
}

/** The log from its beginning, read in pages. */
export async function wholeLog(store: EventStore): Promise<StoredEvent[]> {
  const log: StoredEvent[] = [];
  for (let from = 0n; ; ) {
    const page = await store.readAll(from, 1_000);
    log.push(...page);
    const last = page.at(-1);
    if (!last) return log;
    from = last.position + 1n;
  }
}

/**
 * Lets writers loose on the stores, each appending again and again, now to a stream of its own, now to one that all
 * write to, while subscribers come in from the beginning, from the middle and at the end. Goes on for so many seconds,
 * and until `over`; resolves when every append has been answered and every subscriber has heard all of it.
 */
export async function commotion(stores: readonly EventStore[], seconds: number, over = () => true): Promise<Commotion> {
  const stored: { stream: string; events: NewEvent[]; places: Appended }[] = [];
  const refused: NewEvent[] = [];
  const recordings: Recording[] = [];
  let conflicts = 0;
  const until = performance.now() + seconds * 1_000;
  const goingOn = () => performance.now() < until || !over();

  async function write(store: EventStore, own: string): Promise<void> {
    const revisions = new Map<string, bigint>();
    while (goingOn()) {
      await nextTurn();
      const stream = randomInt(3) > 0 ? own : `shared-${randomInt(4)}`;
      const events = Array.from({ length: randomInt(1, 4) }, () => newEvent());
      try {
        const places = await store.append(stream, revisions.get(stream) ?? NO_STREAM, events);
        stored.push({ stream, events, places });
        revisions.set(stream, places.revision);
      } catch (error) {
        if (!(error instanceof RevisionConflict)) throw error;
        conflicts++;
        refused.push(...events);
        expect(error.tail.length).toBeGreaterThan(0);
        revisions.set(stream, error.tail.at(-1)?.revision ?? NO_STREAM);
      }
    }
  }

  async function comeAndListen(store: EventStore): Promise<void> {
    const starts = [
      () => -1n,
      () => 'end' as const,
      () => stored[randomInt(stored.length + 1)]?.places.position ?? -1n,
    ];
    for (let i = 0; i < 6 && goingOn(); i++) {
      const slow = i % 2 === 1 ? () => new Promise<void>((resolve) => setTimeout(resolve, randomInt(10))) : undefined;
      recordings.push(await recordFrom(store, starts[i % 3]?.() ?? -1n, slow));
      await new Promise((resolve) => setTimeout(resolve, (seconds * 1_000) / 8));
    }
  }

  await Promise.all(
    stores.flatMap((store, s) => [
      comeAndListen(store),
      ...Array.from({ length: 12 }, (_, w) => write(store, `own-${s}-${w}`)),
    ]),
  );
  const head = stored.reduce((highest, { places }) => (places.position > highest ? places.position : highest), -1n);
  await Promise.all(recordings.map(({ subscription }) => subscription.reached(head)));
  return { stored, refused, conflicts, recordings };
}

/** Checks a commotion, which must have begun on an empty log, against the log that it left. */
export async function expectOneHistory(stores: readonly EventStore[], result: Commotion): Promise<void> {
  const [log = [], ...others] = await Promise.all(stores.map(wholeLog));
  for (const other of others) expect(other).toEqual(log);

  const byId = new Map(log.map((event) => [event.id, event]));
  expect(byId.size, 'an event stands twice').toBe(log.length);
  const revisions = new Map<string, bigint>();
  let position = -1n;
  for (const event of log) {
    expect(event.position > position, 'positions grow').toBe(true);
    expect(event.revision, 'revisions have no gap').toBe((revisions.get(event.stream) ?? NO_STREAM) + 1n);
    revisions.set(event.stream, event.revision);
    position = event.position;
  }

  let confirmed = 0;
  for (const { stream, events, places } of result.stored) {
    confirmed += events.length;
    for (const [i, { id, sealed }] of events.entries()) {
      const revision = places.revision - BigInt(events.length - 1 - i);
      expect(byId.get(id)).toMatchObject({ stream, revision, sealed });
    }
    expect(byId.get(events.at(-1)?.id ?? '')?.position).toBe(places.position);
  }
  expect(confirmed, 'everything in the log was confirmed').toBe(log.length);
  for (const { id } of result.refused) expect(byId.has(id), 'a refused event stands in the log').toBe(false);

  for (const { start, events, mostAtATime } of result.recordings) {
    expect(mostAtATime()).toBeLessThanOrEqual(1);
    const due = log.filter((event) => event.position > start);
    expect(events.length).toBe(due.length);
    expect(events.findIndex((event, i) => !sameEvent(event, due[i]))).toBe(-1);
  }
}

const fields = ['stream', 'revision', 'position', 'id', 'type', 'sealed', 'hash'] as const;

const sameEvent = (a: StoredEvent, b?: StoredEvent): boolean => fields.every((field) => a[field] === b?.[field]);

function newEvent(): NewEvent {
  const sealed = JSON.stringify({ text: randomUUID() });
  return {
    id: randomUUID(),
    type: 'SomethingHappened',
    sealed,
    hash: createHash('sha256').update(sealed).digest('hex'),
  };
}
