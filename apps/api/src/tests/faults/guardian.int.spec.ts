import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Guardian } from './guardian.testing.js';

it('a guardian kills what it guards, nothing else, and removes the folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'verbatim-guardian-'));
  const guardian = new Guardian(folder);
  const [one, other] = [spawn('sleep', ['60']), spawn('sleep', ['60'])];
  guardian.guard(one.pid);
  guardian.guard(other.pid);
  guardian.release(other.pid);
  const ended = once(one, 'exit');
  await guardian.dismiss();

  expect(await ended).toEqual([null, 'SIGKILL']);
  expect([other.exitCode, other.signalCode]).toEqual([null, null]);
  await expect(access(folder)).rejects.toThrow('ENOENT');
  other.kill();
});
