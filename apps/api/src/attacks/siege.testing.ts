import { setMaxListeners } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, dropDatabase } from '../testing/database.testing.js';
import { type ServiceProcess, startProcess } from '../testing/service-process.testing.js';
import { type Attack, type Deeds, pause, targetAt } from './attack.testing.js';
import { Bystanders, type Experience, p99 } from './bystanders.testing.js';

const BETWEEN_LOOKS_MS = 50;

export interface SiegeOptions {
  readonly attacks: readonly Attack[];
  /** How long the attacks go on, and how long it is calm before. */
  readonly seconds: number;
  readonly calmSeconds: number;
  /** MiB of JavaScript's heap that the service may have. */
  readonly heapMiB: number;
}

/** What became of a service under attack, and of those who used it meanwhile. */
export interface Siege {
  readonly survived: boolean;
  /** MiB of memory that the process had at most. */
  readonly mostMiB: number;
  /** Of a processor, that the service used during the attack. */
  readonly cpuShare: number;
  readonly calm: Experience;
  readonly attacked: Experience;
  readonly deeds: Readonly<Record<string, Deeds>>;
  /** What the service has written to its log, errors only. */
  readonly output: string;
}

/**
 * Starts the service as a process of its own with its default limits and a small heap, lets people post, attacks it, and watches
 * its memory from outside.
 */
export async function besiege({ attacks, seconds, calmSeconds, heapMiB }: SiegeOptions): Promise<Siege> {
  const [folder, databaseUrl] = [await mkdtemp(join(tmpdir(), 'verbatim-siege-')), await createDatabase()];
  const service = await startProcess({
    VERBATIM_DATA: folder,
    DATABASE_URL: databaseUrl,
    RATE_LIMITS: 'on',
    // Attackers and bystanders register from this machine.
    LIMIT_REGISTRATION: '1000/60',
    NODE_OPTIONS: `--max-old-space-size=${heapMiB}`,
  });
  try {
    const bystanders = await Bystanders.arrive(service.url);
    const calm = await during(calmSeconds, (signal) => bystanders.live(signal));
    const cpuBefore = await cpuSeconds(service);
    const deeds: Record<string, Deeds> = Object.fromEntries(attacks.map(({ name }) => [name, {}]));
    const target = targetAt(service.url);
    const memory = watchMemory(service);
    const [attacked] = await during(seconds, (signal) =>
      Promise.all([
        bystanders.live(signal),
        ...attacks.map(({ name, run }) => run(target, signal, deeds[name] as Deeds)),
      ]),
    );
    const mostMiB = await memory.stop();
    const cpuShare = ((await cpuSeconds(service)) - cpuBefore) / seconds;
    const survived = service.child.exitCode === null && service.child.signalCode === null;
    bystanders.leave();
    return { survived, mostMiB, cpuShare, calm, attacked, deeds, output: service.output() };
  } finally {
    await service.end('SIGTERM');
    await dropDatabase(databaseUrl);
    await rm(folder, { recursive: true, force: true });
  }
}

async function during<T>(seconds: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const timer = setTimeout(() => stop.abort(), seconds * 1_000);
  try {
    return await work(stop.signal);
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

/** Looks at the memory of the process again and again; answers the most MiB it had. Only Linux tells it to others. */
function watchMemory({ child }: ServiceProcess): { stop(): Promise<number> } {
  let going = true;
  const watching = (async () => {
    let most = 0;
    while (going) {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
      most = Math.max(most, Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1_024);
      await pause(BETWEEN_LOOKS_MS);
    }
    return Math.round(most);
  })();
  return {
    stop() {
      going = false;
      return watching;
    },
  };
}

/** Seconds of processor time that the process has used, in ticks of 10 ms. */
async function cpuSeconds({ child }: ServiceProcess): Promise<number> {
  const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8').catch(() => '');
  // Fields 14 and 15 of proc_pid_stat(5), counted from behind the name.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100;
}

/** One line for people: how the attack went. */
export function summary({ mostMiB, cpuShare, calm, attacked, deeds }: Siege): string {
  const ms = (experience: Experience) =>
    `posts p99 ${p99(experience.posts).toFixed(0)} ms of ${experience.posts.length}, ` +
    `slowest health check ${(experience.checks.at(-1) ?? 0).toFixed(0)} ms`;
  const done = Object.entries(deeds).map(([name, counts]) => `${name} (${JSON.stringify(counts).slice(1, -1)})`);
  return `${done.join(', ')}: at most ${mostMiB} MiB, ${Math.round(cpuShare * 100)} % CPU; calm: ${ms(calm)}; attacked: ${ms(attacked)}`;
}
