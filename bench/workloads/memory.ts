import { startRelay } from '../bare-relay.js';
import { run } from '../load.js';
import { options } from '../options.js';
import type { Subject } from '../subject.js';
import { type Figures, mediansOf, type Section } from '../table.js';
import { Verbatim } from '../verbatim.js';

/** Milliseconds between two looks. */
const SPACING_MS = 10_000;
/** The share of the time that counts as warming up. */
const WARM_UP = 0.2;

/** Whether memory grows under a continuing load: the rooms of workload a. The relay is watched for a fifth of the time. */
export async function memoryUnderLoad(): Promise<Section[]> {
  const relay = await watch(await startRelay(), options.minutes / 5);
  const verbatim = await watch(await Verbatim.start(), options.minutes);
  return [
    {
      title: `memory over ${options.minutes} minutes: 50 rooms x 20, one poster each`,
      floor: 'a bare ws relay under the same load for a fifth of the time',
      rows: mediansOf([verbatim.figures], [relay.figures]),
      notes: [
        `MiB resident, every ${SPACING_MS / 1_000} s: ${verbatim.samples.map((mib) => mib.toFixed(0)).join(' ')}`,
      ],
    },
  ];
}

async function watch(subject: Subject, minutes: number): Promise<{ figures: Figures; samples: readonly number[] }> {
  const rooms = await subject.gather({ rooms: 50, people: 20 });
  const samples = [subject.residentMiB()];
  const looking = setInterval(() => samples.push(subject.residentMiB()), SPACING_MS);
  const { posts, seconds } = await run({ rooms, posters: 1, inFlight: 1, seconds: minutes * 60, until: 'delivered' });
  clearInterval(looking);
  await subject.stop();
  const warm = samples.slice(Math.floor(samples.length * WARM_UP));
  const figures = {
    'MiB resident before the load': samples[0] ?? Number.NaN,
    'MiB resident after warming up': warm[0] ?? Number.NaN,
    'MiB resident at the end': warm.at(-1) ?? Number.NaN,
    'MiB resident at most': Math.max(...samples),
    'growth after warming up, MiB per minute': (slope(warm) * 60_000) / SPACING_MS,
    'posts/s': posts / seconds,
  };
  return { figures, samples };
}

/** Of the straight line that comes closest to values at 0, 1, 2, ... by least squares. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const [above, below] = values.reduce(
    ([a, b], value, i) => [a + (i - middle) * (value - mean), b + (i - middle) ** 2],
    [0, 0],
  );
  return above / below;
}
