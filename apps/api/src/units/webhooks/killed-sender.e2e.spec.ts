import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { type ServiceProcess, startProcess } from '../../tests/harness/service-process.testing.js';
import { eventually, register } from '../../tests/harness/test-client.testing.js';
import { Receiver } from './receiver.testing.js';

const KILLS = process.env.LONG === '1' ? 8 : 2;

/** The replica that started first is killed first, and then the one that took over. */
describe('a replica that is killed while it sends', () => {
  let databaseUrl: string;
  let folder: string;
  let receiver: Receiver;
  const running = new Set<ServiceProcess>();
  beforeAll(async () => {
    databaseUrl = await createDatabase();
    folder = await mkdtemp(join(tmpdir(), 'verbatim-killed-'));
    receiver = await Receiver.start();
  });
  afterAll(async () => {
    for (const replica of running) await replica.end('SIGKILL');
    await receiver.down();
    await dropDatabase(databaseUrl);
    await rm(folder, { recursive: true, force: true });
  });

  it('is replaced by another, and no event is lost', async () => {
    const environment = { DATABASE_URL: databaseUrl, VERBATIM_DATA: folder, WEBHOOK_ALLOW_PRIVATE: 'on' };
    const start = async () => {
      const replica = await startProcess(environment);
      running.add(replica);
      return replica;
    };
    let [first, second] = [await start(), await start()];
    const ada = await register(first.url);
    const room = await ada.room();
    const added = await ada.post(`/v1/rooms/${room}/webhooks`, { url: receiver.url });
    expect(added.status).toBe(201);
    // Slow enough that a delivery is always in progress when a replica is killed.
    receiver.answer = (response) => setTimeout(() => response.end(), 50);

    const said: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const victim = kill % 2 ? second : first;
      const survivor = kill % 2 ? first : second;
      const before = receiver.got.length;
      for (let i = 0; i < 15; i++) {
        const text = `${kill} ${i}`;
        await ada.at(i % 2 ? first.url : second.url).says(room, text);
        said.push(text);
      }
      await eventually(
        async () => receiver.got.length,
        (count) => count > before + 2,
      );
      await victim.end('SIGKILL');
      running.delete(victim);
      await ada.at(survivor.url).says(room, `${kill} after`);
      said.push(`${kill} after`);
      await eventually(
        async () => receiver.texts().length,
        (count) => count === said.length,
      );
      if (victim === first) first = await start();
      else second = await start();
    }

    expect(receiver.texts()).toEqual(said);
    const state = async () => (await ada.at(first.url).get(`/v1/rooms/${room}/webhooks/${added.body.id}`)).body;
    await eventually(state, (one) => one.deliveries.behind === 0);
  }, 120_000);
});
