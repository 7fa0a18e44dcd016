import type { StoredEvent } from '@verbatim/event-store';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EventBuffer } from './event-buffer.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const events = (from: number, count: number, sealed = ''): StoredEvent[] =>
  Array.from({ length: count }, (_, i) => ({
    id: '',
    type: '',
    hash: '',
    stream: 'room-r1',
    sealed,
    revision: BigInt(from + i),
    position: BigInt(from + i),
  }));

/** Whether a promise has been settled by now. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  return done;
}

const size = async (batch: Promise<StoredEvent[] | null>) => (await batch)?.length;

test('collects what arrives within the delay', async () => {
  const buffer = new EventBuffer(50, 100);
  const batch = buffer.nextBatch();
  void buffer.put(events(0, 2));
  await vi.advanceTimersByTimeAsync(30);
  void buffer.put(events(2, 3));
  expect(await settled(batch)).toBe(false);
  await vi.advanceTimersByTimeAsync(20);
  expect(await size(batch)).toBe(5);
});

test('does not wait when there is enough for a batch', async () => {
  const buffer = new EventBuffer(50, 4);
  void buffer.put(events(0, 6));
  expect(await size(buffer.nextBatch())).toBe(4);
  const rest = buffer.nextBatch();
  expect(await settled(rest)).toBe(false);
  await vi.advanceTimersByTimeAsync(50);
  expect(await size(rest)).toBe(2);
});

test('does not wait when somebody waits for an event, already there or not', async () => {
  const buffer = new EventBuffer(50, 100);
  const batch = buffer.nextBatch();
  void buffer.put(events(0, 2));
  expect(await settled(batch)).toBe(false);
  buffer.hurryTo(2n);
  expect(await size(batch)).toBe(2);

  void buffer.put(events(2, 1));
  expect(await size(buffer.nextBatch())).toBe(1);
  void buffer.put(events(3, 1));
  expect(await settled(buffer.nextBatch())).toBe(false);
});

test('lets the subscription wait while it is full', async () => {
  const buffer = new EventBuffer(50, 4);
  const first = buffer.put(events(0, 3));
  expect(await settled(first)).toBe(true);
  const second = buffer.put(events(3, 3));
  expect(await settled(second)).toBe(false);
  await buffer.nextBatch();
  expect(await settled(second)).toBe(true);
});

test('lets the subscription wait while it holds enough characters', async () => {
  const buffer = new EventBuffer(50, 100);
  const first = buffer.put(events(0, 3, 'x'.repeat(3_000_000)));
  expect(await settled(first)).toBe(false);
  expect(await size(buffer.nextBatch())).toBe(2);
  expect(await settled(first)).toBe(true);
});

test('cuts batches of very long events', async () => {
  const buffer = new EventBuffer(50, 4);
  void buffer.put(events(0, 4, 'x'.repeat(3_000_000)));
  expect(await size(buffer.nextBatch())).toBe(2);
  const huge = new EventBuffer(50, 4);
  void huge.put(events(0, 4, 'x'.repeat(9_000_000)));
  expect(await size(huge.nextBatch())).toBe(1);
});

test('closed, it gives nothing more and lets the subscription go', async () => {
  const buffer = new EventBuffer(50, 2);
  const batch = buffer.nextBatch();
  buffer.close();
  expect(await batch).toBeNull();
  expect(await settled(buffer.put(events(0, 5)))).toBe(true);
  expect(await buffer.nextBatch()).toBeNull();
});
