import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Builds the projects if their sources have changed since the last build, and otherwise leaves the output alone: a running
 * service may be loading it. Several builds at once take turns, and those that waited find nothing left to do.
 * With `--if-missing` only what was never built is built, whatever has changed since.
 */

const state = '.nx/verbatim';
/** Files without which there is no service to start. */
const outputs = ['apps/api/dist/main.js', 'apps/api/dist/cli.js', 'apps/admin/out/index.html'];
const rootInputs = ['package-lock.json', 'tsconfig.base.json', 'nx.json'];
const inputFolders = ['apps', 'libs'];
const notInputs = /(^|\/)(node_modules|dist|out|\.next|e2e)$|\.(spec|testing)\.tsx?$|\.tsbuildinfo$/;
const POLL_MS = 100;

/**
 * @param {{ root: string, command: string[], onlyMissing?: boolean }} options `command` builds everything and is run in `root`
 * @returns {Promise<boolean>} whether it was run
 */
export async function buildIfNeeded({ root, command, onlyMissing = false }) {
  if (await isCurrent(root, onlyMissing)) return false;
  const unlock = await lock(join(root, state, 'lock'));
  try {
    if (await isCurrent(root, onlyMissing)) return false;
    const sources = await fingerprint(root);
    await run(root, command);
    await writeFile(join(root, state, 'built'), sources);
    return true;
  } finally {
    await unlock();
  }
}

async function isCurrent(root, onlyMissing) {
  if (!outputs.every((file) => existsSync(join(root, file)))) return false;
  const built = await readFile(join(root, state, 'built'), 'utf8').catch(() => null);
  return (onlyMissing && built !== null) || built === (await fingerprint(root));
}

/** SHA-256 of everything the build of `folders` reads: sources, configuration, and the one variable that goes into the dashboard. */
export async function fingerprint(root, folders = inputFolders) {
  const hash = createHash('sha256').update(process.env.NEXT_PUBLIC_API_URL ?? '');
  const files = [...rootInputs, ...(await Promise.all(folders.map((folder) => filesBelow(root, folder)))).flat()];
  for (const file of files) {
    const content = await readFile(join(root, file)).catch(() => '');
    hash.update(`\n${file}\n${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

async function filesBelow(root, folder) {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
  const found = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${folder}/${entry.name}`;
    if (notInputs.test(path)) continue;
    if (entry.isDirectory()) found.push(...(await filesBelow(root, path)));
    else if (entry.isFile()) found.push(path);
  }
  return found;
}

/** Waits until no other process holds the file; one that a killed process left behind is removed. */
async function lock(file) {
  await mkdir(dirname(file), { recursive: true });
  for (;;) {
    try {
      const held = await open(file, 'wx');
      await held.writeFile(`${process.pid}`);
      await held.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const holder = Number(await readFile(file, 'utf8').catch(() => ''));
      if (holder > 0 && !isAlive(holder)) await rm(file, { force: true });
      await pause(POLL_MS);
    }
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function run(root, [program, ...args]) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`The build failed with exit code ${code}.`)),
    );
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..');
  const command = ['npx', 'nx', 'run-many', '-t', 'build', '--outputStyle=stream-without-prefixes'];
  buildIfNeeded({ root, command, onlyMissing: process.argv.includes('--if-missing') }).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
