import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEventStore, PostgresKeyRing, Sealer, verifyLog } from '@verbatim/event-store';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../config.js';
import { connect } from '../../storage/database/pool.js';
import { masterKeys } from '../../storage/vault/master-key.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import type { Surroundings } from '../command.js';
import { seedCommand } from './seed-command.js';

const options = ['--users', '120', '--rooms', '12', '--messages', '900', '--seed', '5', '--until', '2026-01-01'];

/** A service on a folder of its own, which the command line can be told of. */
interface Place {
  readonly service: TestService;
  readonly folder: string;
}

describe('a seed', () => {
  let place: Place;
  let another: Place;
  let admin: TestPerson;
  const places: Place[] = [];

  const begin = async (): Promise<Place> => {
    const folder = await mkdtemp(join(tmpdir(), 'verbatim-seed-'));
    const service = await startTestService({ environment: { VERBATIM_DATA: folder } });
    const begun = { service, folder };
    places.push(begun);
    return begun;
  };

  beforeAll(async () => {
    [place, another] = [await begin(), await begin()];
    expect(await run(place, options)).toBe(0);
    expect(await run(another, options)).toBe(0);
    await place.service.restart();
    admin = await signIn(place.service.url);
  }, 120_000);

  afterAll(async () => {
    for (const { service, folder } of places) {
      await service.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('is there for everybody to see: people, rooms, members and messages', async () => {
    const people = await admin.all('/v1/users');
    expect(people).toHaveLength(121);
    expect(people.some(({ displayName }) => /\p{Script=Cyrillic}|\p{Script=Han}/u.test(displayName))).toBe(true);
    const rooms = await admin.all('/v1/rooms');
    expect(rooms).toHaveLength(12);
    expect(rooms.reduce((sum, { messageCount }) => sum + messageCount, 0)).toBe(900);
    const [{ id, memberCount }] = rooms.toSorted((one, other) => other.messageCount - one.messageCount);
    const messages = await admin.all(`/v1/rooms/${id}/messages`, 200, { 'verbatim-reason': 'to look' });
    const members = await admin.all(`/v1/rooms/${id}/members`, 200, { 'verbatim-reason': 'to look' });
    expect(members).toHaveLength(memberCount);
    for (const { text, author, redactedAt, postedAt } of messages) {
      expect(redactedAt !== null || text.length > 0).toBe(true);
      expect(author.username).toBeTruthy();
      expect(postedAt >= '2025-01-01' && postedAt < '2026-01-01').toBe(true);
    }
  });

  it('leaves the chain of every stream whole', async () => {
    await onLog(place, async (store) => {
      const { events, broken } = await verifyLog(store);
      expect(Number(events)).toBeGreaterThan(1_000);
      expect(broken).toEqual([]);
    });
  });

  it('is the same for the same numbers', async () => {
    expect(await happened(another)).toEqual(await happened(place));
  });

  it('takes the names: nobody else gets them', async () => {
    const [{ username }] = (await admin.get('/v1/users?limit=1&sort=createdAt')).body.items;
    const taken = await admin.post('/v1/auth/register', { username, password: 'correct horse' });
    expect(taken.body.code).toBe('name_taken');
    const room = (await admin.all('/v1/rooms?status=open&visibility=public'))[0];
    expect((await admin.post('/v1/rooms', { name: room.name })).body.code).toBe('name_taken');
  });

  it('works like any other service', async () => {
    const [room] = await admin.all('/v1/rooms?status=open&visibility=public');
    await admin.post(`/v1/rooms/${room.id}/members`, { userId: admin.id });
    await admin.says(room.id, 'Hello to all of you');
    const { items } = (await admin.get(`/v1/rooms/${room.id}/messages?limit=1`)).body;
    expect(items[0].text).toBe('Hello to all of you');
  });

  it('is refused where there is more than the first administrator, and where there is nobody', async () => {
    expect(await run(place, options)).toBe(1);
    const databaseUrl = await createDatabase();
    try {
      expect(await run({ ...place, service: { ...place.service, databaseUrl } }, options)).toBe(1);
    } finally {
      await dropDatabase(databaseUrl);
    }
  });
});

/** The command, in this process. */
function run({ service, folder }: Place, args: readonly string[]): Promise<number> {
  const { databaseUrl: url } = service;
  const surroundings: Surroundings = {
    config: readConfig({ VERBATIM_DATA: folder }),
    log: pino({ level: 'silent' }),
    database: async () => ({ url, directUrl: url, lost: new Promise(() => {}), stop: async () => {} }),
    tools: () => Promise.reject(new Error('not asked for')),
  };
  return seedCommand.run(args, surroundings);
}

async function onLog<T>({ service, folder }: Place, work: (store: Store, sealer: Sealer) => Promise<T>): Promise<T> {
  const store = await openEventStore({ url: service.databaseUrl });
  const sql = connect(service.databaseUrl);
  try {
    return await work(
      store,
      new Sealer(await PostgresKeyRing.open(sql, await masterKeys(readConfig({ VERBATIM_DATA: folder })))),
    );
  } finally {
    await store.close();
    await sql.end();
  }
}

type Store = Awaited<ReturnType<typeof openEventStore>>;

/** What happened in each stream but that of the administrator, without what is always new. */
const happened = (place: Place): Promise<Record<string, object[]>> =>
  onLog(place, async (store, sealer) => {
    const streams: Record<string, object[]> = {};
    for (let from = 0n, full = true; full; ) {
      const page = await store.readAll(from, 500);
      for (const { stream, revision, id, type, actor, occurredAt, data } of await sealer.open(page)) {
        if (occurredAt === undefined) continue;
        streams[stream] = [...(streams[stream] ?? []), { revision, id, type, actor, occurredAt, data }];
      }
      from = (page.at(-1)?.position ?? from) + 1n;
      full = page.length === 500;
    }
    return streams;
  });
