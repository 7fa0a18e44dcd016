import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildGoProgram } from '../../../../../libs/transparency/src/go-programs.testing.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { downloaded, finished, keysOf, requested } from '../../tests/harness/exports.testing.js';
import { oldText, writeRoomOfOld } from '../../tests/harness/room-of-old.testing.js';
import { type ServiceProcess, startProcess } from '../../tests/harness/service-process.testing.js';
import { eventually, signIn } from '../../tests/harness/test-client.testing.js';

const MESSAGES = 10_000;
const second = buildGoProgram('verify');
let databaseUrl: string;
let folder: string;
const running = new Set<ServiceProcess>();

beforeAll(async () => {
  databaseUrl = await createDatabase();
  folder = await mkdtemp(join(tmpdir(), 'verbatim-killed-'));
});
afterAll(async () => {
  for (const replica of running) await replica.end('SIGKILL');
  await dropDatabase(databaseUrl);
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<ServiceProcess> {
  const replica = await startProcess({ DATABASE_URL: databaseUrl, VERBATIM_DATA: folder });
  running.add(replica);
  return replica;
}

async function end(replica: ServiceProcess, signal: NodeJS.Signals): Promise<void> {
  await replica.end(signal);
  running.delete(replica);
}

it('goes on where it was when the replica that made it is killed, again and again', async () => {
  let replica = await start();
  const room = randomUUID();
  const { id: owner } = await signIn(replica.url);
  await end(replica, 'SIGTERM');
  await writeRoomOfOld(databaseUrl, folder, { id: room, owner, messages: MESSAGES });
  replica = await start();
  let admin = await signIn(replica.url);
  const id = await requested(admin, { room });
  const progress = async () => (await admin.get(`/v1/exports/${id}`)).body;
  let before = 0;
  let kills = 0;
  while (kills < 2) {
    const { status, progress: reached } = await eventually(
      progress,
      ({ status, progress }) => status === 'done' || progress.done > before,
    );
    if (status === 'done') break;
    before = reached.done;
    await end(replica, 'SIGKILL');
    kills++;
    replica = await start();
    admin = admin.at(replica.url);
  }
  expect(kills).toBe(2);
  expect(before).toBeLessThan(MESSAGES);
  expect(await finished(admin, id)).toMatchObject({ status: 'done', events: MESSAGES + 2 });
  const bundle = await downloaded(admin, id);
  expect(bundle.events.map(({ revision }) => revision)).toEqual(Array.from({ length: MESSAGES + 2 }, (_, i) => i));
  expect(bundle.texts).toEqual(Array.from({ length: MESSAGES }, (_, n) => oldText(n)));
  expect(await bundle.verdict(replica.url)).toEqual([]);
  if (second) expect(await bundle.checkedBy([second], await keysOf(replica.url))).toMatchObject({ code: 0 });
}, 600_000);
