import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createDatabase, dropDatabase } from '../harness/database.testing.js';
import { rebuiltBeside } from '../harness/rebuilt.testing.js';
import { startProcess } from '../harness/service-process.testing.js';
import { register, TestPerson } from '../harness/test-client.testing.js';

/** Kills of one run; the seeded moments make a failing run repeatable. */
const KILLS = process.env.LONG === '1' ? 25 : 5;

describe('a service that is killed while it projects', () => {
  let databaseUrl: string;
  let folder: string;
  let sql: Sql;
  beforeAll(async () => {
    databaseUrl = await createDatabase();
    folder = await mkdtemp(join(tmpdir(), 'verbatim-killed-'));
    sql = postgres(databaseUrl, { max: 2, onnotice: () => undefined });
  });
  afterAll(async () => {
    await sql.end();
    await dropDatabase(databaseUrl);
    await rm(folder, { recursive: true, force: true });
  });

  it('continues where it was, and its read models equal a fresh rebuild', async () => {
    const environment = { DATABASE_URL: databaseUrl, VERBATIM_DATA: folder };
    let acknowledged = 0;
    let person: TestPerson | null = null;
    let room = '';
    for (let kill = 0; kill < KILLS; kill++) {
      const service = await startProcess(environment);
      person = person
        ? new TestPerson(service.url, person.id, person.username, person.accessToken, '')
        : await register(service.url);
      room ||= await person.room();
      const { get, post, put, patch, delete: remove } = person;
      const bustle = Array.from({ length: 8 }, async (_, writer) => {
        for (let turn = 0; ; turn++) {
          const path = `/v1/rooms/${room}/messages`;
          const posted = await post(path, { text: `${kill} ${writer} ${turn}` }).catch(() => null);
          if (posted?.status !== 201) return;
          acknowledged++;
          const message = `${path}/${posted.body.id}`;
          if (turn % 3 === 0) await patch(message, { text: `${kill} edited` }).catch(() => null);
          if (turn % 3 === 1) await put(`${message}/reactions/%F0%9F%91%8D`).catch(() => null);
          if (turn % 5 === 4) await remove(message).catch(() => null);
          if (turn % 7 === 6) await get('/v1/inbox').catch(() => null);
        }
      });
      // Killed at another moment each time, but not before something was there to be lost.
      await vi.waitUntil(() => acknowledged >= (kill + 1) * 10, { timeout: 30_000, interval: 5 });
      await new Promise((resolve) => setTimeout(resolve, (kill * 37) % 150));
      await service.end('SIGKILL');
      await Promise.all(bustle);
    }

    const service = await startProcess(environment);
    const { before, after } = await rebuiltBeside(sql, environment);
    await service.end('SIGTERM');

    expect(acknowledged).toBeGreaterThanOrEqual(KILLS * 10);
    expect(after.messages?.length).toBeGreaterThanOrEqual(acknowledged);
    expect(after).toEqual(before);
  }, 240_000);
});
