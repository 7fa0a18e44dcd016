import { createHash, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { commotion, expectOneHistory, recordFrom, wholeLog } from './commotion.testing.js';
import {
  appendLimits,
  type EventStore,
  type NewEvent,
  NO_STREAM,
  RevisionConflict,
  StoreClosed,
} from './event-store.js';

/** What an adapter brings to the suite; a fresh and empty log for each test. */
export interface Opened {
  readonly store: EventStore;
  /** Another store on the same log, as another process would have; absent if that cannot be. */
  readonly openSecond?: () => Promise<EventStore>;
  /**
   * Ways to hurt the connections of these stores, by what happens in words. Each has its effect on the next append or
   * at once, and wears off by itself.
   */
  readonly faults?: Readonly<Record<string, () => void | Promise<void>>>;
  /** Called when the stores have been closed. */
  readonly cleanUp?: () => Promise<void>;
}

/** Seconds of the tests that let several processes loose on one log. */
const seconds = process.env.LONG === '1' ? 20 : 3;

/** The promises that every adapter of EventStore keeps. */
export function eventStoreContract(name: string, open: () => Promise<Opened>): void {
  describe(`event store: ${name}`, () => {
    let opened: Opened;
    let store: EventStore;
    const others: EventStore[] = [];

    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });

    afterEach(async () => {
      await Promise.all([store, ...others.splice(0)].map((each) => each.close()));
      await opened.cleanUp?.();
    });

    const another = async (openSecond: () => Promise<EventStore>): Promise<EventStore> => {
      const second = await openSecond();
      others.push(second);
      return second;
    };

    describe('read', () => {
      it('with a limit of bytes, then it ends with the event that reaches it, and the next read goes on', async () => {
        const events = ['a', 'é', '中', '😀'].map((letter) => event(JSON.stringify({ text: letter.repeat(5_000) })));
        await store.append('room-1', NO_STREAM, events);
        const read = async (from: bigint, maxBytes: number) =>
          (await store.read('room-1', from, 10, maxBytes)).map(({ revision }) => revision);
        expect(await read(0n, 1)).toEqual([0n]);
        expect(await read(0n, 5_100)).toEqual([0n, 1n]);
        expect(await read(1n, 10_100)).toEqual([1n, 2n]);
        expect(await read(2n, 35_100)).toEqual([2n, 3n]);
        expect(await read(0n, 1_000_000)).toEqual([0n, 1n, 2n, 3n]);
        expect(await read(4n, 1_000_000)).toEqual([]);
      });

      it('with limits of events and bytes, then the one that is reached first counts, whatever the sizes', async () => {
        const sizes = [
          ...Array.from({ length: 40 }, () => 10),
          20_000,
          20_000,
          ...Array.from({ length: 40 }, () => 10),
        ];
        const events = sizes.map((size) => event(JSON.stringify({ text: 'x'.repeat(size) })));
        await store.append('room-1', NO_STREAM, events);
        const all: bigint[] = [];
        for (let from = 0n; ; ) {
          const page = await store.read('room-1', from, 30, 20_100);
          const bytes = page.slice(0, -1).reduce((sum, { sealed }) => sum + sealed.length, 0);
          expect(bytes).toBeLessThan(20_100);
          expect(page.length).toBeLessThanOrEqual(30);
          all.push(...page.map(({ revision }) => revision));
          if (page.length === 0) break;
          from = (all.at(-1) ?? 0n) + 1n;
        }
        expect(all).toEqual(sizes.map((_, i) => BigInt(i)));
      });
    });

    describe('append', () => {
      it('given an empty log, then it holds nothing', async () => {
        expect(await store.head()).toBe(-1n);
        expect(await store.last()).toBeNull();
        expect(await store.readAll(0n, 10)).toEqual([]);
        expect(await store.read('room-1', 0n, 10)).toEqual([]);
        expect(await store.readLast('room-1')).toBeNull();
      });

      it('when events are appended, then they stand in the log as they were given, one revision after the other', async () => {
        const [first, second, third] = [event(), event(), event()];
        const created = await store.append('room-1', NO_STREAM, [first, second]);
        const posted = await store.append('room-1', 1n, [third]);
        expect([created.revision, posted.revision]).toEqual([1n, 2n]);

        const stored = await store.read('room-1', 0n, 10);
        expect(stored.map(({ id, type, sealed, hash }) => ({ id, type, sealed, hash }))).toEqual([
          first,
          second,
          third,
        ]);
        expect(stored.map(({ stream, revision }) => [stream, revision])).toEqual(
          [0n, 1n, 2n].map((n) => ['room-1', n]),
        );
        expect(stored[1]?.position).toBe(created.position);
        expect(stored[2]?.position).toBe(posted.position);
        expect(await store.head()).toBe(posted.position);
        expect(await store.last()).toMatchObject(posted);
      });

      it('when somebody else was first, then the append is refused with what he has not seen, and leaves nothing behind', async () => {
        await store.append('room-1', NO_STREAM, [event(), event(), event()]);
        const conflict = await store.append('room-1', 0n, [event()]).catch((error) => error);
        expect(conflict).toBeInstanceOf(RevisionConflict);
        expect(conflict).toMatchObject({ stream: 'room-1', expectedRevision: 0n });
        expect(conflict.tail).toEqual(await store.read('room-1', 1n, 10));
        expect(await wholeLog(store)).toHaveLength(3);
      });

      it('when a stream that exists is to be begun, then the append is refused with all of it', async () => {
        await store.append('room-1', NO_STREAM, [event(), event()]);
        const conflict = await store.append('room-1', NO_STREAM, [event()]).catch((error) => error);
        expect(conflict.tail).toEqual(await store.read('room-1', 0n, 10));
      });

      it('when a revision is expected that the stream has not reached, then the append is refused, with nothing to show', async () => {
        await store.append('room-1', NO_STREAM, [event()]);
        await expect(store.append('room-1', 5n, [event()])).rejects.toMatchObject({
          name: 'RevisionConflict',
          tail: [],
        });
        await expect(store.append('room-2', 0n, [event()])).rejects.toMatchObject({
          name: 'RevisionConflict',
          tail: [],
        });
        expect(await wholeLog(store)).toHaveLength(1);
      });

      it('when the same append comes again, then it succeeds with the same places and stores nothing', async () => {
        const events = [event(), event()];
        await store.append('room-1', NO_STREAM, [event()]);
        const first = await store.append('room-1', 0n, events);
        expect(await store.append('room-1', 0n, events)).toEqual(first);
        expect(await wholeLog(store)).toHaveLength(3);
      });

      it('when the same append comes again after another was put on top, then it succeeds with the same places', async () => {
        const [beginning, events] = [[event()], [event(), event()]];
        const begun = await store.append('room-1', NO_STREAM, beginning);
        const first = await store.append('room-1', 0n, events);
        await store.append('room-1', 2n, [event()]);
        await store.append('room-2', NO_STREAM, [event()]);
        expect(await store.append('room-1', 0n, events)).toEqual(first);
        expect(await store.append('room-1', NO_STREAM, beginning)).toEqual(begun);
        expect(await wholeLog(store)).toHaveLength(5);
      });

      it('when an append resembles a stored one but is another, then it is refused', async () => {
        const [a, b] = [event(), event()];
        await store.append('room-1', NO_STREAM, [a, b]);
        for (const other of [
          [b, a],
          [a, event()],
          [event(), b],
          [a, b, event()],
        ]) {
          await expect(store.append('room-1', NO_STREAM, other)).rejects.toBeInstanceOf(RevisionConflict);
        }
        await expect(store.append('room-1', 0n, [a])).rejects.toBeInstanceOf(RevisionConflict);
        expect(await wholeLog(store)).toHaveLength(2);
      });

      it('when many append to one stream at once, then one succeeds and the others learn what it appended', async () => {
        const outcomes = await Promise.allSettled(range(20).map(() => store.append('room-1', NO_STREAM, [event()])));
        const stored = await store.read('room-1', 0n, 10);
        expect(stored).toHaveLength(1);
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason.tail).toEqual(stored);
      });

      it('when appends to one stream do not wait for each other, then they are stored in the order of the calls', async () => {
        const events = range(50).map(() => event());
        await Promise.all(events.map((each, i) => store.append('room-1', BigInt(i - 1), [each])));
        expect(ids(await store.read('room-1', 0n, 100))).toEqual(ids(events));
      });

      it('when one of many appends is stale, then it fails alone', async () => {
        await store.append('room-7', NO_STREAM, [event()]);
        const outcomes = await Promise.allSettled(
          range(20).map((i) => store.append(`room-${i}`, NO_STREAM, [event()])),
        );
        const failed = outcomes.flatMap(({ status }, i) => (status === 'rejected' ? [i] : []));
        expect(failed).toEqual([7]);
        expect(await wholeLog(store)).toHaveLength(20);
      });

      it('when an append is empty, too large or for no revision at all, then it is a bug of the caller', async () => {
        const half = 'x'.repeat(appendLimits.bytes / 2);
        const bugs: [bigint, NewEvent[]][] = [
          [NO_STREAM, []],
          [NO_STREAM, range(appendLimits.events + 1).map(() => event())],
          [NO_STREAM, [event(half), event(`${half}x`)]],
          [NO_STREAM, [event('ä'.repeat(appendLimits.bytes / 2 + 1))]],
          [NO_STREAM, [event('no \u001f JSON')]],
          [-2n, [event()]],
        ];
        for (const [revision, events] of bugs) {
          await expect(store.append('room-1', revision, events)).rejects.toBeInstanceOf(RangeError);
        }
        expect(await wholeLog(store)).toEqual([]);
      });

      it('when appends are as large as is allowed, many at once, then all are stored whole', async () => {
        const eighth = 'ä"\\'.repeat(appendLimits.bytes / 8 / 4);
        const appends = [
          range(appendLimits.events).map(() => event()),
          [event('"'.repeat(appendLimits.bytes))],
          range(8).map(() => event(eighth)),
          range(appendLimits.events).map(() => event('\\'.repeat(1_900))),
        ];
        await Promise.all(appends.map((events, i) => store.append(`room-${i}`, NO_STREAM, events)));
        for (const [i, events] of appends.entries()) {
          const stored = await store.read(`room-${i}`, 0n, 1_000);
          expect(stored.map(({ sealed }) => sealed).join() === events.map(({ sealed }) => sealed).join()).toBe(true);
        }
      });

      it('when texts hold every code point there is, then they come back as they were', async () => {
        const texts = [
          ...range(17).map(plane),
          '',
          'NULL',
          '{}',
          '{"a","\\\\"}',
          '\\u0000',
          "'; drop table",
          'e\u0301 é',
        ].map((text) => JSON.stringify(text));
        const events = texts.map((text) => event(text));
        const heard = await recordFrom(store, -1n);
        const stream = `room-${plane(0).slice(32, 332)}`;
        for (const [i, each] of events.entries()) await store.append(stream, BigInt(i - 1), [each]);
        await heard.subscription.reached(await store.head());
        for (const stored of [await store.read(stream, 0n, 100), await store.readAll(0n, 100), heard.events]) {
          expect(stored.map((each, i) => each.sealed === texts[i] && each.stream === stream)).toEqual(
            texts.map(() => true),
          );
        }
      });

      it('given any history, then it answers as a simple model does', async () => {
        let runs = 0;
        await fc.assert(
          fc.asyncProperty(fc.array(attempt, { minLength: 1, maxLength: 30 }), async (attempts) => {
            const run = runs++;
            const model = new Map<string, string[]>();
            const made: { stream: string; expected: bigint; events: NewEvent[] }[] = [];
            for (const { room, lag, size, again } of attempts) {
              const stream = `room-${run}-${room}`;
              const expected = BigInt(Math.max(-1, (model.get(stream)?.length ?? 0) - 1 - lag));
              const fresh = { stream, expected, events: range(size).map(() => event()) };
              const append = again === null ? fresh : (made[again % Math.max(1, made.length)] ?? fresh);
              made.push(append);
              const outcome = await store.append(append.stream, append.expected, append.events).catch((error) => error);
              expect(outcome).toMatchObject(expectedOutcome(model, append.stream, append.expected, append.events));
              expect(ids(await store.read(append.stream, 0n, 1_000))).toEqual(model.get(append.stream) ?? []);
            }
          }),
          { numRuns: 20 },
        );
      });
    });

    describe('read', () => {
      it('given events in several streams, then a read includes the place where it starts and ends at its limit', async () => {
        await store.append(
          'room-1',
          NO_STREAM,
          range(5).map(() => event()),
        );
        await store.append(
          'room-2',
          NO_STREAM,
          range(5).map(() => event()),
        );
        await store.append(
          'room-1',
          4n,
          range(5).map(() => event()),
        );
        const log = await wholeLog(store);
        const room = log.filter(({ stream }) => stream === 'room-1');
        expect(log).toHaveLength(15);
        expect(await store.read('room-1', 3n, 4)).toEqual(room.slice(3, 7));
        expect(await store.read('room-1', 9n, 4)).toEqual(room.slice(9));
        expect(await store.read('room-1', 10n, 4)).toEqual([]);
        expect(await store.readAll(log[6]?.position ?? -1n, 4)).toEqual(log.slice(6, 10));
        expect(await store.readAll((await store.head()) + 1n, 4)).toEqual([]);
        expect(await store.readLast('room-1')).toEqual(log.at(-1));
        expect(await store.readLast('room-2')).toEqual(log[9]);
      });
    });

    describe('subscribe', () => {
      it('given events before and after subscribing, then the handler gets each once, in order', async () => {
        await fill(store, 30);
        const heard = await recordFrom(store, -1n);
        await fill(store, 30);
        await heard.subscription.reached(await store.head());
        expect(heard.events).toEqual(await wholeLog(store));
        expect(heard.subscription.position).toBe(await store.head());
      });

      it('when subscribed after a position, then nothing up to it is heard', async () => {
        await fill(store, 30);
        const log = await wholeLog(store);
        const middle = log[14]?.position ?? -1n;
        const heard = await recordFrom(store, middle);
        expect(heard.subscription.position).toBe(middle);
        await heard.subscription.reached(await store.head());
        expect(heard.events).toEqual(log.slice(15));
      });

      it('when subscribed after the end, then only later events are heard', async () => {
        await fill(store, 30);
        const heard = await recordFrom(store, 'end');
        expect(heard.subscription.position).toBe(await store.head());
        await fill(store, 5);
        await heard.subscription.reached(await store.head());
        expect(heard.events).toEqual((await wholeLog(store)).slice(30));
      });

      it('given thousands of events, then a subscriber catches up in batches while more are appended', async () => {
        const many = range(appendLimits.events).map(() => event());
        for (const i of range(6))
          await store.append(
            `room-${i}`,
            NO_STREAM,
            many.map(() => event()),
          );
        const heard = await recordFrom(store, -1n);
        for (const i of range(6))
          await store.append(
            `room-${i}`,
            499n,
            many.map(() => event()),
          );
        await heard.subscription.reached(await store.head());
        expect(ids(heard.events)).toEqual(ids(await wholeLog(store)));
        expect(heard.events).toHaveLength(6_000);
      });

      it('when the handler is slow, then it is never called twice at a time, and misses nothing', async () => {
        const slow = await recordFrom(store, -1n, () => new Promise((resolve) => setTimeout(resolve, 20)));
        const quick = await recordFrom(store, -1n);
        for (const i of range(40)) {
          await Promise.all(
            range(20).map((room) =>
              store.append(
                `room-${room}`,
                BigInt(i * 5 - 1),
                range(5).map(() => event()),
              ),
            ),
          );
        }
        await Promise.all([slow, quick].map(async ({ subscription }) => subscription.reached(await store.head())));
        expect(slow.events).toHaveLength(4_000);
        expect(slow.mostAtATime()).toBe(1);
        expect(slow.events).toEqual(quick.events);
      });

      it('when the handler fails, then it gets the same events again, and skips none', async () => {
        const calls: string[][] = [];
        let failures = 3;
        const heard = await recordFrom(store, -1n, (events) => {
          calls.push(ids(events));
          if (events.some(({ revision }) => revision === 4n) && failures-- > 0) throw new Error('not now');
        });
        await fill(store, 10);
        await heard.subscription.reached(await store.head());
        expect(ids(heard.events)).toEqual(ids(await wholeLog(store)));
        const failed = calls.filter((call) => calls.filter((other) => other.join() === call.join()).length === 4);
        expect(failed).toHaveLength(4);
      });

      it('when somebody waits for a position, then that is over as soon as the handler has finished with it', async () => {
        let release = () => {};
        const held = new Promise<void>((resolve) => {
          release = resolve;
        });
        const heard = await recordFrom(store, -1n, () => held);
        const { position } = await store.append('room-1', NO_STREAM, [event()]);
        const reached = vi.fn();
        const waiting = heard.subscription.reached(position).then(reached);
        await vi.waitFor(() => expect(heard.mostAtATime()).toBe(1));
        expect(reached).not.toHaveBeenCalled();
        expect(heard.subscription.position).toBe(-1n);
        release();
        await waiting;
        await heard.subscription.reached(position);
      });

      it('when stopped, then the running handler finishes, nothing more is delivered and waiting callers fail', async () => {
        let release = () => {};
        const held = new Promise<void>((resolve) => {
          release = resolve;
        });
        const heard = await recordFrom(store, -1n, () => held);
        const { position } = await store.append('room-1', NO_STREAM, [event()]);
        await vi.waitFor(() => expect(heard.mostAtATime()).toBe(1));
        const waiting = expect(heard.subscription.reached(position + 1n)).rejects.toBeInstanceOf(StoreClosed);
        const stopped = vi.fn();
        const stopping = heard.subscription.stop().then(stopped);
        await waiting;
        const next = await store.append('room-1', 0n, [event()]);
        expect(stopped).not.toHaveBeenCalled();
        release();
        await stopping;
        const other = await recordFrom(store, -1n);
        await other.subscription.reached(next.position);
        expect(heard.events).toHaveLength(1);
        await heard.subscription.reached(position);
        await expect(heard.subscription.reached(next.position)).rejects.toBeInstanceOf(StoreClosed);
        await heard.subscription.stop();
      });

      it('when a handler that always fails is stopped, then it stops', async () => {
        const handler = vi.fn(() => Promise.reject(new Error('never')));
        const subscription = await store.subscribe(-1n, handler);
        await store.append('room-1', NO_STREAM, [event()]);
        await vi.waitFor(() => expect(handler).toHaveBeenCalled());
        await subscription.stop();
      });
    });

    describe('close', () => {
      it('when closed, then appends already taken are finished, and later calls fail with StoreClosed', async () => {
        const heard = await recordFrom(store, -1n);
        const taken = range(30).map((i) => store.append(`room-${i}`, NO_STREAM, [event()]));
        const waiting = expect(heard.subscription.reached(never)).rejects.toBeInstanceOf(StoreClosed);
        await Promise.all([store.close(), store.close()]);
        expect(await Promise.all(taken)).toHaveLength(30);
        await waiting;
        const late = [
          store.append('room-1', NO_STREAM, [event()]),
          store.read('room-1', 0n, 1),
          store.readLast('room-1'),
          store.readAll(0n, 1),
          store.head(),
          store.subscribe('end', () => {}),
          store.subscribe(-1n, () => {}),
        ];
        for (const call of late) await expect(call).rejects.toBeInstanceOf(StoreClosed);
      });
    });

    describe('several stores on one log', () => {
      it('when one appends, then the others hear of it', async ({ skip }) => {
        const second = await another(opened.openSecond ?? skip());
        const heard = await recordFrom(second, 'end');
        const { position } = await store.append('room-1', NO_STREAM, [event()]);
        await heard.subscription.reached(position);
        expect(heard.events).toEqual(await wholeLog(store));
        await expect(second.append('room-1', NO_STREAM, [event()])).rejects.toMatchObject({ tail: heard.events });
      });

      it(`when all append to the same and to other streams for ${seconds} s, then there is one history, and all see it`, async ({
        skip,
      }) => {
        const second = await another(opened.openSecond ?? skip());
        const result = await commotion([store, second], seconds);
        expect(result.conflicts).toBeGreaterThan(0);
        await expectOneHistory([store, second], result);
      });
    });

    describe('alone', () => {
      it('when many append to the same and to other streams, then there is one history', async () => {
        await expectOneHistory([store], await commotion([store], 1));
      });
    });

    describe('in trouble', () => {
      it('when one append meets a fault, then it is stored once all the same', { timeout: 120_000 }, async ({
        skip,
      }) => {
        const heard = await recordFrom(store, -1n);
        let revision = NO_STREAM;
        for (const [fault, strike] of Object.entries(opened.faults ?? skip())) {
          await strike();
          const events = [event(), event()];
          const places = await store.append('room-1', revision, events);
          expect(places.revision, fault).toBe(revision + 2n);
          expect(ids(await eventually(() => store.read('room-1', revision + 1n, 10))), fault).toEqual(ids(events));
          await heard.subscription.reached(places.position);
          revision = places.revision;
        }
        expect(heard.events).toEqual(await wholeLog(store));
      });

      it('when one append after the other meets faults, then nothing is lost, doubled or put in another order', {
        timeout: 240_000,
      }, async ({ skip }) => {
        const faults = Object.values(opened.faults ?? skip());
        const stores = [store, await another(opened.openSecond ?? skip())];
        let over = false;
        const striking = (async () => {
          for (const strike of faults) {
            await new Promise((resolve) => setTimeout(resolve, 300));
            await strike();
          }
          over = true;
        })();
        const result = await commotion(stores, seconds, () => over);
        await striking;
        await expectOneHistory(stores, result);
      });

      it('when closed in the middle of it, then every promise settles', { timeout: 120_000 }, async ({ skip }) => {
        const heard = await recordFrom(store, -1n);
        for (const strike of Object.values(opened.faults ?? skip())) await strike();
        const appends = range(20).map((i) => store.append(`room-${i}`, NO_STREAM, [event()]));
        const waiting = heard.subscription.reached(never).catch((error) => error);
        await store.close();
        expect(await waiting).toBeInstanceOf(StoreClosed);
        for (const outcome of await Promise.allSettled(appends)) {
          if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(StoreClosed);
        }
      });
    });
  });
}

