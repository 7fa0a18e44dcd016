import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, dropDatabase } from '../harness/database.testing.js';
import { startProcess } from '../harness/service-process.testing.js';
import { register, type TestPerson } from '../harness/test-client.testing.js';

/** A service of its own with a heap of 512 MiB, in which somebody has written a room full of the longest texts. */
export interface Target {
  readonly url: string;
  readonly attacker: TestPerson;
  readonly bystander: TestPerson;
  /** Of the attacker. */
  readonly room: string;
  /** Resident memory of the process. */
  residentMiB(): number;
  /** Seconds of processor time that the process has used. */
  cpuSeconds(): number;
  end(): Promise<void>;
}

/** All limits are on; `environment` may set some of them. */
export async function startTarget(environment: Readonly<Record<string, string>> = {}): Promise<Target> {
  const databaseUrl = await createDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'verbatim-attack-'));
  const service = await startProcess({
    DATABASE_URL: databaseUrl,
    VERBATIM_DATA: folder,
    NODE_OPTIONS: '--max-old-space-size=512',
    RATE_LIMITS: 'on',
    // So that the room is soon full.
    LIMIT_POSTS: '100000/10',
    ...environment,
  });
  const [attacker, bystander] = [await register(service.url), await register(service.url)];
  const room = await attacker.room({ visibility: 'private' });
  const post = () => attacker.post(`/v1/rooms/${room}/messages`, { text: '😀'.repeat(8_000) });
  for (let posted = 0; posted < 80; posted += 8) await Promise.all(Array.from({ length: 8 }, post));
  const file = (name: string) => readFileSync(`/proc/${service.child.pid}/${name}`, 'utf8');
  return {
    url: service.url,
    attacker,
    bystander,
    room,
    residentMiB: () => Number(/^VmRSS:\s+(\d+) kB/m.exec(file('status'))?.[1]) / 1_024,
    cpuSeconds() {
      const fields = file('stat').split(') ')[1]?.split(' ') ?? [];
      // utime and stime, in ticks of 10 ms (proc(5)).
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    async end() {
      await service.end('SIGKILL');
      await dropDatabase(databaseUrl);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface Seen {
  /** Milliseconds that each took: posts of the bystander, and questions whether the service lives. Sorted. */
  readonly posts: readonly number[];
  readonly probes: readonly number[];
  /** The most memory there was at a time, in MiB. */
  readonly maxMiB: number;
}

/** Posts as the bystander, reads it back and asks whether the service lives, until `attack` is over. Each has to succeed. */
export async function watch(target: Target, attack: () => Promise<void>): Promise<Seen> {
  const { bystander } = target;
  const room = await bystander.room();
  const posts: number[] = [];
  const probes: number[] = [];
  let maxMiB = 0;
  let over = false;
  const timed = async (times: number[], work: () => Promise<{ status: number }>, expected: number) => {
    const begun = performance.now();
    const { status } = await work();
    if (status !== expected) throw new Error(`the bystander was answered ${status}`);
    times.push(performance.now() - begun);
  };
  const again = async (work: () => Promise<void>) => {
    while (!over) {
      await work();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const watching = Promise.all([
    again(() => timed(posts, () => bystander.post(`/v1/rooms/${room}/messages`, { text: 'hello' }), 201)),
    again(() => timed([], () => bystander.get(`/v1/rooms/${room}/messages`), 200)),
    again(() => timed(probes, () => bystander.get('/health/live'), 200)),
    again(async () => {
      maxMiB = Math.max(maxMiB, target.residentMiB());
    }),
  ]);
  await Promise.all([
    attack().finally(() => {
      over = true;
    }),
    watching,
  ]);
  const sorted = (times: number[]) => times.sort((a, b) => a - b);
  return { posts: sorted(posts), probes: sorted(probes), maxMiB };
}

/** The value that so many percent do not exceed. */
export const percentile = (sorted: readonly number[], percent: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0;
