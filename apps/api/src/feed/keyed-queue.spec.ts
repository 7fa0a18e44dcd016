import { pino } from 'pino';
import { expect, test } from 'vitest';
import { KeyedQueue, type KeyedQueueOptions } from './keyed-queue.js';

const log = pino({ level: 'silent' });
const queueOf = (options: Partial<KeyedQueueOptions<number>>) =>
  new KeyedQueue<number>({
    name: 'test',
    capacity: 100,
    atOnce: 2,
    attempts: Number.POSITIVE_INFINITY,
    handle: async () => undefined,
    giveUp: () => undefined,
    log,
    ...options,
  });

/** Resolves when everything that needs no timer is done. */
const settled = async () => {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
};
const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
};

test('items of one key are handled in order, those of other keys concurrently', async () => {
  const handled: string[] = [];
  let release = () => {};
  const queue = queueOf({
    handle: async (key, items) => {
      if (key === 'slow' && handled.length === 0) await new Promise<void>((resolve) => (release = resolve));
      handled.push(`${key} ${items.join()}`);
    },
  });
  queue.enqueue('slow', 1, 10n);
  queue.enqueue('slow', 2, 11n);
  queue.enqueue('quick', 3, 12n);
  queue.enqueue('slow', 4, 13n);
  await settled();
  expect(handled).toEqual(['quick 3']);
  expect([queue.size, queue.oldest, queue.has('slow'), queue.has('quick')]).toEqual([3, 10n, true, false]);
  release();
  await settled();
  // The first could be released only after the other key was done, so it waited for that and for nothing else.
  expect(handled).toEqual(['quick 3', 'slow 1', 'slow 2,4']);
  expect([queue.size, queue.oldest, queue.has('slow')]).toEqual([0, null, false]);
});

test('no more keys than allowed are handled at a time', async () => {
  const releases: (() => void)[] = [];
  const queue = queueOf({ handle: () => new Promise<void>((resolve) => releases.push(resolve)) });
  for (const key of ['a', 'b', 'c']) queue.enqueue(key, 1, 1n);
  await settled();
  expect(releases).toHaveLength(2);
  releases[0]?.();
  await settled();
  expect(releases).toHaveLength(3);
});

test('failed items are handled again, before later ones', async () => {
  const handled: number[][] = [];
  let failures = 2;
  const queue = queueOf({
    handle: async (_, items) => {
      if (failures-- > 0) throw new Error('The database is away.');
      handled.push([...items]);
    },
  });
  queue.enqueue('a', 1, 1n);
  queue.enqueue('a', 2, 2n);
  await until(() => handled.length === 2);
  expect(handled).toEqual([[1], [2]]);
});

test('after too many failures the items of a key are dropped, and later ones are handled', async () => {
  const [handled, givenUp]: [number[], unknown[]] = [[], []];
  const queue = queueOf({
    attempts: 2,
    handle: async (_, items) => {
      if (items.includes(1)) throw new Error('The database is away.');
      handled.push(...items);
    },
    giveUp: (key, items, why) => givenUp.push([key, items, why]),
  });
  queue.enqueue('a', 1, 1n);
  queue.enqueue('a', 2, 2n);
  await until(() => handled.length === 1);
  expect([handled, givenUp, queue.size]).toEqual([[2], [['a', [1], 'failed']], 0]);
});

test('when it is full, only the waiting items of the key that gets another one are dropped', async () => {
  const givenUp: unknown[] = [];
  const releases: (() => void)[] = [];
  const handled: string[] = [];
  const queue = queueOf({
    capacity: 3,
    handle: async (key, items) => {
      await new Promise<void>((resolve) => releases.push(resolve));
      handled.push(`${key} ${items.join()}`);
    },
    giveUp: (key, items, why) => givenUp.push([key, items, why]),
  });
  queue.enqueue('a', 1, 1n);
  queue.enqueue('b', 2, 2n);
  queue.enqueue('a', 3, 3n);
  queue.enqueue('a', 4, 4n);
  expect(givenUp).toEqual([['a', [3, 4], 'full']]);
  queue.enqueue('b', 5, 5n);
  while (queue.size > 0) {
    for (const release of releases.splice(0)) release();
    await settled();
  }
  expect(handled.toSorted()).toEqual(['a 1', 'b 2', 'b 5']);
});

test('a stopped queue retries nothing', async () => {
  let tries = 0;
  const queue = queueOf({
    handle: async () => {
      tries += 1;
      throw new Error('The database is away.');
    },
  });
  queue.enqueue('a', 1, 1n);
  await settled();
  queue.stop();
  queue.enqueue('b', 1, 1n);
  await new Promise((resolve) => setTimeout(resolve, 120));
  expect(tries).toBe(1);
});
