import { setMaxListeners } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createDatabase, dropDatabase } from '../harness/database.testing.js';
import { freePort } from '../harness/free-port.testing.js';
import { type ServiceProcess, startProcess } from '../harness/service-process.testing.js';
import { type Attack, type Deeds, type DoorAddresses, pause, targetAt } from './attack.testing.js';
import { Bystanders, type Experience, p99 } from './bystanders.testing.js';

const BETWEEN_LOOKS_MS = 50;

/** How a service under attack fared, and how its other users did. */
export interface Siege {
  readonly survived: boolean;
  /** MiB of memory that the process had at most, and the share of a processor that it used. */
  readonly maxMiB: number;
  readonly cpuShare: number;
  readonly calm: Experience;
  readonly attacked: Experience;
  /** p99 of the event loop delay of this test process, in milliseconds: the attackers run here too. */
  readonly ownDelayMs: number;
  readonly deeds: Readonly<Record<string, Deeds>>;
  /** What the service has written to its log, errors only. */
  readonly output: string;
}

/** The service as a process of its own, with its default limits and a small heap, among people who post all the time. */
export class BesiegedService {
  private constructor(
    private readonly service: ServiceProcess,
    private readonly doors: DoorAddresses,
    private readonly bystanders: Bystanders,
    private readonly clear: () => Promise<void>,
  ) {}

  static async start(heapMiB: number): Promise<BesiegedService> {
    const [folder, databaseUrl] = [await mkdtemp(join(tmpdir(), 'verbatim-siege-')), await createDatabase()];
    const [chitchat, mqtt] = [await freePort(), await freePort()];
    const service = await startProcess({
      VERBATIM_DATA: folder,
      DATABASE_URL: databaseUrl,
      CHITCHAT_PORT: `${chitchat}`,
      MQTT_PORT: `${mqtt}`,
      RATE_LIMITS: 'on',
      // Attackers and bystanders register from this machine.
      LIMIT_REGISTRATION: '1000/60',
      NODE_OPTIONS: `--max-old-space-size=${heapMiB}`,
    });
    const doors = { chitchat: `http://127.0.0.1:${chitchat}`, mqtt: `mqtt://127.0.0.1:${mqtt}` };
    return new BesiegedService(service, doors, await Bystanders.arrive(service.url), async () => {
      await service.end('SIGTERM');
      await dropDatabase(databaseUrl);
      await rm(folder, { recursive: true, force: true });
    });
  }

  get survives(): boolean {
    const { exitCode, signalCode } = this.service.child;
    return exitCode === null && signalCode === null;
  }

  /** Attacks for some seconds, after some that are calm. */
  async attack(attacks: readonly Attack[], seconds: number, calmSeconds: number): Promise<Siege> {
    const { service, bystanders } = this;
    const target = targetAt(service.url, this.doors);
    const assaults = await Promise.all(attacks.map((attack) => attack.prepare(target)));
    const deeds = attacks.map((): Deeds => ({}));
    const calm = await during(calmSeconds, (signal) => bystanders.live(signal));
    const [memory, cpuBefore] = [watchMemory(service), await cpuSeconds(service)];
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const [attacked] = await during(seconds, (signal) =>
      Promise.all([bystanders.live(signal), ...assaults.map((assault, i) => assault(signal, deeds[i] as Deeds))]),
    );
    delay.disable();
    return {
      survived: this.survives,
      maxMiB: await memory.stop(),
      cpuShare: ((await cpuSeconds(service)) - cpuBefore) / seconds,
      ownDelayMs: delay.percentile(99) / 1e6,
      ...{ calm, attacked },
      deeds: Object.fromEntries(attacks.map(({ name }, i) => [name, deeds[i] as Deeds])),
      output: service.output(),
    };
  }

  async stop(): Promise<void> {
    this.bystanders.leave();
    await this.clear();
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

/** Polls the memory of the process; returns its peak in MiB. Works on Linux only. */
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

/** How many times as long as usual posts took, where what this test itself was late is usual as well. */
export const slowdown = ({ calm, attacked, ownDelayMs }: Siege): number =>
  p99(attacked.posts) / (p99(calm.posts) + ownDelayMs);

/** One line for people: how the attack went. */
export function summary(siege: Siege): string {
  const { maxMiB, cpuShare, calm, attacked, deeds, ownDelayMs } = siege;
  const ms = ({ posts, checks }: Experience) =>
    `posts p99 ${p99(posts).toFixed(0)} ms of ${posts.length}, slowest health check ${(checks.at(-1) ?? 0).toFixed(0)} ms`;
  const done = Object.entries(deeds).map(([name, counts]) => `${name} ${JSON.stringify(counts)}`);
  return (
    `${done.join(', ')}: at most ${maxMiB} MiB, ${Math.round(cpuShare * 100)} % CPU; calm: ${ms(calm)}; ` +
    `attacked: ${ms(attacked)}; the test's own delay ${ownDelayMs.toFixed(0)} ms; slowdown ${slowdown(siege).toFixed(1)}`
  );
}
