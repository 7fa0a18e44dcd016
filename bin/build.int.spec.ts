import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'verbatim-build-'));
  for (const folder of ['apps/api/src', 'libs/domain/src']) await mkdir(join(root, folder), { recursive: true });
  await source('apps/api/src/main.ts', 'one');
  await source('libs/domain/src/room.ts', 'one');
});
afterEach(() => rm(root, { recursive: true }));

const source = (path: string, text: string) => writeFile(join(root, path), text);

/** What a build does here: notes that it began, takes a moment, writes the outputs, and notes that it ended. */
const builder = `
  const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs');
  appendFileSync('builds', 'begin ');
  setTimeout(() => {
    for (const file of ['apps/api/dist/main.js', 'apps/api/dist/cli.js', 'apps/admin/out/index.html']) {
      mkdirSync(require('node:path').dirname(file), { recursive: true });
      writeFileSync(file, '');
    }
    appendFileSync('builds', 'end ');
  }, 300);`;

/** Runs the build in a process of its own; gives its exit code. */
async function build(more: object = {}, command: string[] = [process.execPath, '-e', builder]): Promise<number> {
  const options = JSON.stringify({ root, command, ...more });
  const script = `import { buildIfNeeded } from ${JSON.stringify(join(import.meta.dirname, 'build.js'))}; await buildIfNeeded(${options});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  return code;
}
const builds = async () => (await readFile(join(root, 'builds'), 'utf8').catch(() => '')).trim();

describe('a build', () => {
  it('is done once, and again only when a source has changed', async () => {
    await build();
    await build();
    expect(await builds()).toBe('begin end');
    await source('apps/api/src/main.spec.ts', 'a test is no source');
    await build();
    expect(await builds()).toBe('begin end');
    await source('libs/domain/src/room.ts', 'two');
    await build();
    expect(await builds()).toBe('begin end begin end');
    await rm(join(root, 'libs/domain/src/room.ts'));
    await build();
    expect(await builds()).toBe('begin end begin end begin end');
  });

  it('is done again when its output is gone', async () => {
    await build();
    await rm(join(root, 'apps/admin/out'), { recursive: true });
    await build();
    expect(await builds()).toBe('begin end begin end');
  });

  it('is done by one of several that start at once, and the others wait for it', async () => {
    await Promise.all([build(), build(), build()]);
    expect(await builds()).toBe('begin end');
  });

  it('that only fills what is missing leaves an old one alone', async () => {
    await build({ onlyMissing: true });
    await source('apps/api/src/main.ts', 'two');
    await build({ onlyMissing: true });
    expect(await builds()).toBe('begin end');
  });

  it('that failed is not taken for done', async () => {
    expect(await build({}, [process.execPath, '-e', 'process.exit(3)'])).not.toBe(0);
    expect(await build()).toBe(0);
    expect(await builds()).toBe('begin end');
  });

  it('does not wait for a process that was killed', async () => {
    await mkdir(join(root, '.nx/verbatim'), { recursive: true });
    const gone = spawn(process.execPath, ['-e', '']);
    await once(gone, 'exit');
    await appendFile(join(root, '.nx/verbatim/lock'), `${gone.pid}`);
    await build();
    expect(await builds()).toBe('begin end');
  });
});
