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
              readAll: async (from, limit) => {
                const page = log.slice(Number(from), Number(from) + limit);
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

          const late: StoredEvent[][] = [];
          for (const { events: count, way, turns: pause } of [
            ...appends,
            { events: 1, way: 'wake' as const, turns: 0 },
          ]) {
            const events = Array.from({ length: count }, (_, i) => eventAt(log.length + i));
            log.push(...events);
            if (way === 'offer' || way === 'offer twice') subscription.offer(events);
            if (way === 'offer twice') subscription.offer(events);
            if (way === 'wake') subscription.wake(BigInt(log.length - 1));
            if (way === 'wake without a position') subscription.wake();
            for (const delayed of late.splice(0)) subscription.offer(delayed);
            if (way === 'offer late') late.push(events);
            await turns(pause);
          }

          await subscription.reached(BigInt(log.length - 1));
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
      { readAll: async (from, limit) => log.slice(Number(from), Number(from) + limit), log: silent },
      -1n,
      async (events) => {
        heard.push(...events.map(({ position }) => position));
        await held;
      },
      () => {},
    );
    const last = liveLimits.events + 1;
    for (let place = 0; place <= last; place++) {
      log.push(eventAt(place));
      subscription.offer([eventAt(place)]);
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

function eventAt(place: number): StoredEvent {
  const position = BigInt(place);
  return {
    stream: 'room-1',
    revision: position,
    position,
    id: `${place}`,
    type: 'SomethingHappened',
    sealed: '',
    hash: '',
  };
}
