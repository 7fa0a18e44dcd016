import { type Participant, run } from '../load.js';
import { options } from '../options.js';
import { type Figures, median, mediansOf, type Section } from '../table.js';
import { Verbatim } from '../verbatim.js';

/** Rooms with two people in each, who post. */
const ROOMS = 50;
/** Reads of which the median is taken. */
const READS = 60;

/**
 * What it costs to keep texts out of the read models: posts, pages of history and searches, with READ_MODELS_TEXTS=sealed and with it
 * off, in turns. Both services have the same load behind them.
 */
export async function sealedTexts(): Promise<Section[]> {
  const services: Measured[] = [];
  for (const texts of ['sealed', 'plain']) {
    const verbatim = await Verbatim.start({ environment: { READ_MODELS_TEXTS: texts } });
    const rooms = await verbatim.gather({ rooms: ROOMS, people: 2 });
    services.push({ verbatim, rooms, rounds: [] });
  }
  for (let round = 0; round < options.rounds; round++) for (const service of services) await measure(service);
  for (const { verbatim } of services) await verbatim.stop();
  const [sealed, plain] = services.map(({ rounds }) => rounds);
  return [
    {
      title: `${ROOMS} rooms of 2 who post, then pages and searches, with READ_MODELS_TEXTS=sealed`,
      floor: 'the same with READ_MODELS_TEXTS=plain',
      rows: mediansOf(sealed ?? [], plain ?? []),
    },
  ];
}

interface Measured {
  readonly verbatim: Verbatim;
  readonly rooms: Participant[][];
  readonly rounds: Figures[];
}

async function measure({ verbatim, rooms, rounds }: Measured): Promise<void> {
  const before = verbatim.cpu();
  const { all } = await run({
    rooms,
    posters: 2,
    inFlight: 1,
    pause: 20,
    until: 'delivered',
    seconds: options.seconds,
  });
  await verbatim.settled();
  const after = verbatim.cpu();
  const token = await verbatim.token(0);
  const { items } = await verbatim.call<{ items: { id: string }[] }>('GET', '/v1/rooms?limit=50', token);
  const pageOf = (n: number, more = '') =>
    verbatim.call('GET', `/v1/rooms/${items[n % items.length]?.id}/messages?limit=50${more}`, token);
  const searchFor = (q: string) => verbatim.call('GET', `/v1/search?limit=50&q=${encodeURIComponent(q)}`, token);
  rounds.push({
    'CPU of the service for a post, us': (after.server - before.server) / all.posts,
    'CPU of the database for a post, us': (after.database - before.database) / all.posts,
    'page of 50, the newest, ms': await timeOf((n) => pageOf(n)),
    'page of 50, read for the first time, ms': await timeOf((n) =>
      pageOf(n, `&order=oldest&from=${n * 3 * rounds.length}`),
    ),
    'search for a rare word, ms': await timeOf(() => searchFor('wireless')),
    'search for a common word, ms': await timeOf(() => searchFor('"the"')),
    'search for a phrase, ms': await timeOf(() => searchFor('"in the"')),
  });
}

async function timeOf(read: (n: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < READS; n++) {
    const begun = performance.now();
    await read(n);
    times.push(performance.now() - begun);
  }
  return median(times);
}
