import { chmod, chown, mkdir, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { chooseAccount, isRoot } from './account.js';
import { findBinaries } from './binaries.js';
import { openCluster, readPassword } from './cluster.js';
import { isHeld, type LockFile, lockWithin, readLockFile } from './lock-file.js';
import { endOrphan, type Server, type ServerEnd, startServer } from './server.js';

/** A PostgreSQL that belongs to this process and ends with it. */
export interface EmbeddedPostgres {
  /** `postgres://verbatim:<password>@127.0.0.1:<port>/verbatim`; the user is the superuser of this PostgreSQL. */
  url: string;
  /** Process id of the postmaster. */
  pid: number;
  /** Resolves when PostgreSQL exits without a call to `stop()`; the service can only report it and exit. */
  exited: Promise<ServerEnd>;
  /** Stops PostgreSQL, in bounded time, and releases the data folder. Every call returns the same promise. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Receives the log of PostgreSQL line by line. */
  log?: (line: string) => void;
  /** PostgreSQL settings that override ours, except those that ensure durability and secrecy. */
  settings?: Record<string, string>;
  /** TCP port; without it a free one is chosen at each start. */
  port?: number;
  /** Folder with `postgres` and `initdb` of PostgreSQL 18, instead of those that npm installed. */
  bin?: string | undefined;
}

/** Refusal to start on a data folder that another live service holds. */
export class DataFolderInUse extends Error {
  override readonly name = 'DataFolderInUse';

  /** @param pid Process that holds the folder; null when unknown, for example from within another container. */
  constructor(
    readonly folder: string,
    readonly pid: number | null,
  ) {
    super(
      `The data folder ${folder} is in use by ${pid ? `process ${pid}` : 'another process'}. ` +
        `Stop that service first${pid ? ` (kill ${pid})` : ''}, or choose another folder with VERBATIM_DATA.`,
    );
  }
}

/**
 * Starts the database in `folder/postgres`, creating both if necessary. Whatever a killed service left behind,
 * a running PostgreSQL or a half-created database, is stopped and cleaned up first.
 *
 * Two locks hold the folder, released by the kernel: `verbatim.lock` with this process, and `postgres.lock` with
 * the last process of PostgreSQL. The second outlives a killed service, so no two PostgreSQL ever write the same files.
 *
 * @throws DataFolderInUse when another live service holds the folder.
 */
export async function startEmbeddedPostgres(
  folder: string,
  { log = () => {}, settings = {}, port, bin }: EmbeddedPostgresOptions = {},
): Promise<EmbeddedPostgres> {
  const binaries = await findBinaries(bin);
  const { dataFolder, isOurs } = await makeFolder(folder);
  const serviceLock = await holdFolder(dataFolder);
  try {
    // We cannot make another owner's folder private, such as a volume that our group may use, and need not.
    if (isOurs) await chmod(dataFolder, 0o700).catch(() => {});
    const account = await chooseAccount(dataFolder, binaries);
    await endOrphan(join(dataFolder, 'postgres'), log);
    const databaseLock = await holdDatabase(dataFolder, log);
    try {
      const cluster = await openCluster(dataFolder, { account, binaries, lockFd: databaseLock.fd, log });
      const server = await startServer(cluster, { account, binaries, lockFd: databaseLock.fd, log, settings, port });
      try {
        serviceLock.write(`${process.pid} ${server.port}\n`);
      } catch (error) {
        // The disk is full: no one could find the server.
        await server.shutDown();
        throw error;
      }
      return running(server, urlOf(server.port, cluster.password), serviceLock);
    } finally {
      // From here on only PostgreSQL itself holds this lock.
      databaseLock.release();
    }
  } catch (error) {
    serviceLock.release();
    throw error;
  }
}

/**
 * For the command line: the URL of the database of the service that is running on this folder, or null when none runs or it
 * is not up yet. A database that outlived its service does not count: the next service will stop it.
 */
export async function findRunning(folder: string): Promise<string | null> {
  const path = join(resolve(folder), 'verbatim.lock');
  if (!(await isHeld(path))) return null;
  const { port } = parseHolder(await readLockFile(path));
  return port ? urlOf(port, await readPassword(join(resolve(folder), 'postgres'))) : null;
}

function running(server: Server, url: string, serviceLock: LockFile): EmbeddedPostgres {
  let stopped: Promise<void> | undefined;
  const stop = () => server.shutDown().finally(() => serviceLock.release());
  const exited = new Promise<ServerEnd>((resolve) => {
    server.ended.then((end) => {
      if (!stopped) resolve(end);
    });
  });
  return {
    url,
    pid: server.pid,
    exited,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

/**
 * Creates the folder, accessible to its owner only. An existing folder with other content is left as it is: it may be a
 * home folder, and everything we put into it has its own permissions.
 */
async function makeFolder(folder: string): Promise<{ dataFolder: string; isOurs: boolean }> {
  const firstMade = await mkdir(folder, { recursive: true, mode: 0o700 });
  const dataFolder = await realpath(folder);
  if (firstMade && isRoot()) await giveToOwnerOfParent(dataFolder, await realpath(firstMade));
  const content = await readdir(dataFolder).catch(() => {
    throw new Error(
      `The data folder ${dataFolder} belongs to another account. ` +
        'Start the service as that account, or choose another folder with VERBATIM_DATA.',
    );
  });
  return { dataFolder, isOurs: content.length === 0 || content.includes('verbatim.lock') };
}

/** If the service was started with sudo in a user's folder, that user remains the owner of its contents. */
async function giveToOwnerOfParent(folder: string, firstMade: string): Promise<void> {
  const { uid, gid } = await stat(dirname(firstMade));
  for (let made = folder; made.length >= firstMade.length; made = dirname(made)) await chown(made, uid, gid);
}

/** Waits a moment: the lock may only be held for a check, or its holder may not have written its process id yet. */
async function holdFolder(folder: string): Promise<LockFile> {
  const path = join(folder, 'verbatim.lock');
  const lock = await lockWithin(path, 500);
  if (!lock) {
    const { pid } = parseHolder(await readLockFile(path));
    throw new DataFolderInUse(folder, pid && isAlive(pid) ? pid : null);
  }
  try {
    lock.write(`${process.pid}\n`);
  } catch (error) {
    lock.release();
    throw error;
  }
  return lock;
}

/**
 * Remaining processes of a database without a postmaster, or of an interrupted initdb, exit on their own when their work is
 * done.
 */
async function holdDatabase(folder: string, log: (line: string) => void): Promise<LockFile> {
  const path = join(folder, 'postgres.lock');
  const atOnce = await lockWithin(path, 2_000);
  if (atOnce) return atOnce;
  log('waiting for processes of an earlier PostgreSQL to exit');
  const lock = await lockWithin(path, 30_000);
  if (lock) return lock;
  throw new Error(
    `Processes of an earlier PostgreSQL are still using ${join(folder, 'postgres')}. ` +
      'Stop them, also in other containers, and start again.',
  );
}

/** The holder may be in another container, whose process ids mean nothing here. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function parseHolder(text: string): { pid: number | null; port: number | null } {
  const [pid, port] = text.trim().split(' ').map(Number);
  return { pid: pid || null, port: port || null };
}

function urlOf(port: number, password: string): string {
  return `postgres://verbatim:${password}@127.0.0.1:${port}/verbatim`;
}
