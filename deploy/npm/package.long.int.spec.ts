import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

// The service as one file of npm, run in an empty folder by a machine that has Node and a registry, and nothing else.

const run = promisify(execFile);
let parent: string;
/** Where nothing is but the file. */
let empty: string;
let file: string;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'verbatim-package-'));
  empty = await mkdtemp(join(parent, 'empty-'));
  const assembled = join(parent, 'assembled');
  await run(process.execPath, [fileURLToPath(new URL('assemble.js', import.meta.url)), assembled]);
  await run('npm', ['pack', '--pack-destination', empty], { cwd: assembled });
  file = `./${(await readdir(empty))[0]}`;
  await rm(assembled, { recursive: true });
}, 600_000);
const started: ChildProcess[] = [];
afterEach(() => {
  for (const { pid, exitCode, signalCode } of started.splice(0))
    if (pid && exitCode === null && signalCode === null) process.kill(-pid, 'SIGTERM');
});
afterAll(() => rm(parent, { recursive: true, force: true }));

/** Nothing of this checkout is in the environment. */
const environment = { PATH: process.env.PATH, HOME: process.env.HOME, PORT: '0', ADMIN_PASSWORD: 'runs from one file' };

function start(...words: string[]): { child: ChildProcess; printed: () => string } {
  const child = spawn('npx', ['--yes', file, ...words], { cwd: empty, env: environment, detached: true });
  started.push(child);
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => {
      printed += data;
    });
  return { child, printed: () => printed };
}

describe('npx with the packed service', () => {
  it('starts it with a database of its own and the dashboard, and a signal ends it', async () => {
    const { child, printed } = start();
    const ended = once(child, 'exit');
    await expect.poll(printed, { timeout: 300_000, interval: 500 }).toContain('is ready.');
    const url = /http:\/\/\S+?(?=\/admin\/)/.exec(printed())?.[0];
    await expect.poll(async () => (await fetch(`${url}/health/ready`)).status, { timeout: 60_000 }).toBe(200);
    expect((await fetch(`${url}/admin/`)).status).toBe(200);
    expect((await fetch(`${url}/docs`)).status).toBe(200);
    const body = JSON.stringify({ username: 'admin', password: environment.ADMIN_PASSWORD });
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(`${url}/v1/auth/login`, { method: 'POST', headers, body })).status).toBe(200);
    // As Ctrl-C does: npx and what it has started.
    process.kill(-(child.pid as number), 'SIGINT');
    await ended;
    expect(printed()).not.toContain('EBADENGINE');
    await expect.poll(() => fetch(`${url}/health/live`).catch(() => null), { timeout: 30_000 }).toBeNull();
  }, 600_000);

  it('is the command line with words behind it', async () => {
    const { child, printed } = start('log', 'verify');
    const [code] = await once(child, 'exit');
    expect(printed()).toContain('No stream is broken.');
    expect(code).toBe(0);
  }, 600_000);
});
