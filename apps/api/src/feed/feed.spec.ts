import type { Recorded } from '@verbatim/domain';
import type { EventHandler, StoredEvent, Subscription } from '@verbatim/event-store';
import { pino } from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { Feed } from './feed.js';

/** Delivers events to the feed as a store does. */
class Source {
  private handler: EventHandler = () => undefined;
  position = -1n;

  async subscribe(_: bigint | 'end', handler: EventHandler): Promise<Subscription> {
    this.handler = handler;
    return this as unknown as Subscription;
  }

  async stop(): Promise<void> {}

  async delivers(...positions: readonly number[]): Promise<void> {
    await this.handler(positions.map((position) => ({ position: BigInt(position) }) as StoredEvent));
    this.position = BigInt(positions.at(-1) ?? -1);
  }
}

let source: Source;
let feed: Feed;
beforeEach(() => {
  source = new Source();
  feed = new Feed(source, { open: async (events) => events as unknown as Recorded[] }, pino({ level: 'silent' }));
});

const positions = (events: readonly Recorded[]) => events.map(({ position }) => Number(position)).join();

test('sinks get each batch in the order in which they were added, without a pause in between', async () => {
  const calls: string[] = [];
  feed.add('first', (events) => {
    calls.push(`first ${positions(events)}`);
    queueMicrotask(() => calls.push('pause'));
  });
  feed.add('second', (events) => void calls.push(`second ${positions(events)}`));
  await feed.start();
  await source.delivers(1, 2);
  await source.delivers(3);
  expect(calls).toEqual(['first 1,2', 'second 1,2', 'pause', 'first 3', 'second 3', 'pause']);
});

test('a failing sink does not keep events from other sinks, and its rescue gets them', async () => {
  const [got, rescued]: [string[], string[]] = [[], []];
  feed.add(
    'broken',
    () => {
      throw new Error('a bug');
    },
    (events) => {
      rescued.push(positions(events));
      throw new Error('another bug');
    },
  );
  feed.add('sound', (events) => void got.push(positions(events)));
  await feed.start();
  await source.delivers(1, 2);
  await source.delivers(3);
  expect([got, rescued]).toEqual([
    ['1,2', '3'],
    ['1,2', '3'],
  ]);
});

test('work that waits for a database delays no sink, and shows as lag of its queue', async () => {
  let release = () => {};
  const done: number[] = [];
  const queue = feed.queue<number>({
    name: 'slow',
    capacity: 10,
    atOnce: 1,
    attempts: 3,
    handle: async (_, items) => {
      await new Promise<void>((resolve) => (release = resolve));
      done.push(...items);
    },
    giveUp: () => undefined,
  });
  const got: string[] = [];
  feed.add('slow', (events) => {
    for (const { position } of events) queue.enqueue('key', Number(position), position);
  });
  feed.add('quick', (events) => void got.push(positions(events)));
  await feed.start();
  await source.delivers(5);
  await source.delivers(6, 7, 8);
  expect([got, done, feed.position]).toEqual([['5', '6,7,8'], [], 8n]);
  expect(feed.queues).toEqual([{ name: 'slow', waiting: 4, lag: 4 }]);
  while (done.length < 4) {
    release();
    await new Promise(setImmediate);
  }
  expect([done, feed.queues]).toEqual([[5, 6, 7, 8], [{ name: 'slow', waiting: 0, lag: 0 }]]);
});

test('a sink cannot be asynchronous', () => {
  // @ts-expect-error: asynchronous work goes into a queue.
  feed.add('asynchronous', async () => undefined);
});
