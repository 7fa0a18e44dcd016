import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { administrator } from './test-service.testing.js';

/** The built service as a process of its own, to be killed by real signals. */
export interface ServiceProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it has printed so far. */
  output(): string;
  /** Sends a signal and waits for the process to end; answers its exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | string>;
}

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

/** Starts `node dist/main.js`, or the `program` of another version, with these settings and waits until it is ready. */
export async function startProcess(
  environment: Readonly<Record<string, string>>,
  program = main,
): Promise<ServiceProcess> {
  const env = {
    ...process.env,
    PORT: '0',
    LOG_LEVEL: 'error',
    ADMIN_PASSWORD: administrator.password,
    RATE_LIMITS: 'off',
    ...environment,
  };
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  const url = await new Promise<string>((resolve, reject) => {
    const listen = (data: Buffer) => {
      printed += data;
      const found = /(http:\/\/\S+)\/admin\//.exec(printed)?.[1];
      if (found) resolve(found);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('exit', () => reject(new Error(`the service did not start: ${printed}`)));
  });
  for (let ready = false; !ready; ) {
    ready = (await fetch(`${url}/health/ready`).catch(() => null))?.ok ?? false;
    if (!ready) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    url,
    child,
    output: () => printed,
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
        await once(child, 'exit');
      }
      return child.exitCode ?? child.signalCode ?? 0;
    },
  };
}
