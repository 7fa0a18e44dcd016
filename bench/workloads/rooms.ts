import { startRelay } from '../bare-relay.js';
import { run, type Speaker } from '../load.js';
import { options } from '../options.js';
import type { Gathering, Subject } from '../subject.js';
import { type Figures, mediansOf, quantile, type Row, type Section } from '../table.js';
import { Verbatim } from '../verbatim.js';

/** People who talk, and how many processes serve them. */
export interface Talk extends Gathering {
  readonly title: string;
  /** The first so many of each room post. */
  readonly posters: number;
  /** Posts of one poster on their way at a time. */
  readonly inFlight: number;
  /** Milliseconds after a post until the next, default none. */
  readonly pause?: number;
  /** Default 1. */
  readonly replicas?: number;
  /** Processes of the relay, default as many as replicas. */
  readonly relays?: number;
}

export const talks = {
  a: { title: '50 rooms x 20, one poster each', rooms: 50, people: 20, posters: 1, inFlight: 1 },
  b: { title: '5 rooms x 200, one poster each, four in flight', rooms: 5, people: 200, posters: 1, inFlight: 4 },
  c: { title: '200 rooms x 2, both posting', rooms: 200, people: 2, posters: 2, inFlight: 1 },
  apart: {
    title: '200 rooms x 2, both posting; two replicas, each with half of the rooms',
    ...{ rooms: 200, people: 2, posters: 2, inFlight: 1, replicas: 2, door: (room: number) => room % 2 },
  },
  together: {
    title: '10 rooms x 2, both posting, twenty in flight; two replicas, one of the two at each',
    ...{ rooms: 10, people: 2, posters: 2, inFlight: 20, replicas: 2, relays: 1 },
    door: (_room: number, person: number) => person,
  },
} as const satisfies Record<string, Talk>;

export const smallRooms = async () => [await compare(talks.a)];
export const largeRooms = async () => [await compare(talks.b)];
export const pairs = async () => [await compare(talks.c)];
export const replicas = async () => [await compare(talks.apart), await compare(talks.together)];

/** Puts the relay and the service under the same load in turn. */
async function compare(talk: Talk): Promise<Section> {
  const { replicas = 1, relays = replicas } = talk;
  const relay = await startRelay(relays);
  const verbatim = await Verbatim.start({ replicas });
  const rows = await inTurn(talk, verbatim, relay, relays === 1 ? { ...talk, door: () => 0 } : talk);
  await relay.stop();
  await verbatim.stop();
  const floor = `a bare ws relay${relays > 1 ? ` in ${relays} processes` : ''} under the same load`;
  return { title: talk.title, floor, rows };
}

/** Rounds of the same load on the one and on the other, after a short one that does not count. */
export async function inTurn(talk: Talk, own: Subject, floor: Subject, atFloor: Gathering = talk): Promise<Row[]> {
  const floorRooms = await floor.gather(atFloor);
  const ownRooms = await own.gather(talk);
  await measure(talk, floor, floorRooms, 2);
  await measure(talk, own, ownRooms, 2);
  const figures = { floor: [] as Figures[], own: [] as Figures[] };
  for (let round = 0; round < options.rounds; round++) {
    figures.floor.push(await measure(talk, floor, floorRooms, options.seconds));
    figures.own.push(await measure(talk, own, ownRooms, options.seconds));
  }
  return mediansOf(figures.own, figures.floor);
}

/** One round. CPU is counted until the last delivery and until the read models have caught up, so none is left out. */
export async function measure(
  { posters, inFlight, pause = 0 }: Pick<Talk, 'posters' | 'inFlight' | 'pause'>,
  subject: Subject,
  rooms: readonly (readonly Speaker[])[],
  seconds: number,
): Promise<Figures> {
  await subject.settled();
  const before = subject.cpu();
  const {
    posts,
    deliveries,
    seconds: took,
    latencies,
    all,
    cpu,
  } = await run({
    rooms,
    posters,
    inFlight,
    pause,
    seconds,
    until: 'delivered',
  });
  await subject.settled();
  const after = subject.cpu();
  const server = after.server - before.server;
  const database = after.database - before.database;
  return {
    'posts/s': posts / took,
    'deliveries/s': deliveries / took,
    'post to delivery, p50 ms': quantile(latencies, 0.5),
    'post to delivery, p99 ms': quantile(latencies, 0.99),
    'CPU us per post': (server + database) / all.posts,
    '  service': server / all.posts,
    '  database': database / all.posts,
    'CPU us per delivery': (server + database) / all.deliveries,
    '  service ': server / all.deliveries,
    '  database ': database / all.deliveries,
    'refused posts': all.refused,
    "the load's own CPU us per delivery": cpu / all.deliveries,
  };
}
