import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from './tests/harness/database.testing.js';
import { startProcess } from './tests/harness/service-process.testing.js';

describe('the service as started by npm start, with its own database', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'verbatim-main-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'shuts down cleanly on %s, even if it comes twice',
    async (signal) => {
      const service = await startProcess({ VERBATIM_DATA: folder, DATABASE_URL: '' });
      const database = Number((await readFile(join(folder, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
      expect(runs(database)).toBe(true);

      service.child.kill(signal);
      const code = await service.end(signal);

      expect(code).toBe(0);
      expect(runs(database)).toBe(false);
    },
    60_000,
  );
});

it('prints the address of each enabled door at its start', async () => {
  const databaseUrl = await createDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'verbatim-main-'));
  const doors = ['MAKECHAT', 'CHATABLE', 'CHITCHAT', 'SFCHAT', 'CHATT', 'MQTT', 'MQTT_WS'];
  const service = await startProcess({
    ...{ DATABASE_URL: databaseUrl, VERBATIM_DATA: folder, HOST: '127.0.0.1' },
    ...Object.fromEntries(doors.map((name) => [`${name}_PORT`, '0'])),
  });
  const lines = [...service.output().matchAll(/^ {2}(\S.*?) +(\w+:\/\/127\.0\.0\.1):[1-9]\d*$/gm)];
  await service.end('SIGTERM');
  await dropDatabase(databaseUrl);
  await rm(folder, { recursive: true, force: true });
  expect(lines.map(([, title, address]) => `${title} ${address}`).sort()).toEqual([
    ...['MQTT (ws) ws://127.0.0.1', 'MQTT mqtt://127.0.0.1', 'SFChat http://127.0.0.1', 'chaTT http://127.0.0.1'],
    ...['chatable http://127.0.0.1', 'chitchat http://127.0.0.1', 'makechat http://127.0.0.1'],
  ]);
}, 60_000);

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
