import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Starting and ending -----------------------------------------------------------------------------------------------

const endings = new Set<() => Promise<void>>();

/** Sees to it that what was started ends with the benchmark, however that comes; answers how to end it before. */
export function endLater(end: () => Promise<void>): () => Promise<void> {
  let ended: Promise<void> | undefined;
  const endOnce = () => {
    ended ??= end().finally(() => endings.delete(endOnce));
    return ended;
  };
  endings.add(endOnce);
  return endOnce;
}

/** Ends all that is still there, what was started last first. */
export async function endAll(): Promise<void> {
  for (const end of [...endings].reverse()) await end().catch((error) => console.error(error));
}

/** A process of Node with a pipe from its standard output, and a channel for messages. */
export interface NodeProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Resolves with the first match in what it prints. */
  prints(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends SIGTERM and waits for the end. */
  end(): Promise<void>;
}

export function startNode(script: URL, env: NodeJS.ProcessEnv, nodeArguments: readonly string[] = []): NodeProcess {
  const child = spawn(process.execPath, [...nodeArguments, fileURLToPath(script)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  let printed = '';
  child.stdout?.on('data', (data) => {
    printed += data;
  });
  return {
    pid: child.pid ?? 0,
    child,
    prints: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(printed);
          if (found) resolve(found);
        };
        child.stdout?.on('data', look);
        child.once('exit', () => reject(new Error(`${script.pathname} has ended: ${printed}`)));
        look();
      }),
    end: endLater(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    }),
  };
}

// CPU and memory ----------------------------------------------------------------------------------------------------

/** Kernel clock ticks in a second; 100 on every Linux that Node runs on. */
const TICKS = 100;

interface Usage {
  readonly parent: number;
  readonly own: number;
  readonly ended: number;
}

/**
 * Microseconds of CPU that a process and all its descendants have used: running ones, measured at each call,
 * and those that have come and gone in between, which their parents account for (proc(5), fields 14 to 17 of stat).
 */
export function cpuOfTree(root: number): number {
  // A process that ends while it is looked for may be missing here and there. So two looks have to find the same ones.
  for (let before = tree(root); ; ) {
    const now = tree(root);
    const same = now.size === before.size && [...now.keys()].every((pid) => before.has(pid));
    if (same) return [...now.values()].reduce((sum, { own, ended }) => sum + own + ended, 0);
    before = now;
  }
}

/** Resident memory of one process in MiB. */
export function residentMiB(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1024;
}

function tree(root: number): Map<number, Usage> {
  const all = new Map<number, Usage>();
  for (const name of readdirSync('/proc')) if (/^\d+$/.test(name)) read(Number(name), all);
  for (const pid of [...all.keys()]) if (!isBelow(pid, root, all)) all.delete(pid);
  return all;
}

function read(pid: number, usages: Map<number, Usage>): void {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const micros = (ticks: number | undefined) => ((ticks ?? 0) / TICKS) * 1_000_000;
    usages.set(pid, {
      parent: fields[1] ?? 0,
      own: micros((fields[11] ?? 0) + (fields[12] ?? 0)),
      ended: micros((fields[13] ?? 0) + (fields[14] ?? 0)),
    });
  } catch {
    // It ended while we looked; its parent accounts for it.
  }
}

function isBelow(pid: number, root: number, usages: ReadonlyMap<number, Usage>): boolean {
  for (let at = pid; at > 0; at = usages.get(at)?.parent ?? 0) if (at === root) return true;
  return false;
}
