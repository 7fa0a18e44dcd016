import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../testing/database.testing.js';
import { rebuiltBeside } from '../testing/rebuilt.testing.js';
import { startProcess } from '../testing/service-process.testing.js';
import { register, TestPerson } from '../testing/test-client.testing.js';
import { logCommand } from './cli-process.testing.js';

describe('a service that is moved to another event store, and back', () => {
  let databaseUrl: string;
  let otherUrl: string;
  let folder: string;
  let sql: Sql;
  beforeAll(async () => {
    [databaseUrl, otherUrl] = [await createDatabase(), await createDatabase()];
    folder = await mkdtemp(join(tmpdir(), 'verbatim-moved-'));
    sql = postgres(databaseUrl, { max: 2, onnotice: () => undefined });
  });
  afterAll(async () => {
    await sql.end();
    await dropDatabase(databaseUrl);
    await dropDatabase(otherUrl);
    await rm(folder, { recursive: true, force: true });
  });

  const liveSchema = async () => {
    const [row] = await sql<{ n: number }[]>`select n from desk.read_schemas where state = 'live'`;
    return row?.n;
  };

  /** In the other store every event stands elsewhere, as it would in one that counts in another way. */
  async function shiftPositions(): Promise<void> {
    const other = postgres(otherUrl, { max: 1 });
    await other`update log.events set position = position + 1000000`;
    await other.end();
  }

  it('shows the same as before, and read models that equal a rebuild', async () => {
    const here = { DATABASE_URL: databaseUrl, VERBATIM_DATA: folder };
    const there = { ...here, EVENT_STORE_URL: otherUrl };
    let service = await startProcess(here);
    const ada = await register(service.url);
    const room = await ada.room();
    const path = `/v1/rooms/${room}/messages`;
    const { id } = await ada.says(room, 'first');
    await ada.patch(`${path}/${id}`, { text: 'first, edited' });
    for (let i = 0; i < 20; i++) await ada.says(room, `message ${i}`);
    const before = (await ada.get(path)).body;
    await service.end('SIGTERM');
    expect((await logCommand('copy', '--from', databaseUrl, '--to', otherUrl)).code).toBe(0);
    await shiftPositions();
    const atFirst = await liveSchema();

    service = await startProcess(there);
    const moved = new TestPerson(service.url, ada.id, ada.username, ada.accessToken, '');
    expect((await moved.get(path)).body).toEqual(before);
    expect(await liveSchema()).not.toBe(atFirst);
    await moved.says(room, 'said there');
    const withMore = (await moved.get(path)).body;
    expect(withMore.items[0].text).toBe('said there');
    const rebuiltThere = await rebuiltBeside(sql, there);
    expect(rebuiltThere.after).toEqual(rebuiltThere.before);
    await service.end('SIGTERM');

    expect((await logCommand('copy', '--from', otherUrl, '--to', databaseUrl)).code).toBe(0);
    service = await startProcess(here);
    const back = new TestPerson(service.url, ada.id, ada.username, ada.accessToken, '');
    const messages = await back.get(path, { 'verbatim-position': '1000010' });
    expect(messages.body).toEqual(withMore);
    const rebuiltHere = await rebuiltBeside(sql, here);
    expect(rebuiltHere.after).toEqual(rebuiltHere.before);
    await service.end('SIGTERM');
  }, 120_000);
});
