import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';

/** A thread that asks for the same addresses again and again, so many at a time, and throws away what it gets. */

const { urls, token, atOnce } = workerData as { urls: readonly string[]; token: string; atOnce: number };
const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
const headers = { authorization: `Bearer ${token}` };

/** Resolves with the status when the answer has come. */
const read = (url: string) =>
  new Promise<number>((resolve, reject) => {
    const request = get(url, { agent, headers }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    request.once('error', reject);
  });

async function readOn(url: string): Promise<void> {
  for (;;) if ((await read(url)) !== 200) await sleep(100);
}

await Promise.all(Array.from({ length: atOnce }, (_, index) => readOn(urls[index % urls.length] ?? '')));
