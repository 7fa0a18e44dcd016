import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, lchown, mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './account.js';
import type { Binaries } from './binaries.js';

/** The files of the database. */
export interface Cluster {
  folder: string;
  /** Of the superuser `verbatim`; safe within a url. */
  password: string;
}

export interface ClusterOptions {
  account: Account;
  binaries: Binaries;
  /** Open lock file that every process of PostgreSQL inherits. */
  lockFd: number;
  log: (line: string) => void;
}

const passwordFile = 'verbatim.password';

/** Opens the cluster in `dataFolder/postgres`, or creates it. */
export async function openCluster(dataFolder: string, options: ClusterOptions): Promise<Cluster> {
  await removeUnfinished(dataFolder);
  const folder = join(dataFolder, 'postgres');
  const owner = await stat(folder).catch(() => null);
  if (!owner || (await readdir(folder)).length === 0) await makeCluster(dataFolder, folder, options);
  else if (owner.uid !== options.account.uid) await giveTo(options.account, folder);
  return { folder, password: await readPassword(folder) };
}

/** The password of the superuser, stored beside the database files. */
export async function readPassword(clusterFolder: string): Promise<string> {
  const password = await readFile(join(clusterFolder, passwordFile), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Error(
      `The folder ${clusterFolder} was not created by this service: it has no ${passwordFile}. ` +
        'Put that file back, or choose another folder with VERBATIM_DATA.',
    );
  });
  return password.trim();
}

/** Everything happens in a temporary folder and ends with one rename, so a kill leaves nothing that looks like a cluster. */
async function makeCluster(dataFolder: string, folder: string, options: ClusterOptions): Promise<void> {
  options.log(`creating the database in ${folder}`);
  const tempFolder = await mkdtemp(join(dataFolder, 'postgres.new-'));
  try {
    const unfinished = join(tempFolder, 'postgres');
    const password = join(tempFolder, passwordFile);
    await mkdir(unfinished, { mode: 0o700 });
    await writeFile(password, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flush: true });
    await giveTo(options.account, tempFolder);
    await initialize(unfinished, password, options);
    await createDatabase(unfinished, options);
    await rename(password, join(unfinished, passwordFile));
    await syncFolder(unfinished);
    await rename(unfinished, folder);
    await syncFolder(dataFolder);
  } finally {
    await rm(tempFolder, { recursive: true, force: true });
  }
}

async function initialize(folder: string, password: string, options: ClusterOptions): Promise<void> {
  const users = ['--username=verbatim', `--pwfile=${password}`, '--auth=scram-sha-256'];
  await run(options.binaries.initdb, [`--pgdata=${folder}`, ...users, ...localeArguments()], options);
}

/**
 * PostgreSQL's built-in locale sorts and case-folds the same way on every system. The C library's is used for little more
 * than word boundaries; macOS has none named C.UTF-8.
 */
function localeArguments(): string[] {
  const locale =
    process.platform === 'darwin'
      ? ['--locale=C', '--lc-ctype=en_US.UTF-8', '--builtin-locale=C.UTF-8']
      : ['--locale=C.UTF-8'];
  return ['--encoding=UTF8', '--locale-provider=builtin', ...locale];
}

async function createDatabase(folder: string, options: ClusterOptions): Promise<void> {
  const args = ['--single', '-D', folder, '-c', 'exit_on_error=on', '-c', 'log_checkpoints=off', 'postgres'];
  await run(options.binaries.postgres, args, options, 'CREATE DATABASE verbatim\n');
}

/** Runs a program until it exits. If the service is killed, the program soon dies because its standard output is closed. */
async function run(program: string, args: string[], options: ClusterOptions, input = ''): Promise<void> {
  const { account, lockFd } = options;
  const child = account.spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe', lockFd] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  // A program that exits early says why on standard error, so write errors are ignored.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const [code, signal] = await once(child, 'close');
  if (code === 0) return;
  const lastLines = output.trim().split('\n').slice(-10).join('\n');
  throw new Error(`The database could not be created (${program} exited with ${signal ?? code}).\n${lastLines}`);
}

async function removeUnfinished(dataFolder: string): Promise<void> {
  for (const name of await readdir(dataFolder)) {
    if (name.startsWith('postgres.new-')) await rm(join(dataFolder, name), { recursive: true, force: true });
  }
}

/** The folder itself is last: its owner shows that everything in it has been handed over. */
async function giveTo(owner: Pick<Account, 'uid' | 'gid'>, folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await giveTo(owner, path);
    else await lchown(path, owner.uid, owner.gid);
  }
  await chown(folder, owner.uid, owner.gid);
}

/** A rename survives a loss of power only once its folder is on disk. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  await handle.sync().finally(() => handle.close());
}
