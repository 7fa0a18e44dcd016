import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, stat } from 'node:fs/promises';
import type { Binaries } from './binaries.js';

/** The account under which PostgreSQL runs: ours, or another one when we are root, because PostgreSQL refuses to run as root. */
export interface Account {
  /** Owner of the files of the database, as we see it. */
  uid: number;
  gid: number;
  /** Starts a program of PostgreSQL without our environment, which may contain secrets. */
  spawn(program: string, args: string[], options: Pick<SpawnOptions, 'stdio' | 'detached'>): ChildProcess;
}

const nobody = 65_534;

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Chooses the account that can reach both the data folder and the programs. */
export async function chooseAccount(folder: string, binaries: Binaries): Promise<Account> {
  if (!isRoot()) return ourselves(process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  const owner = await stat(folder);
  if (owner.uid !== 0) {
    const account = switchingTo(owner.uid, owner.gid);
    if (await reaches(account, folder, binaries)) return account;
  } else {
    const mapped = rootUnderAnotherName();
    if (await reaches(mapped, folder, binaries)) return mapped;
    // Most containers forbid namespaces.
    const other = switchingTo(nobody, nobody);
    if (await reaches(other, folder, binaries)) return other;
    await letThrough(folder, nobody);
    if (await reaches(other, folder, binaries)) return other;
  }
  throw new Error(
    `PostgreSQL refuses to run as root, and no other account can access both ${folder} and ${binaries.postgres}. ` +
      'Start the service as an ordinary user, or set DATABASE_URL to the PostgreSQL to use.',
  );
}

function ourselves(uid: number, gid: number): Account {
  return { uid, gid, spawn: (program, args, options) => spawn(program, args, { ...options, env: environment() }) };
}

function switchingTo(uid: number, gid: number): Account {
  return {
    uid,
    gid,
    spawn: (program, args, options) => spawn(program, args, { ...options, env: environment(), uid, gid }),
  };
}

/** In a user namespace root can have another id and still own its files, also below folders of mode 0700. */
function rootUnderAnotherName(): Account {
  const mapping = ['-U', `--map-user=${nobody}`, `--map-group=${nobody}`, '--'];
  return {
    uid: 0,
    gid: 0,
    spawn: (program, args, options) =>
      spawn('unshare', [...mapping, program, ...args], { ...options, env: environment() }),
  };
}

/** A fixed locale keeps messages English, and macOS from starting threads in PostgreSQL. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C' };
}

/** Lets one group pass through the folder without listing it. */
async function letThrough(folder: string, gid: number): Promise<void> {
  await chown(folder, 0, gid);
  await chmod(folder, 0o710);
}

async function reaches(account: Account, folder: string, binaries: Binaries): Promise<boolean> {
  const script = 'test -x "$0" && "$1" --version';
  const child = account.spawn('/bin/sh', ['-c', script, folder, binaries.postgres], { stdio: 'ignore' });
  const [code] = await once(child, 'close').catch(() => [null]);
  return code === 0;
}
