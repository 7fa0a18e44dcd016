import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Starts a process of its own that keeps `read_1` up with `longHistory(length)`, in batches of `maxBatch`, until it is
 * killed. Resolves when it projects, or stands by if another process does.
 */
export async function startProjecting(url: string, length: number, maxBatch: number): Promise<ChildProcess> {
  const main = fileURLToPath(new URL('./projecting-process.main.testing.ts', import.meta.url));
  const vite = pathToFileURL(fileURLToPath(import.meta.resolve('vite'))).href;
  const conditions = ['@verbatim/source', 'node', 'development|production'];
  const script = `
    const { runnerImport } = await import(${JSON.stringify(vite)});
    await runnerImport(${JSON.stringify(main)}, { configFile: false, logLevel: 'error', ssr: { resolve: { conditions: ${JSON.stringify(conditions)} } } });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, READ_DATABASE_URL: url, HISTORY_LENGTH: `${length}`, MAX_BATCH: `${maxBatch}` },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [event] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  if (event !== 'started') throw new Error(`The projecting process ended with ${event}.`);
  return child;
}

/** Kills the process as an operating system short of memory would, and waits until it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
