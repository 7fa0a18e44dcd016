import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { run } from '../load.js';
import { options } from '../options.js';
import { type Figures, mediansOf, quantile, type Section } from '../table.js';
import { Verbatim } from '../verbatim.js';

/** Messages of 8,000 emoji in the attacker's room, and requests that are under way at a time. */
const MESSAGES = 100;
const AT_ONCE = 40;
/** Of the bystander, between two posts. Milliseconds. */
const PAUSE_MS = 20;

/**
 * What somebody's posts take while another account reads the most expensive pages as fast as it can, with the limits that
 * the service has by default. Each round has an attacker of its own, whose time to read is not used up yet.
 */
export async function expensiveReads(): Promise<Section[]> {
  const environment = { RATE_LIMITS: 'on', LIMIT_POSTS: '100000/10', LIMIT_POSTS_CONNECTION: '100000/10' };
  const verbatim = await Verbatim.start({ environment });
  const quiet: Figures[] = [];
  const attacked: Figures[] = [];
  const [room = []] = await verbatim.gather({ rooms: 1, people: 1, follow: false });
  for (let round = 0; round < options.rounds; round++) {
    const token = await verbatim.token(1 + round);
    const path = await longRoom(verbatim, token);
    quiet.push(await measure(verbatim, room));
    const attack = begin(verbatim, token, path);
    attacked.push(await measure(verbatim, room));
    await attack.end();
  }
  await verbatim.stop();
  return [
    {
      title: `a post every ${PAUSE_MS} ms, while another account has ${AT_ONCE} requests for its largest pages under way`,
      floor: 'the same while nobody reads',
      rows: mediansOf(attacked, quiet),
    },
  ];
}

/** Fills a room with the longest texts; answers where its pages are. */
async function longRoom(verbatim: Verbatim, token: string): Promise<string> {
  const name = `bench ${Math.random().toString(36).slice(2)}`;
  const { id } = await verbatim.call<{ id: string }>('POST', '/v1/rooms', token, { name });
  const post = () => verbatim.call('POST', `/v1/rooms/${id}/messages`, token, { text: '😀'.repeat(8_000) });
  for (let posted = 0; posted < MESSAGES; posted += 10) await Promise.all(Array.from({ length: 10 }, post));
  await verbatim.settled();
  return `/v1/rooms/${id}`;
}

async function measure(verbatim: Verbatim, room: Parameters<typeof run>[0]['rooms'][number]): Promise<Figures> {
  const { first } = verbatim;
  let alive = 0;
  let over = false;
  const probing = (async () => {
    while (!over) {
      const asked = performance.now();
      await (await fetch(`${first.url}/health/live`)).arrayBuffer();
      alive = Math.max(alive, performance.now() - asked);
      await sleep(PAUSE_MS);
    }
  })();
  const before = verbatim.cpu();
  const { latencies, seconds } = await run({
    ...{ rooms: [room], posters: 1, inFlight: 1, pause: PAUSE_MS },
    ...{ until: 'acknowledged', seconds: options.seconds },
  });
  const after = verbatim.cpu();
  over = true;
  await probing;
  return {
    'post, p50 ms': quantile(latencies, 0.5),
    'post, p99 ms': quantile(latencies, 0.99),
    '/health/live, at most ms': alive,
    'CPU of the service, % of a core': (after.server - before.server) / seconds / 10_000,
    'CPU of the database, % of a core': (after.database - before.database) / seconds / 10_000,
  };
}

/** Reads pages of events and messages until it is stopped, in a thread of its own, so that it delays no post by itself. */
function begin(verbatim: Verbatim, token: string, path: string): { end(): Promise<unknown> } {
  const urls = ['events', 'messages'].map((what) => `${verbatim.first.url}${path}/${what}?limit=200`);
  const thread = new Worker(new URL('../reading.js', import.meta.url), {
    workerData: { urls, token, atOnce: AT_ONCE },
  });
  return { end: () => thread.terminate() };
}
