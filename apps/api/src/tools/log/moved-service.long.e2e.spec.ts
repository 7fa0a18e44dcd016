import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StandIn } from '../../../../../libs/event-store/src/kurrentdb/stand-in.testing.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { rebuiltBeside } from '../../tests/harness/rebuilt.testing.js';
import { startProcess } from '../../tests/harness/service-process.testing.js';
import { register, TestPerson } from '../../tests/harness/test-client.testing.js';
import { logCommand } from './cli-process.testing.js';

/** An event store to move to, in which every event stands at another position. */
interface Elsewhere {
  readonly url: string;
  /** Called when the log has been copied there. */
  copied(): Promise<void>;
  remove(): Promise<void>;
}

async function postgresElsewhere(): Promise<Elsewhere> {
  const url = await createDatabase();
  const copied = async () => {
    const sql = postgres(url, { max: 1 });
    await sql`update log.events set position = position + 1000000`;
    await sql.end();
  };
  return { url, copied, remove: () => dropDatabase(url) };
}

async function kurrentElsewhere(): Promise<Elsewhere> {
  const standIn = await StandIn.start();
  return { url: standIn.url, copied: async () => undefined, remove: async () => standIn.stop() };
}

describe.each([
  ['PostgreSQL', postgresElsewhere],
  ['KurrentDB', kurrentElsewhere],
])('a service that is moved to another event store, %s, and back', (_, prepare) => {
  let databaseUrl: string;
  let elsewhere: Elsewhere;
  let folder: string;
  let sql: Sql;
  beforeAll(async () => {
    databaseUrl = await createDatabase();
    elsewhere = await prepare();
    folder = await mkdtemp(join(tmpdir(), 'verbatim-moved-'));
    sql = postgres(databaseUrl, { max: 2, onnotice: () => undefined });
  });
  afterAll(async () => {
    await sql.end();
    await dropDatabase(databaseUrl);
    await elsewhere.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const liveSchema = async () => {
    const [row] = await sql<{ n: number }[]>`select n from desk.read_schemas where state = 'live'`;
    return row?.n;
  };

  it('shows the same as before, and read models that equal a rebuild', async () => {
    const here = { DATABASE_URL: databaseUrl, VERBATIM_DATA: folder };
    const there = { ...here, EVENT_STORE_URL: elsewhere.url };
    let service = await startProcess(here);
    const ada = await register(service.url);
    const room = await ada.room();
    const path = `/v1/rooms/${room}/messages`;
    const { id } = await ada.says(room, 'first');
    await ada.patch(`${path}/${id}`, { text: 'first, edited' });
    for (let i = 0; i < 20; i++) await ada.says(room, `message ${i}`);
    const before = (await ada.get(path)).body;
    await service.end('SIGTERM');
    expect((await logCommand('copy', '--from', databaseUrl, '--to', elsewhere.url)).code).toBe(0);
    await elsewhere.copied();
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

    expect((await logCommand('copy', '--from', elsewhere.url, '--to', databaseUrl)).code).toBe(0);
    service = await startProcess(here);
    const back = new TestPerson(service.url, ada.id, ada.username, ada.accessToken, '');
    const messages = await back.get(path, { 'verbatim-position': '1000010' });
    expect(messages.body).toEqual(withMore);
    const rebuiltHere = await rebuiltBeside(sql, here);
    expect(rebuiltHere.after).toEqual(rebuiltHere.before);
    await service.end('SIGTERM');
  }, 120_000);
});
