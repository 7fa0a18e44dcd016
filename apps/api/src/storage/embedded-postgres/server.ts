import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Cluster, ClusterOptions } from './cluster.js';

/** How the postmaster exited: its exit code, or the signal that killed it. */
export interface ServerEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Server {
  pid: number;
  port: number;
  ended: Promise<ServerEnd>;
  /** Stops the server, gracefully at first; when it resolves, everything possible has been done. */
  shutDown(): Promise<void>;
}

export interface ServerOptions extends ClusterOptions {
  settings: Record<string, string>;
  port: number | undefined;
}

/** Suited to a service with one pool of connections and many short transactions, on a shared machine. */
const ourSettings = {
  shared_buffers: '128MB',
  effective_cache_size: '512MB',
  work_mem: '8MB',
  max_connections: '100',
  jit: 'off',
  wal_compression: 'on',
  random_page_cost: '1.1',
  // Parallel queries need more /dev/shm than a container has, and processors that the service itself can use.
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  max_logical_replication_workers: '0',
  // Cancels long queries of a service that is gone.
  client_connection_check_interval: '5s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '',
  log_checkpoints: 'off',
};

/** Durability and secrecy depend on these; they cannot be overridden. */
const firmSettings = {
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  logging_collector: 'off',
  log_destination: 'stderr',
};

/** Recovery after a crash replays the log since the last checkpoint, which takes seconds, or minutes on a slow disk. */
const startTimeoutMs = 600_000;
const fastTimeoutMs = 15_000;
const immediateTimeoutMs = 10_000;
const portAttempts = 10;

/**
 * Starts the postmaster and waits until it accepts connections. Needs the lock on the cluster: it removes a stale
 * `postmaster.pid`.
 */
export async function startServer(cluster: Cluster, options: ServerOptions): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const outcome = await tryStart(cluster, port, options);
    if (outcome !== 'port taken') return outcome;
    if (options.port)
      throw new Error(`PostgreSQL cannot start: port ${port} of 127.0.0.1 is taken by another program.`);
    if (attempt === portAttempts) throw new Error(`PostgreSQL cannot start: ${attempt} ports were taken in a row.`);
  }
}

/** Stops a server still running on this cluster because its service was killed. */
export async function endOrphan(clusterFolder: string, log: (line: string) => void): Promise<void> {
  const pid = (await readPidFile(clusterFolder))?.pid;
  if (!pid || !(await worksIn(pid, clusterFolder))) return;
  log(`stopping the PostgreSQL of a service that was killed (process ${pid})`);
  const gone = (async () => {
    while (await worksIn(pid, clusterFolder)) await delay(20);
  })();
  await endPostmaster(pid, gone, log);
}

async function tryStart(cluster: Cluster, port: number, options: ServerOptions): Promise<Server | 'port taken'> {
  // Our lock proves that no PostgreSQL is running here; the process id in a leftover file may belong to any process by now.
  await rm(join(cluster.folder, 'postmaster.pid'), { force: true });
  const child = spawnPostmaster(cluster, port, options);
  const ended = endOf(child);
  const endWithUs = () => void child.kill('SIGINT');
  process.once('exit', endWithUs);
  ended.then(() => process.removeListener('exit', endWithUs));

  const lines = followLog(child, options.log);
  await once(child, 'spawn');
  const pid = child.pid as number;
  if (await becomesReady(pid, cluster.folder, ended, options.log)) {
    return { pid, port, ended, shutDown: () => endPostmaster(pid, ended, options.log) };
  }
  await endPostmaster(pid, ended, options.log);
  await within(once(child, 'close'), 1_000);
  if (lines.some((line) => line.includes('could not create any TCP/IP sockets'))) return 'port taken';
  throw new Error(`PostgreSQL did not start. Its last output:\n${lines.join('\n')}`);
}

/** In a session of its own, so that Ctrl-C reaches only the service and PostgreSQL is stopped last. */
function spawnPostmaster(cluster: Cluster, port: number, { account, binaries, lockFd, settings }: ServerOptions) {
  const all = { ...ourSettings, ...settings, ...firmSettings, port: String(port) };
  const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return account.spawn(binaries.postgres, ['-D', cluster.folder, ...args], {
    stdio: ['ignore', 'ignore', 'pipe', lockFd],
    detached: true,
  });
}

function endOf(child: ChildProcess): Promise<ServerEnd> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

/** Passes each line on, and keeps the last ones in case the start fails. */
function followLog(child: ChildProcess, log: (line: string) => void): string[] {
  const last: string[] = [];
  if (!child.stderr) return last;
  createInterface({ input: child.stderr }).on('line', (line) => {
    last.push(line);
    if (last.length > 20) last.shift();
    log(line);
  });
  return last;
}

async function becomesReady(
  pid: number,
  clusterFolder: string,
  ended: Promise<ServerEnd>,
  log: (line: string) => void,
): Promise<boolean> {
  const started = performance.now();
  let end: ServerEnd | undefined;
  ended.then((value) => {
    end = value;
  });
  while (!end && performance.now() - started < startTimeoutMs) {
    const file = await readPidFile(clusterFolder);
    if (file?.pid === pid && file.ready) return true;
    await delay(20);
  }
  if (!end) log(`PostgreSQL was not ready after ${startTimeoutMs / 1_000} seconds`);
  return false;
}

/** Fast shutdown, then the immediate one, after which the next start recovers. A kill -9 would leave processes behind. */
async function endPostmaster(pid: number, gone: Promise<unknown>, log: (line: string) => void): Promise<void> {
  for (const [signal, timeoutMs] of [['SIGINT', fastTimeoutMs] as const, ['SIGQUIT', immediateTimeoutMs] as const]) {
    if (await within(gone, 0)) return;
    sendSignal(pid, signal);
    if (await within(gone, timeoutMs)) return;
    log(`PostgreSQL (process ${pid}) did not exit within ${timeoutMs / 1_000} seconds after ${signal}`);
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It may have just exited.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Whether the promise resolves within this many milliseconds. */
async function within(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const timer = new AbortController();
  const late = delay(milliseconds, false, { signal: timer.signal }).catch(() => false);
  const inTime = await Promise.race([promise.then(() => true), late]);
  timer.abort();
  return inTime;
}

/** `postmaster.pid` is written by PostgreSQL: the process in line 1 and, in line 8, whether it accepts connections. */
async function readPidFile(clusterFolder: string): Promise<{ pid: number; ready: boolean } | null> {
  const text = await readFile(join(clusterFolder, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 1 ? { pid, ready: lines[7]?.trim() === 'ready' } : null;
}

/** Whether this process is a PostgreSQL on this cluster, and not one that got the same process id later. */
async function worksIn(pid: number, clusterFolder: string): Promise<boolean> {
  const command = process.platform === 'linux' ? readFile(`/proc/${pid}/cmdline`, 'utf8') : commandLine(pid);
  const words = (await command.catch(() => '')).replaceAll('\0', ' ');
  return words.includes(`postgres -D ${clusterFolder} `);
}

async function commandLine(pid: number): Promise<string> {
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)]);
  return stdout;
}

/** A port that was free a moment ago; another program may still take it first. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
