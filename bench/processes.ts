import { readdirSync, readFileSync } from 'node:fs';

/** Kernel clock ticks in a second; 100 on every Linux that Node runs on. */
const TICKS = 100;

interface Usage {
  readonly parent: number;
  /** Microseconds of CPU of the process itself, and of those children of it that have ended and been waited for. */
  readonly own: number;
  readonly ended: number;
}

/**
 * Microseconds of CPU that a process and everything below it have used so far: those that run, counted anew at each call,
 * and those that have come and gone in between, which their parents account for (proc(5), fields 14 to 17 of stat).
 */
export function cpuOfTree(root: number): number {
  const usages = new Map<number, Usage>();
  for (const name of readdirSync('/proc')) if (/^\d+$/.test(name)) read(Number(name), usages);
  let total = 0;
  for (const [pid, { own, ended }] of usages) if (isBelow(pid, root, usages)) total += own + ended;
  return total;
}

/** Resident memory of one process in MiB. */
export function residentMiB(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1024;
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
