import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CatchUpSubscription, liveLimits } from './catch-up-subscription.js';
import type { StoredEvent } from './event-store.js';
import { silent } from './trouble-log.js';

/** How a subscription learns of an append: not at all from `nothing`, which another one must make up for. */
const ways = ['offer', 'offer twice', 'offer late', 'wake', 'wake without a position', 'nothing'] as const;

const append = fc.record({
  events: fc.integer({ min: 1, max: 1_500 }),
  way: fc.constantFrom(...ways),
  turns: fc.nat(4),
  /** How far apart the positions are. */
  step: fc.integer({ min: 1, max: 3 }),
});

describe('catch-up subscription', () => {
  it('however it learns of events, then it delivers each once, in order, and all without being asked again', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(append, { minLength: 1, maxLength: 12 }),
        fc.nat(3),
        fc.nat(3),
        async (appends, slowRead, slowHandler) => {
          const log: StoredEvent[] = [];
          const heard: bigint[] = [];
          const subscription = new CatchUpSubscription(
            {
              readAfter: async (after, limit) => {
                const page = pageAfter(log, after, limit);
                await turns(slowRead);
                return page;
              },
              log: silent,
            },
            -1n,
            async (events) => {
              await turns(slowHandler);
              heard.push(...events.map(({ position }) => position));
            },
            () => {},
          );

          const late: { events: StoredEvent[]; after: bigint }[] = [];
          for (const { events: count, way, turns: pause, step } of [
            ...appends,
            { events: 1, way: 'wake' as const, turns: 0, step: 1 },
          ]) {
            const after = head(log);
            const events = Array.from({ length: count }, (_, i) => eventAt(after + BigInt(step * (i + 1))));
            log.push(...events);
            if (way === 'offer' || way === 'offer twice') subscription.offer(events, after);
            if (way === 'offer twice') subscription.offer(events, after);
            if (way === 'wake') subscription.wake(head(log));
            if (way === 'wake without a position') subscription.wake();
            for (const delayed of late.splice(0)) subscription.offer(delayed.events, delayed.after);
            if (way === 'offer late') late.push({ events, after });
            await turns(pause);
          }

          await subscription.reached(head(log));
          expect(heard).toEqual(log.map(({ position }) => position));
          await subscription.stop();
        },
      ),
      { numRuns: 200 },
    );
  });

  it('when just more is offered than a slow handler lets it keep, then it is read from the log', async () => {
    const log: StoredEvent[] = [];
    const heard: bigint[] = [];
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const subscription = new CatchUpSubscription(
      { readAfter: async (after, limit) => pageAfter(log, after, limit), log: silent },
      -1n,
      async (events) => {
        heard.push(...events.map(({ position }) => position));
        await held;
      },
      () => {},
    );
    const last = liveLimits.events + 1;
    for (let place = 0; place <= last; place++) {
      const event = eventAt(BigInt(place));
      log.push(event);
      subscription.offer([event], event.position - 1n);
      if (place === 0) await nextTurn();
    }
    expect(heard).toEqual([0n]);
    release();
    await subscription.reached(BigInt(last));
    expect(heard).toEqual(log.map(({ position }) => position));
    await subscription.stop();
  });
});

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await nextTurn();
}

const head = (log: readonly StoredEvent[]): bigint => log.at(-1)?.position ?? -1n;

function pageAfter(log: readonly StoredEvent[], after: bigint, limit: number): StoredEvent[] {
  const first = log.findIndex(({ position }) => position > after);
  return first < 0 ? [] : log.slice(first, first + limit);
}

function eventAt(position: bigint): StoredEvent {
  return {
    stream: 'room-1',
    revision: position,
    position,
    id: `${position}`,
    type: 'SomethingHappened',
    sealed: '',
    hash: '',
  };
}
