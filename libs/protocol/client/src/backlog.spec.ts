import { describe, expect, it } from 'vitest';
import { Backlog } from './backlog.js';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const item of items) read.push(item);
  return read;
}

const limits = { events: 4, size: 100 };

describe('a backlog', () => {
  it('gives items in order, those that were there and those that come', async () => {
    const backlog = new Backlog<number>(limits, () => undefined);
    backlog.put(1);
    backlog.put(2);
    const items = backlog.read();
    expect([(await items.next()).value, (await items.next()).value]).toEqual([1, 2]);
    const third = items.next();
    backlog.put(3);
    expect((await third).value).toBe(3);
    const end = items.next();
    backlog.end();
    expect((await end).done).toBe(true);
  });

  it('is full by number or by size, and has room when half of both is read', async () => {
    let room = 0;
    const backlog = new Backlog<string>(limits, () => room++);
    for (const item of ['a', 'b', 'c', 'd']) backlog.put(item, 1, 10);
    expect(backlog.full).toBe(true);
    const items = backlog.read();
    for (let i = 0; i < 2; i++) await items.next();
    expect(room).toBe(0);
    await items.next();
    expect(room).toBe(1);
    expect(backlog.full).toBe(false);
    backlog.put('long', 1, 100);
    expect(backlog.full).toBe(true);
  });

  it('can be read to its end, or not at all any more', async () => {
    const ended = new Backlog<number>(limits, () => undefined);
    ended.put(1);
    ended.end();
    ended.put(2);
    expect(await all(ended.read())).toEqual([1]);
    const discarded = new Backlog<number>(limits, () => undefined);
    discarded.put(1);
    discarded.discard();
    expect(await all(discarded.read())).toEqual([]);
  });

  it('has one reader', () => {
    const backlog = new Backlog<number>(limits, () => undefined);
    backlog.read();
    expect(() => backlog.read()).toThrow('somebody reads them already');
  });
});
