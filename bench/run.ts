import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { median, type Outcome, quantile, run } from './load.js';
import { cores, type Subject, startRelay, startVerbatim } from './subjects.js';

/** `npm run bench`: puts the service and a bare relay under the same load in turn, and prints medians side by side. */

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const SECONDS = Number(process.env.SECONDS ?? 6);
const workload = {
  title: '50 rooms x 20, one poster each, closed loop',
  rooms: 50,
  people: 20,
  posters: 1,
  inFlight: 1,
};

interface Figures {
  readonly postsPerSecond: number;
  readonly deliveriesPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuPerDelivery: number;
  readonly databasePerDelivery: number;
  readonly cpuPerPost: number;
}

async function main(): Promise<void> {
  const subjects = [await startRelay(), await startVerbatim()];
  try {
    const results = new Map(subjects.map((subject) => [subject, [] as Figures[]]));
    const rooms = new Map<Subject, Awaited<ReturnType<Subject['gather']>>>();
    for (const subject of subjects) rooms.set(subject, await subject.gather(workload.rooms, workload.people));
    for (const subject of subjects) await measure(subject, rooms.get(subject) ?? [], 2);
    for (let round = 0; round < ROUNDS; round++) {
      for (const subject of subjects)
        results.get(subject)?.push(await measure(subject, rooms.get(subject) ?? [], SECONDS));
    }
    print(results);
    for (const subject of subjects) console.log(`${subject.name}: ${subject.residentMiB().toFixed(0)} MiB resident`);
  } finally {
    for (const subject of subjects) await subject.stop();
  }
}

/** CPU is counted until the read models have caught up, so that no work is left out. */
async function measure(
  subject: Subject,
  rooms: Awaited<ReturnType<Subject['gather']>>,
  seconds: number,
): Promise<Figures> {
  await subject.settled();
  const before = subject.cpu();
  const outcome = await run({
    rooms,
    posters: workload.posters,
    inFlight: workload.inFlight,
    texts,
    duration: seconds * 1_000,
  });
  await subject.settled();
  const after = subject.cpu();
  return figures(outcome, after.server - before.server, after.database - before.database);
}

function figures({ posts, deliveries, seconds, latencies }: Outcome, server: number, database: number): Figures {
  return {
    postsPerSecond: posts / seconds,
    deliveriesPerSecond: deliveries / seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    cpuPerDelivery: (server + database) / deliveries,
    databasePerDelivery: database / deliveries,
    cpuPerPost: (server + database) / posts,
  };
}

function print(results: ReadonlyMap<Subject, readonly Figures[]>): void {
  const columns = [...results].map(([subject, all]) => {
    const of = (pick: (figures: Figures) => number) => median(all.map(pick));
    return {
      name: subject.name,
      values: [
        of((f) => f.postsPerSecond),
        of((f) => f.deliveriesPerSecond),
        of((f) => f.p50),
        of((f) => f.p99),
        of((f) => f.cpuPerDelivery),
        of((f) => f.databasePerDelivery),
        of((f) => f.cpuPerPost),
      ],
    };
  });
  const names = [
    'posts/s',
    'deliveries/s',
    'p50 ms',
    'p99 ms',
    'CPU us per delivery',
    '  of it database',
    'CPU us per post',
  ];
  const [floor, own] = columns;
  console.log(
    `\n${workload.title}; ${cores} cores, load generator included; median of ${ROUNDS} rounds of ${SECONDS} s\n`,
  );
  console.log(`${''.padEnd(22)}${columns.map(({ name }) => name.padStart(14)).join('')}${'ratio'.padStart(10)}`);
  for (const [i, name] of names.entries()) {
    const ratio = (own?.values[i] ?? Number.NaN) / (floor?.values[i] ?? Number.NaN);
    const cells = columns.map(({ values }) =>
      (values[i] ?? Number.NaN).toFixed((values[i] ?? 0) < 100 ? 1 : 0).padStart(14),
    );
    console.log(`${name.padEnd(22)}${cells.join('')}${(Number.isFinite(ratio) ? ratio.toFixed(2) : '').padStart(10)}`);
  }
  console.log('');
}

/** What people really wrote, because short made-up texts hide what search costs. */
const folder = fileURLToPath(new URL('../../apps/api/src/import/test-data/', import.meta.url));
const texts = readdirSync(folder)
  .filter((name) => /^\d{4}-/.test(name))
  .flatMap((name) =>
    [...readFileSync(`${folder}${name}`, 'utf8').matchAll(/^\[\d\d:\d\d\] <\S+> (.+)$/gm)].map(
      ([, text]) => text ?? '',
    ),
  )
  .filter((text) => !text.includes('~'));

await main();
