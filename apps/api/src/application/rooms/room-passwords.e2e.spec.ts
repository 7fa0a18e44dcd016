import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../config.js';
import { outcome } from '../../tests/harness/contract.testing.js';
import { register, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { openTools, type Tools } from '../../tools/tools.js';

const MASTER_KEY = Buffer.alloc(32, 7).toString('base64');

let service: TestService;
let tools: Tools;
let folder: string;
let sql: postgres.Sql;
let ada: TestPerson;
let bob: TestPerson;
beforeAll(async () => {
  service = await startTestService({ environment: { MASTER_KEY } });
  sql = postgres(service.databaseUrl, { max: 2, onnotice: () => undefined });
  [ada, bob] = [await register(service.url), await register(service.url)];
  folder = await mkdtemp(join(tmpdir(), 'verbatim-passwords-'));
  const { databaseUrl: url } = service;
  tools = await openTools({
    config: readConfig({ VERBATIM_DATA: folder, LOG_LEVEL: 'error', MASTER_KEY }),
    database: { url, directUrl: url, lost: new Promise(() => undefined), stop: async () => undefined },
    log: pino({ level: 'error' }),
  });
});
afterAll(async () => {
  await tools.close();
  await sql.end();
  await service.stop();
  await rm(folder, { recursive: true, force: true });
});

const hashesOf = async (room: string) =>
  (await sql<{ id: string }[]>`select id from vault.room_passwords where room_id = ${room}`).map(({ id }) => id);
const joinRoom = async (room: string, password: string) =>
  outcome(await bob.post(`/v1/rooms/${room}/members`, { password }));

describe('the hash of a room password', () => {
  it('is deleted when the password is changed or removed, or the room closed', async () => {
    const room = await ada.room({ password: 'first' });
    const before = await hashesOf(room);
    expect(before).toHaveLength(1);
    await ada.patch(`/v1/rooms/${room}`, { topic: 'unrelated' });
    expect(await hashesOf(room)).toEqual(before);

    await ada.patch(`/v1/rooms/${room}`, { password: 'second' });
    expect(await hashesOf(room)).toHaveLength(1);
    expect(await hashesOf(room)).not.toEqual(before);
    await ada.patch(`/v1/rooms/${room}`, { password: null });
    expect(await hashesOf(room)).toEqual([]);

    await ada.patch(`/v1/rooms/${room}`, { password: 'third' });
    expect(await hashesOf(room)).toHaveLength(1);
    await ada.post(`/v1/rooms/${room}/close`);
    expect(await hashesOf(room)).toEqual([]);
  });

  it('stays for the password in use, however many are set at once', async () => {
    for (let race = 0; race < 5; race++) {
      const room = await ada.room({ password: 'first' });
      const words = ['second', 'third', 'fourth', 'fifth'];
      await Promise.all(words.map((password) => ada.patch(`/v1/rooms/${room}`, { password })));
      const joined = [];
      for (const password of words) joined.push(await joinRoom(room, password));
      expect(joined).toContain(201);
    }
  });

  it('is swept when a crash left it behind, and only then', async () => {
    const [open, closed, changing] = [
      await ada.room({ password: 'in use' }),
      await ada.room({ password: 'once' }),
      await ada.room({ password: 'in use' }),
    ];
    await ada.post(`/v1/rooms/${closed}/close`);
    const leave = async (room: string, age: string) => sql`
      insert into vault.room_passwords (id, room_id, password_hash, unchecked_since)
      values (${randomUUID()}, ${room}, 'left behind', now() - ${age}::interval)`;
    for (const room of [open, closed, randomUUID()]) await leave(room, '16 minutes');
    await leave(changing, '1 minute');
    await sql`update vault.room_passwords set unchecked_since = now() - interval '1 hour' where room_id = ${open}`;

    await tools.passwords.sweep();
    expect(await hashesOf(open)).toHaveLength(1);
    expect(await hashesOf(closed)).toEqual([]);
    expect(await hashesOf(changing)).toHaveLength(2);
    expect(
      await sql`select from vault.room_passwords where unchecked_since < now() - interval '15 minutes'`,
    ).toHaveLength(0);
    expect(await joinRoom(open, 'in use')).toBe(201);
  });
});