/** A position that no log here comes to. */
const never = 2n ** 62n;

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

const ids = (events: readonly { id: string }[]): string[] => events.map(({ id }) => id);

function event(sealed = `{"text":"${randomUUID()}"}`): NewEvent {
  return {
    id: randomUUID(),
    type: 'SomethingHappened',
    sealed,
    hash: createHash('sha256').update(sealed).digest('hex'),
  };
}

async function fill(store: EventStore, count: number): Promise<void> {
  for (const _ of range(count)) {
    const last = await store.readLast('room-filled');
    await store.append('room-filled', last?.revision ?? NO_STREAM, [event()]);
  }
}

/** All code points of a Unicode plane except NUL and the surrogates, which the service's doors refuse. */
function plane(number: number): string {
  const points = range(0x1_0000).map((i) => number * 0x1_0000 + i);
  return points
    .map((point) => (point === 0 || (point >= 0xd800 && point < 0xe000) ? '' : String.fromCodePoint(point)))
    .join('');
}

/** Reads reject while the database is away; the tests wait until it is back. */
async function eventually<T>(question: () => Promise<T>): Promise<T> {
  return vi.waitFor(question, { timeout: 20_000, interval: 50 });
}

/** An append to one of three rooms, at the end or before it, or one of the earlier appends once more. */
const attempt = fc.record({
  room: fc.integer({ min: 0, max: 2 }),
  lag: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: -1, max: 2 })),
  size: fc.integer({ min: 1, max: 3 }),
  again: fc.option(fc.nat(), { freq: 2 }),
});

/** What a map of lists says about an append, which it carries out. */
function expectedOutcome(model: Map<string, string[]>, stream: string, expected: bigint, events: NewEvent[]): object {
  const there = model.get(stream) ?? [];
  const place = Number(expected) + 1;
  if (place === there.length) {
    model.set(stream, [...there, ...ids(events)]);
    return { revision: BigInt(there.length + events.length - 1) };
  }
  if (there.slice(place, place + events.length).join() === ids(events).join()) {
    return { revision: BigInt(place + events.length - 1) };
  }
  return { name: 'RevisionConflict', tail: there.slice(place).map((id) => ({ id })) };
}
