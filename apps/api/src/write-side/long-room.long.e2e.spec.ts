import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GetTimelineHandler, GetTimelineQuery } from '../application/messages/message-queries.js';
import { RoomAccess } from '../application/rooms/room-access.js';
import { readConfig } from '../config.js';
import { accepted } from '../doors/refusal.js';
import { newId } from '../new-id.js';
import { createDatabase, dropDatabase } from '../tests/harness/database.testing.js';
import { openTools, type Tools } from '../tools/tools.js';
import { Inspections } from './inspections.js';

const actor = { id: '0198a000-0000-7000-8000-000000000001', role: 'user' } as const;
const short = { id: '0198a000-0000-7000-8000-00000000000a', messages: 200 };
const long = { id: '0198a000-0000-7000-8000-00000000000b', messages: 200_000 };

/** Noise of a shared machine is far below this, and cost that grows with the length of a room far above. */
const FLAT = 4;

describe('a room with 200,000 messages beside one with 200', () => {
  let databaseUrl: string;
  let folder: string;
  let tools: Tools;
  const open = () =>
    openTools({
      config: readConfig({ VERBATIM_DATA: folder }),
      database: {
        url: databaseUrl,
        directUrl: databaseUrl,
        lost: new Promise(() => undefined),
        stop: async () => undefined,
      },
      log: pino({ level: 'error' }),
    });

  beforeAll(async () => {
    databaseUrl = await createDatabase();
    folder = await mkdtemp(join(tmpdir(), 'verbatim-long-'));
    tools = await open();
    for (const room of [short, long]) {
      await post(tools, room.id, 0);
      for (let posted = 1; posted < room.messages; posted += 500) {
        const positions = await Promise.all(
          Array.from({ length: Math.min(500, room.messages - posted) }, (_, i) => post(tools, room.id, posted + i)),
        );
        // A room far ahead of its read models only answers that it is busy.
        if (posted % 5_000 < 500) await tools.readModels.reached(positions.at(-1) ?? 0n, 60_000);
      }
    }
    await tools.readModels.reached(await tools.store.head(), 120_000);
  }, 600_000);
  afterAll(async () => {
    await tools.close();
    await dropDatabase(databaseUrl);
    await rm(folder, { recursive: true, force: true });
  });

  it('costs the same to post in', async () => {
    const ratio = await compare((room) => post(tools, room.id, Math.random()), 60);
    console.log(`post: x ${ratio.toFixed(2)}`);
    expect(ratio).toBeLessThan(FLAT);
  });

  it('costs the same to read a page of at either end', async () => {
    const access = new RoomAccess(tools.rooms, new Inspections(tools.rooms), tools.readModels);
    const timeline = new GetTimelineHandler(access, tools.readModels);
    const purpose = { context: { correlation: newId() } };
    for (const order of ['newest', 'oldest'] as const) {
      const ratio = await compare(
        (room) => timeline.execute(new GetTimelineQuery(room.id, actor, purpose, order, undefined, { limit: 50 })),
        60,
      );
      console.log(`page, ${order} first: x ${ratio.toFixed(2)}`);
      expect(ratio).toBeLessThan(FLAT);
    }
  });

  it('costs no more to open cold than reading its snapshot and later events', async () => {
    const read = { events: 0 };
    const cold = await coldOpening(open, read);
    // At most what is written between two snapshots, and the event that the snapshot names.
    console.log(`open cold: x ${cold.ratio.toFixed(2)}, ${read.events} events read`);
    expect(read.events).toBeLessThanOrEqual(1_300);
    expect(cold.ratio).toBeLessThan(FLAT * 5);
  }, 120_000);

  it('is folded from its events when the snapshot is damaged or made by other rules', async () => {
    const before = (await tools.rooms.current(long.id)).state;
    const damages = [
      tools.sql`update cache.snapshots set sealed = overlay(sealed placing 'AAAA' from 40)`,
      tools.sql`update cache.snapshots set hash = repeat('0', 64)`,
      tools.sql`update cache.snapshots set rules = 'room-0'`,
    ];
    for (const damage of damages) {
      await damage;
      const other = await open();
      const { state } = await other.rooms.current(long.id);
      expect(state.revision).toBe(before.revision);
      expect([...state.members.entries()]).toEqual([...before.members.entries()]);
      await other.close();
    }
  }, 300_000);
});

async function post(tools: Tools, roomId: string, n: number): Promise<bigint> {
  const context = { correlation: '0198a000-0000-7000-8000-00000000000c' };
  if (n === 0) {
    const room = { actor, name: roomId, topic: '', visibility: 'hidden', history: 'full', passwordId: null } as const;
    return accepted(await tools.rooms.send(roomId, { type: 'CreateRoom', ...room }, context)).position;
  }
  const { v7 } = await import('uuid');
  const message = {
    actor,
    messageId: v7(),
    text: `message ${n} of a long conversation`,
    replyTo: null,
    kind: 'text',
  } as const;
  return accepted(await tools.rooms.send(roomId, { type: 'PostMessage', ...message }, context)).position;
}

/** How many times as long the work takes in the long room: medians of runs in turn. */
async function compare(work: (room: typeof short) => Promise<unknown>, times: number): Promise<number> {
  const took = new Map([short, long].map((room) => [room, [] as number[]]));
  for (let i = 0; i < times; i++) {
    for (const [room, all] of took) {
      const begun = performance.now();
      await work(room);
      all.push(performance.now() - begun);
    }
  }
  const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
  return median(took.get(long) ?? []) / median(took.get(short) ?? []);
}

async function coldOpening(open: () => Promise<Tools>, read: { events: number }): Promise<{ ratio: number }> {
  const took: number[] = [];
  for (const room of [short, long, short, long]) {
    const tools = await open();
    const original = tools.store.read.bind(tools.store);
    let events = 0;
    tools.store.read = async (...args) => {
      const page = await original(...args);
      events += page.length;
      return page;
    };
    const begun = performance.now();
    await tools.rooms.current(room.id);
    took.push(performance.now() - begun);
    read.events = Math.max(read.events, events);
    await tools.close();
  }
  return { ratio: ((took[1] ?? 0) + (took[3] ?? 0)) / ((took[0] ?? 0) + (took[2] ?? 0)) };
}
