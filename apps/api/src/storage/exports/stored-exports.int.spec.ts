import { randomUUID } from 'node:crypto';
import { arrayParameters, PostgresKeyRing } from '@verbatim/event-store';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { migrateExports } from './schema.js';
import { ExportGone, type ExportProgress, type StoredExport, StoredExports } from './stored-exports.js';

let url: string;
let sql: Sql;
let exports: StoredExports;

beforeAll(async () => {
  url = await createDatabase();
  const types = { array: arrayParameters } as unknown as Record<string, postgres.PostgresType>;
  sql = postgres(url, { max: 3, fetch_types: false, types, onnotice: () => undefined }) as unknown as Sql;
  exports = new StoredExports(sql, await PostgresKeyRing.open(sql, Buffer.alloc(32, 1)));
  await migrateExports(sql);
});
beforeEach(() => sql`delete from cache.exports`);
afterAll(async () => {
  await sql.end();
  await dropDatabase(url);
});

const [room, otherRoom, bob, cem] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
const checkpoint = { tree: 1, size: 9, root: Buffer.alloc(32), note: 'note', lastPosition: 8n };
const nothing: ExportProgress = { cursor: 5n, done: 5, events: 2, firstOrdinal: 1, lastOrdinal: 3, files: new Map() };
const met = { streams: new Map([[`room-${room}`, true]]), people: new Set([bob]) };
const content = (text: string) => ({ ...nothing, files: new Map([['events.ndjson', Buffer.from(text)]]) });

async function accepted(scope: object = { room }): Promise<void> {
  const id = randomUUID();
  await exports.reserve(id, randomUUID(), scope);
  await exports.accept(id, 3n);
}

/** One whose run has begun. */
async function running(awareOf: readonly string[] = [], scope?: object): Promise<StoredExport> {
  await accepted(scope);
  return begun(await taken(), awareOf);
}

async function taken(): Promise<StoredExport> {
  const next = await exports.takeNext();
  if (!next) throw new Error('There is nothing to do.');
  return next;
}

async function begun(queued: StoredExport, awareOf: readonly string[] = []): Promise<StoredExport> {
  const begun = await exports.begin(queued, checkpoint, { cursor: 0n, total: 9, awareOf });
  if (!begun) throw new Error('It did not begin.');
  return begun;
}

const statusOf = async ({ id }: StoredExport) => (await exports.find(id))?.status;
const keys = async ({ id }: StoredExport) =>
  (await sql`select from vault.keys where name like ${`export|${id}|%`}`).length;
const textOf = async (of: StoredExport) => {
  const length = (await exports.lengths(of.id)).get('events.ndjson') ?? 0;
  const parts: Buffer[] = [];
  for await (const part of exports.content(of, 'events.ndjson', length)) parts.push(part);
  return Buffer.concat(parts).toString();
};

describe('an export', () => {
  it('is made by whoever took it last', async () => {
    const first = await running();
    expect(await exports.add(first, content('one '), met)).toBe(true);
    const second = await taken();
    expect(second).toMatchObject({ id: first.id, cursor: 5n, chunks: 1, checkpoint });
    expect(await exports.add({ ...first, chunks: 1 }, content('late '), met)).toBe(false);
    expect(await exports.add(second, content('two'), met)).toBe(true);
    expect(await exports.finish(first, new Map(), { bytes: 7, days: 1 })).toBe(false);
    expect(await exports.finish({ ...second, chunks: 2 }, new Map(), { bytes: 7, days: 1 })).toBe(true);
    expect(await textOf(second)).toBe('one two');
    expect(await exports.takeNext()).toBeNull();
  });

  it('is stored sealed', async () => {
    const one = await running();
    await exports.add(one, content('the secret plan'), met);
    const [row] = await sql<{ sealed: Buffer }[]>`select sealed from cache.export_chunks where export = ${one.id}`;
    expect(row?.sealed.toString('latin1')).not.toContain('secret');
  });

  it('takes turns with others', async () => {
    await accepted();
    await accepted();
    const [first, second, third] = [await taken(), await taken(), await taken()];
    expect(first.id).not.toBe(second.id);
    expect(third.id).toBe(first.id);
  });
});

