import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));

export interface CliProcess {
  readonly child: ChildProcess;
  /** Resolves when it has ended, with its exit code (null after a signal) and what it printed. */
  readonly ended: Promise<{ code: number | null; printed: string; complained: string }>;
}

/** Starts `npm run cli -- log ...` as a process of its own, without database, vault or service. */
export const startLogCommand = (args: readonly string[]): CliProcess => startCommand(['log', ...args]);

/** Starts `npm run cli -- ...` as a process of its own, with these settings. */
export function startCommand(args: readonly string[], settings: Readonly<Record<string, string>> = {}): CliProcess {
  const env = { ...process.env, ...settings };
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let printed = '';
  let complained = '';
  child.stdout.on('data', (data) => {
    printed += data;
  });
  child.stderr.on('data', (data) => {
    complained += data;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, printed, complained }));
  return { child, ended };
}

export const logCommand = (...args: readonly string[]) => startLogCommand(args).ended;
