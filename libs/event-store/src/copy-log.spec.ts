import { describe, expect, it } from 'vitest';
import { CopyRefused, copyLog } from './copy-log.js';
import { appendLimits, type EventStore, type StoredEvent } from './event-store.js';
import { appendAll, generatedLog, memoryStoreOf } from './generated-log.testing.js';
import { MemoryEventStore } from './memory/memory-event-store.js';

const log = generatedLog({ events: 1_700, rooms: 12 });

const all = (store: EventStore) => store.readAll(0n, 10_000);

/** A store in memory whose positions have gaps, as those of other stores have. */
class SparseEventStore extends MemoryEventStore {
  override async readAll(from: bigint, limit: number): Promise<StoredEvent[]> {
    const events = await super.readAll((from + 6n) / 7n, limit);
    return events.map((event) => ({ ...event, position: event.position * 7n }));
  }

  override async head(): Promise<bigint> {
    return (await super.head()) * 7n;
  }
}

describe('a copy of a log', () => {
  it('holds the same events in the same order, and is found to be sound', async () => {
    const [source, target] = [await memoryStoreOf(log), new MemoryEventStore()];
    const outcome = await copyLog(source, target);
    expect(await all(target)).toEqual(log);
    expect(outcome).toMatchObject({ before: 0, added: 1_700, grown: false, check: { events: 1_700, broken: [] } });
  });

  it('is the same whatever the positions of a store are', async () => {
    const sparse = new SparseEventStore();
    await copyLog(await memoryStoreOf(log), sparse);
    const back = new MemoryEventStore();
    await copyLog(sparse, back);
    expect((await all(sparse))[3]?.position).toBe(21n);
    expect(await all(back)).toEqual(log);
  });

  it('goes on where an earlier one has ended, at any point', async () => {
    for (const point of [0, 1, 2, 499, 500, 501, 1_234, 1_699, 1_700]) {
      const target = await memoryStoreOf(log.slice(0, point));
      const outcome = await copyLog(await memoryStoreOf(log), target);
      expect(outcome).toMatchObject({ before: point, added: 1_700 - point, check: { broken: [] } });
      expect(await all(target)).toEqual(log);
    }
  });

  it('of nothing is nothing', async () => {
    expect(await copyLog(new MemoryEventStore(), new MemoryEventStore())).toMatchObject({ before: 0, added: 0 });
  });

  it('cuts its appends so that a store takes them, and shows how far it is', async () => {
    const long = generatedLog({ events: 1_200, rooms: 1, run: 1_200 });
    const target = new MemoryEventStore();
    const sizes: number[] = [];
    const phases: string[] = [];
    const append = target.append.bind(target);
    target.append = (stream, expected, events) => {
      sizes.push(events.length);
      return append(stream, expected, events);
    };
    await copyLog(await memoryStoreOf(long), target, ({ phase, position, head }) => {
      if (phases.at(-1) !== phase) phases.push(phase);
      expect(position).toBeLessThanOrEqual(head);
    });
    expect(Math.max(...sizes)).toBeLessThanOrEqual(appendLimits.events);
    expect(sizes.length).toBeLessThan(10);
    expect(phases).toEqual(['copying', 'verifying']);
    expect(await all(target)).toEqual(long);
  });

  it('reports that the source has grown, and copies the rest when repeated', async () => {
    const source = await memoryStoreOf(log.slice(0, 100));
    const target = new MemoryEventStore();
    let grown = false;
    const outcome = await copyLog(source, target, ({ phase }) => {
      if (phase !== 'copying' || grown) return;
      grown = true;
      void appendAll(source, log.slice(100, 120));
    });
    expect(outcome).toMatchObject({ added: 100, grown: true });
    expect(await copyLog(source, target)).toMatchObject({ before: 100, added: 20, grown: false });
  });

  it('copies faults of the source and reports them', async () => {
    const hurt = log.map((event, i) => (i === 700 ? { ...event, sealed: `${event.sealed} ` } : event));
    const target = new MemoryEventStore();
    const { check } = await copyLog(await memoryStoreOf(hurt), target);
    expect(await all(target)).toEqual(hurt);
    expect(check.broken).toMatchObject([{ stream: log[700]?.stream, revision: log[700]?.revision }]);
  });
});

describe('a target that holds something else', () => {
  const other = generatedLog({ events: 40, rooms: 3 });
  const altered = (change: Partial<StoredEvent>) =>
    log.slice(0, 20).map((event, i) => (i === 13 ? { ...event, ...change } : event));

  it.each<[string, StoredEvent[], RegExp]>([
    ['another log', other, /holds something else than the source. Its event number 1 is/],
    ['another text', altered({ sealed: '{}' }), /number 14 is .* as it stands in the source/],
    ['another hash', altered({ hash: '0'.repeat(64) }), /number 14 is .* as it stands in the source/],
    ['another type', altered({ type: 'RoomClosed' }), /number 14 is RoomClosed/],
    ['another order', [...log.slice(0, 700)].sort((a, b) => (a.stream < b.stream ? -1 : 1)), /something else/],
    ['more than the source', [...log, ...appended()], /holds more than the source: its event number 1701/],
  ])('is refused and left alone: %s', async (_, events, sentence) => {
    const target = await memoryStoreOf(events);
    const copying = copyLog(await memoryStoreOf(log), target);
    await expect(copying).rejects.toThrow(CopyRefused);
    await expect(copying).rejects.toThrow(sentence);
    expect((await all(target)).length).toBe(events.length);
  });

  function appended(): StoredEvent[] {
    const last = log.at(-1) as StoredEvent;
    const revision = log.filter(({ stream }) => stream === last.stream).length;
    return [{ ...last, id: '01907a3c-0000-7000-8000-000000000001', revision: BigInt(revision) }];
  }
});