describe('an erasure', () => {
  const ofBob = { kind: 'person', userId: bob } as const;
  const done = async (awareOf: readonly string[] = []) => {
    const one = await running(awareOf);
    await exports.add(one, content('what bob said'), met);
    await exports.finish({ ...one, chunks: 1 }, new Map(), { bytes: 7, days: 1 });
    return one;
  };

  it('lets a run that is under way begin anew, and what it still stores is nowhere', async () => {
    const one = await running();
    await exports.add(one, content('what bob said'), met);
    await exports.forget('e1', ofBob);
    expect(await exports.find(one.id)).toMatchObject({ status: 'queued', cursor: 0n, chunks: 0, bytes: 0, events: 0 });
    expect(await exports.add({ ...one, chunks: 1 }, content('what bob said'), met)).toBe(false);
    expect(await keys(one)).toBe(0);
    const again = await begun(await taken());
    await exports.add(again, content('nothing of bob'), met);
    expect(await textOf(again)).toBe('nothing of bob');
  });

  it('makes what is done useless, if it has something of the person or room', async () => {
    const one = await done();
    await exports.forget('e1', { kind: 'person', userId: cem });
    await exports.forget('e2', { kind: 'room', roomId: otherRoom });
    expect(await statusOf(one)).toBe('done');
    await exports.forget('e3', ofBob);
    expect(await statusOf(one)).toBe('failed');
    expect([await keys(one), (await exports.lengths(one.id)).size]).toEqual([0, 0]);
    await expect(textOf({ ...one })).resolves.toBe('');
  });

  it('of a room, a message or days of it likewise', async () => {
    for (const scope of [
      { kind: 'room', roomId: room },
      { kind: 'message', roomId: room, messageId: 'm', authorId: bob, day: '2026-01-01' },
      { kind: 'days', roomId: room, from: '2026-01-01', to: '2026-01-02' },
    ] as const) {
      const one = await done();
      await exports.forget('e1', scope);
      expect([scope.kind, await statusOf(one)]).toEqual([scope.kind, 'failed']);
    }
  });

  it('of other days than those that were asked for changes nothing', async () => {
    const one = await running([], { room, from: '2026-02-01T00:00:00.000Z', to: '2026-02-02T23:59:59.999Z' });
    await exports.forget('e1', { kind: 'days', roomId: room, from: '2026-01-01', to: '2026-01-31' });
    expect(await statusOf(one)).toBe('running');
    await exports.forget('e1', { kind: 'days', roomId: room, from: '2026-01-01', to: '2026-02-01' });
    expect(await statusOf(one)).toBe('queued');
  });

  it('leaves alone what was made in the knowledge of it, however often it is carried out', async () => {
    const [ready, under] = [await done(['e1']), await running(['e1'])];
    await exports.forget('e1', ofBob);
    await exports.forget('e1', ofBob);
    expect([await statusOf(under), await statusOf(ready)]).toEqual(['running', 'done']);
  });

  it('of a person takes their exports with it', async () => {
    const one = await done();
    await exports.forget('e1', { kind: 'person', userId: one.userId });
    expect(await exports.find(one.id)).toBeNull();
    expect(await keys(one)).toBe(0);
  });
});

describe('a key of a bundle that was destroyed', () => {
  const ofRoom = { kind: 'room', roomId: room } as const;

  it('does not come back when the bundle is read, or finished', async () => {
    const one = await running();
    await exports.add(one, content('one'), met);
    const lengths = await exports.lengths(one.id);
    await exports.forget('e1', ofRoom);
    const reading = async () => {
      for await (const _ of exports.content(one, 'events.ndjson', lengths.get('events.ndjson') ?? 0));
    };
    await expect(reading()).rejects.toThrow(ExportGone);
    expect(await exports.finish({ ...one, chunks: 1 }, content('x').files, { bytes: 1, days: 1 })).toBe(false);
    expect(await keys(one)).toBe(0);
  });

  it('does not come back, nor does one come to be, when a chunk is late', async () => {
    const one = await running();
    await exports.forget('e1', ofRoom);
    expect(await exports.add(one, content('late'), met)).toBe(false);
    expect(await keys(one)).toBe(0);
    const again = await begun(await taken());
    expect(await exports.add(again, content('one'), met)).toBe(true);
    await exports.forget('e2', ofRoom);
    for (const chunks of [0, 1]) expect(await exports.add({ ...again, chunks }, content('late'), met)).toBe(false);
    await exports.fail(await begun(await taken()), 'Enough.');
    expect(await exports.add(again, content('late'), met)).toBe(false);
    expect(await keys(one)).toBe(0);
  });

  it('does not come to be when the erasure and the first chunk meet', async () => {
    for (let n = 0; n < 30; n++) {
      const one = await running();
      await Promise.all([exports.add(one, content('first'), met), exports.forget(`e${n}`, ofRoom)]);
      expect(await keys(one)).toBe(0);
      await exports.fail(await taken(), 'Enough.');
    }
  });
});
