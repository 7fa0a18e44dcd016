import { Seeded } from './seeded.testing.js';

/** The two replicas. */
export const sides = ['left', 'right'] as const;
export type Side = (typeof sides)[number];

export const faultKinds = [
  /** SIGKILL; started again after `lasts`. */
  'replica killed',
  /** SIGSTOP; SIGCONT after `lasts`. */
  'replica stopped',
  /** SIGKILL to every process of PostgreSQL; started again after `lasts`. */
  'database killed',
  /** All connections between a replica and the database are reset, and none comes about for `lasts`. */
  'database cut',
  /** Every byte between a replica and the database takes `by` milliseconds longer, for `lasts`. */
  'database slow',
  /** The disk of the database is full for `lasts`. */
  'disk full',
  /** The clock of a replica goes `by` milliseconds forwards or, if negative, backwards, and stays there. */
  'clock jumped',
  /** All connections between the clients and a replica are reset, and none comes about for `lasts`. */
  'clients cut',
] as const;

/** What befalls the event store when it is a KurrentDB of its own, for which a stand-in is put in. */
export const storeFaultKinds = [
  /** Every call ends, and every new one for `lasts`. */
  'store refusing',
  /** The next append and the next read are answered `by` milliseconds late, which may be later than anybody waits. */
  'store late',
  /** The next append is stored, and its answer never comes. */
  'store answer lost',
  /** The next append is stored, and its call ends instead of an answer. */
  'store call lost',
  /** The next append is not stored, and its answer never comes. */
  'store passing over',
  'subscriptions dropped',
  /** The next event is delivered twice. */
  'delivery doubled',
  /** It ends, and is there again after `lasts` with all that was stored. */
  'store restarted',
] as const;
type StoreFaultKind = (typeof storeFaultKinds)[number];
export type FaultKind = (typeof faultKinds)[number] | StoreFaultKind;

export const isStoreFault = (kind: FaultKind): kind is StoreFaultKind =>
  (storeFaultKinds as readonly FaultKind[]).includes(kind);

/** One fault; times in milliseconds, `at` from the beginning. `side` is null for what both replicas share. */
export interface Fault {
  readonly number: number;
  readonly kind: FaultKind;
  readonly side: Side | null;
  readonly at: number;
  readonly lasts: number;
  readonly by: number;
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly count: number;
  /** 1 lasts about four seconds a fault; 0.5 has everything follow twice as fast, and last half as long. */
  readonly pace?: number;
  /** Default: all but those of a separate event store. */
  readonly kinds?: readonly FaultKind[];
  /** Kinds that cannot be made on this machine. */
  readonly without?: readonly FaultKind[];
}

const MINUTE_MS = 60_000;
const DAY = 24 * 60 * MINUTE_MS;
/** One fault out of so many comes together with the one before. */
const TOGETHER = 5;

/** How long a fault of each kind lasts at least and at most, and how long what it befell is left in peace afterwards. */
const spans: Readonly<Record<FaultKind, { least: number; most: number; peace: number }>> = {
  'replica killed': { least: 100, most: 4_000, peace: 5_000 },
  'replica stopped': { least: 1_000, most: 20_000, peace: 1_000 },
  'database killed': { least: 0, most: 3_000, peace: 5_000 },
  'database cut': { least: 0, most: 2_000, peace: 500 },
  'database slow': { least: 1_000, most: 8_000, peace: 500 },
  'disk full': { least: 1_000, most: 5_000, peace: 5_000 },
  'clock jumped': { least: 0, most: 0, peace: 500 },
  'clients cut': { least: 0, most: 2_000, peace: 500 },
  'store refusing': { least: 0, most: 3_000, peace: 1_000 },
  'store late': { least: 0, most: 0, peace: 1_000 },
  'store answer lost': { least: 0, most: 0, peace: 1_000 },
  'store call lost': { least: 0, most: 0, peace: 1_000 },
  'store passing over': { least: 0, most: 0, peace: 1_000 },
  'subscriptions dropped': { least: 0, most: 0, peace: 500 },
  'delivery doubled': { least: 0, most: 0, peace: 500 },
  'store restarted': { least: 0, most: 3_000, peace: 1_000 },
};

/**
 * Which fault befalls what, when and for how long: all that the seed decides. Kinds take turns in an order that is new
 * in each round, so there are equally many of each; two faults never befall the same thing at a time.
 */
export function scheduleOf(options: ScheduleOptions): Fault[] {
  const { seed, count, pace = 1, kinds: wanted = faultKinds, without = [] } = options;
  const random = new Seeded(seed);
  const kinds = wanted.filter((kind) => !without.includes(kind));
  const clocks: Record<Side, number> = { left: 0, right: 0 };
  const freeAt = new Map<string, number>();
  const faults: Fault[] = [];
  let round: FaultKind[] = [];
  let at = 1_000 * pace;
  for (let number = 1; number <= count; number++) {
    if (round.length === 0) round = random.shuffled(kinds);
    const kind = round.pop() as FaultKind;
    const when = (side: Side | null) => Math.max(at, freeAt.get(placeOf(kind, side)) ?? 0);
    const [first = null, second = first] = isShared(kind) ? [] : random.shuffled(sides);
    const side = when(second) < when(first) ? second : first;
    const span = spans[kind];
    const lasts = Math.round(durationOf(span, random) * pace);
    at = Math.round(when(side));
    freeAt.set(placeOf(kind, side), at + lasts + span.peace * pace);
    faults.push({ number, kind, side, at, lasts, by: extentOf(kind, side, clocks, random) });
    const together = random.between(1, TOGETHER) === 1;
    at += (together ? random.between(0, 300) : random.between(3_000, 7_000)) * pace;
  }
  return faults;
}

const isShared = (kind: FaultKind): boolean => kind === 'database killed' || kind === 'disk full' || isStoreFault(kind);

/** What a fault befalls: a process, its clock, one of its two wires, the database, or the event store. */
function placeOf(kind: FaultKind, side: Side | null): string {
  if (isStoreFault(kind)) return 'store';
  if (isShared(kind)) return 'database';
  if (kind === 'clock jumped') return `${side} clock`;
  if (kind === 'clients cut') return `${side} clients`;
  return kind.startsWith('replica') ? `${side} process` : `${side} database`;
}

/** Short ones are more frequent, and long ones occur. */
const durationOf = ({ least, most }: { least: number; most: number }, random: Seeded): number =>
  least + (most - least) * random.fraction() ** 2;

/** A clock goes wrong by minutes up to a day, as seen from the true time; other extents are delays. */
function extentOf(kind: FaultKind, side: Side | null, clocks: Record<Side, number>, random: Seeded): number {
  if (kind === 'database slow') return random.between(20, 400);
  if (kind === 'store late') return random.between(100, 8_000);
  if (kind !== 'clock jumped' || !side) return 0;
  const size = random.pick([random.between(MINUTE_MS, 30 * MINUTE_MS), random.between(30 * MINUTE_MS, DAY)]);
  const by =
    Math.abs(clocks[side] + size) > DAY || (random.fraction() < 0.5 && clocks[side] - size > -DAY) ? -size : size;
  clocks[side] += by;
  return by;
}
