import { Chance } from './chance.js';

/** How much data to create. The same options always lead to the same data. */
export interface SeedOptions {
  readonly users: number;
  readonly rooms: number;
  readonly messages: number;
  /** A whole number, 0 or more. */
  readonly seed: number;
  /** YYYY-MM-DD: the year ends as this day begins, in UTC. */
  readonly until: string;
}

/** The next step; `at` is in milliseconds since 1970. People and rooms are numbered from 0 in chronological order. */
export type SeedStep =
  | { readonly what: 'person'; readonly at: number }
  | { readonly what: 'room'; readonly at: number; readonly room: PlannedRoom }
  | { readonly what: 'talk'; readonly at: number; readonly room: PlannedRoom; readonly messages: number };

export interface PlannedRoom {
  readonly nth: number;
  /** Place among all rooms by size, from 0. */
  readonly rank: number;
  /** Members at the end, if there are enough people by then. */
  readonly members: number;
  readonly talks: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;
/** People who exist from the start, so that every room has a creator. */
const FOUNDERS = 20;
/** Messages of a conversation, and how long before the end the last one begins at the latest. */
const TALK = { least: 5, most: 40, margin: 6 * HOUR_MS } as const;

/** When the year of these options ends. */
export const endOf = ({ until }: SeedOptions): number => Date.parse(`${until}T00:00:00.000Z`);

/**
 * The steps in chronological order: people register, rooms are created, and people talk in them now and then. Sizes are as uneven
 * as in real life: the nth largest room has about 1/n^0.75 of the members and 1/n^0.85 of the messages of the largest (Zipf's law
 * with exponents below 1, so that small rooms are not empty).
 */
export function planSeed(options: SeedOptions): SeedStep[] {
  const chance = new Chance(options.seed, 'plan');
  const end = endOf(options);
  const begin = end - YEAR_MS;
  const sizes = sizesOf(options);
  const ranks = shuffled(options.rooms, chance);

  const steps: SeedStep[] = Array.from({ length: options.users }, (_, n) => {
    const share = n < FOUNDERS ? 0 : ((n + 1) / options.users) ** 0.7;
    return { what: 'person', at: begin + n + Math.floor(share * 0.97 * YEAR_MS) };
  });
  for (const [nth, rank] of ranks.entries()) {
    const made = begin + Math.floor((0.01 + 0.94 * ((nth + 1) / options.rooms) ** 0.8) * YEAR_MS);
    const messages = talkSizes(sizes.messages[rank] ?? 0, chance);
    const room = { nth, rank, members: sizes.members(rank), talks: messages.length };
    steps.push({ what: 'room', at: made, room });
    for (const count of messages)
      steps.push({ what: 'talk', at: timeOfTalk(made, end, chance), room, messages: count });
  }
  return steps.sort((one, other) => one.at - other.at);
}

function sizesOf({ users, rooms, messages }: SeedOptions) {
  const most = Math.max(10, users / 40);
  const weights = Array.from({ length: rooms }, (_, rank) => (rank + 1) ** -0.85);
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  let weight = 0;
  let given = 0;
  return {
    members: (rank: number) => 2 + Math.floor(most * (rank + 1) ** -0.75),
    /** By rank. Rounding errors are carried over, so that the sum is exactly what was asked for. */
    messages: weights.map((own) => {
      weight += own;
      const until = Math.round((messages * weight) / all);
      const count = until - given;
      given = until;
      return count;
    }),
  };
}

function talkSizes(messages: number, chance: Chance): number[] {
  const sizes: number[] = [];
  for (let left = messages; left > 0; ) {
    const size = Math.min(left, chance.between(TALK.least, TALK.most));
    sizes.push(size);
    left -= size;
  }
  return sizes;
}

/** Some time after the room was created, mostly by day. */
function timeOfTalk(made: number, end: number, chance: Chance): number {
  const last = end - TALK.margin;
  const day = Math.floor((made + chance.share() * (last - made)) / DAY_MS) * DAY_MS;
  const hour = chance.happens(0.9) ? 8 + chance.share() * 12 : chance.share() * 24;
  const at = day + Math.floor(hour * HOUR_MS);
  return Math.min(Math.max(at, made + HOUR_MS), last);
}

function shuffled(count: number, chance: Chance): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = chance.below(i + 1);
    [order[i], order[other]] = [order[other] as number, order[i] as number];
  }
  return order;
}
