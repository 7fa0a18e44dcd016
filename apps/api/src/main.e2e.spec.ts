import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startProcess } from './tests/harness/service-process.testing.js';

describe('the service as npm start runs it, with a database of its own', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'verbatim-main-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ends in good order on %s, also when it comes twice',
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

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
