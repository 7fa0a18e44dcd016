import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Starts the cluster that all files of tests use, if it does not run already. It ends with the namespaces in which the tests run. */
export default async function setup(): Promise<void> {
  if (existsSync(`${process.env.STATE}/run/ready`)) return;
  const began = Date.now();
  const start = fileURLToPath(new URL('./cluster/start.sh', import.meta.url));
  // Its processes go on, so nothing may wait for the end of what they print.
  await promisify(execFile)('bash', ['-c', `bash ${start} > "$STATE/logs/start.log" 2>&1 < /dev/null`]).catch(
    async (error) => {
      throw new Error(`The cluster did not start, see logs/start.log: ${error}`);
    },
  );
  console.log(`Two nodes were ready after ${Math.round((Date.now() - began) / 1_000)} s.`);
}
