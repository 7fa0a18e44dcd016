import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, fchownSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isRoot } from './account.js';

/**
 * A file lock that the kernel releases when the last process with `fd` open exits, for whatever reason. A child that
 * inherits `fd` holds the same lock. The file itself stays: removing it would let two processes lock two files of the same
 * name.
 */
export interface LockFile {
  fd: number;
  /** Replaces the text of the file, for processes that find it locked. */
  write(text: string): void;
  /** Empties the file and closes our `fd`; may be called again. */
  release(): void;
}

/** Tries for this many milliseconds; null if others held the lock throughout. */
export async function lockWithin(path: string, timeoutMs: number): Promise<LockFile | null> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const fd = await tryLock(path, 'exclusive');
    if (fd !== null) {
      if (isRoot()) giveToOwnerOfFolder(fd, path);
      return lockFile(fd);
    }
    if (performance.now() > deadline) return null;
    await delay(50);
  }
}

/** Whether some process holds the lock now. */
export async function isHeld(path: string): Promise<boolean> {
  try {
    const fd = await tryLock(path, 'shared');
    if (fd !== null) closeSync(fd);
    return fd === null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** The text that the holder wrote, empty when there is none. */
export function readLockFile(path: string): Promise<string> {
  return readFile(path, 'utf8');
}

function lockFile(fd: number): LockFile {
  let open = true;
  return {
    fd,
    write(text) {
      ftruncateSync(fd);
      writeSync(fd, text, 0);
    },
    release() {
      if (!open) return;
      open = false;
      ftruncateSync(fd);
      closeSync(fd);
    },
  };
}

/** So that the folder's owner can start the service after root did. */
function giveToOwnerOfFolder(fd: number, path: string): void {
  const { uid, gid } = statSync(dirname(path));
  fchownSync(fd, uid, gid);
}

/**
 * Node has no call for flock(2). macOS can lock while opening. On Linux the command `flock` locks the open file that it
 * inherits from us, and the lock remains ours after the command exits.
 */
async function tryLock(path: string, mode: 'exclusive' | 'shared'): Promise<number | null> {
  const flags = mode === 'exclusive' ? constants.O_RDWR | constants.O_CREAT : constants.O_RDONLY;
  if (process.platform === 'darwin') return openLocked(path, flags, mode);
  const fd = openSync(path, flags, 0o600);
  let locked = false;
  try {
    locked = await flock(path, fd, mode);
    return locked ? fd : null;
  } finally {
    if (!locked) closeSync(fd);
  }
}

function openLocked(path: string, flags: number, mode: 'exclusive' | 'shared'): number | null {
  const [O_SHLOCK, O_EXLOCK] = [0x10, 0x20];
  try {
    return openSync(path, flags | constants.O_NONBLOCK | (mode === 'exclusive' ? O_EXLOCK : O_SHLOCK), 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return null;
    throw error;
  }
}

async function flock(path: string, fd: number, mode: 'exclusive' | 'shared'): Promise<boolean> {
  const child = spawn('flock', [mode === 'exclusive' ? '-x' : '-s', '-n', '3'], {
    stdio: ['ignore', 'ignore', 'pipe', fd],
  });
  let complaint = '';
  child.stderr?.on('data', (chunk) => {
    complaint += chunk;
  });
  const [code] = await once(child, 'close').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Error('The command flock is missing: install the package util-linux, or set DATABASE_URL.');
  });
  if (code === 0 || code === 1) return code === 0;
  throw new Error(`The file ${path} cannot be locked: ${complaint.trim() || `flock exited with ${code}`}`);
}
