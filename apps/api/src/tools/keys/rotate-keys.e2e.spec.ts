import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../config.js';
import { Openbao, obtainOpenbao } from '../../storage/vault/openbao.testing.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { eventually, register, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { openTools, type Tools } from '../tools.js';
import { rotateRootKeyCommand } from './rotate-keys-command.js';

const program = obtainOpenbao();
const local = randomBytes(32).toString('base64');
let bao: Openbao;
let databaseUrl: string;
let sql: postgres.Sql;
beforeAll(async () => {
  if (!program) return;
  bao = await Openbao.start(program);
  databaseUrl = await createDatabase();
  sql = postgres(databaseUrl, { max: 2, onnotice: () => undefined });
}, 120_000);
afterAll(async () => {
  await bao?.stop();
  await sql?.end();
  if (databaseUrl) await dropDatabase(databaseUrl);
});

type Keys = Readonly<Record<string, string>>;
const start = (keys: Keys) => startTestService({ databaseUrl, environment: keys });

/** Runs `keys rotate` with these settings, as an operator would beside the service. */
async function rotate(keys: Keys): Promise<number> {
  const config = readConfig(keys);
  const log = pino({ level: 'error' });
  const database = {
    url: databaseUrl,
    directUrl: databaseUrl,
    lost: new Promise<string>(() => undefined),
    stop: async () => {},
  };
  let opened: Tools | undefined;
  const tools = async () => (opened = await openTools({ config, database, log }));
  try {
    return await rotateRootKeyCommand.run([], { config, log, database: async () => database, tools });
  } finally {
    await opened?.close();
  }
}

const wrappings = async (): Promise<string[]> =>
  (await sql<{ master: string }[]>`select master from vault.root_wrappings`).map(
    ({ master }) => master.split(':')[0] as string,
  );
const texts = async (person: TestPerson, room: string): Promise<string[]> =>
  (await person.all(`/v1/rooms/${room}/messages`)).map(({ text }) => text);

// Services are started a dozen times.
describe.runIf(program)('the master key', { timeout: 240_000 }, () => {
  it('moves from the environment into a key server and back, while two replicas serve', async () => {
    const transit: Keys = { MASTER_KEY: bao.place(), KMS_TOKEN: await bao.tokenFor('verbatim') };
    const first = await start({ MASTER_KEY: local });
    const ada = await register(first.url);
    const room = await ada.room();
    await ada.says(room, 'before');
    await first.stop();

    let events = 0;
    for (const [keys, kind] of [
      [{ ...transit, MASTER_KEY_BEFORE: local }, 'transit'],
      [{ ...transit, MASTER_KEY: local, MASTER_KEY_BEFORE: bao.place() }, 'local'],
    ] as const) {
      const replicas: TestService[] = [await start(keys), await start(keys)];
      const rooms = await Promise.all(replicas.map(({ url }) => ada.at(url).room()));
      let [over, said] = [false, 0];
      const talking = replicas.map(async ({ url }, n) => {
        while (!over) {
          await ada.at(url).says(rooms[n] as string, `during ${++said}`);
          // A person of their own for each, so that new keys are needed all the time.
          await ada.at(url).room();
        }
      });
      expect(await rotate(keys)).toBe(0);
      over = true;
      await Promise.all(talking);
      expect(said).toBeGreaterThan(0);
      expect(await wrappings()).toEqual([kind]);
      expect(await texts(ada.at((replicas[1] as TestService).url), room)).toEqual(['before']);
      await Promise.all(replicas.map((replica) => replica.stop()));

      // From now on without the old key.
      const { MASTER_KEY_BEFORE: _, ...alone } = keys;
      const after = await start(alone);
      expect(await texts(ada.at(after.url), room)).toEqual(['before']);
      const spoken = await Promise.all(rooms.map((one) => texts(ada.at(after.url), one)));
      expect(spoken.flat()).toHaveLength(said);
      await after.stop();
      const [{ count } = { count: 0 }] = await sql<{ count: number }[]>`select count(*)::int as count from log.events`;
      expect(count).toBeGreaterThan(events);
      events = count;
    }
    await expect(start(transit)).rejects.toThrow('The master key is not the one');
  });

  it('may be out of reach for a while; no process starts without it, and says what to do', async () => {
    const transit: Keys = { MASTER_KEY: bao.place(), KMS_TOKEN: bao.token };
    await rotate({ ...transit, MASTER_KEY_BEFORE: local });
    const service = await start(transit);
    const ada = await register(service.url);
    const room = await ada.room();
    await bao.stop();
    await ada.says(room, 'without the key server');
    expect(await texts(ada, room)).toEqual(['without the key server']);
    await eventually(
      async () => (await fetch(`${service.url}/health/ready`)).status,
      (status) => status === 200,
    );
    await service.stop();
    await expect(start(transit)).rejects.toThrow(
      /The key server at http:\/\/127\.0\.0\.1:\d+ cannot be used: it cannot be reached \(ECONNREFUSED\)[\s\S]*What to do: start it/,
    );
  });
});
