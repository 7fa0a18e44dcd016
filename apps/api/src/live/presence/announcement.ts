import { z } from 'zod';
import type { Person } from '../live-event.js';

/** What is announced about one room. `people`: everyone in it at that replica; null: too many to announce. */
export interface RoomStatement {
  readonly room: string;
  readonly people: readonly Person[] | null;
}

export interface Typing {
  readonly room: string;
  readonly person: Person;
}

/** The load of a replica. */
export interface Load {
  /** Open WebSocket connections. */
  readonly sockets: number;
  /** Accounts with at least one. */
  readonly people: number;
}

/** What one replica announces to all others at a time. It may be lost. */
export interface Announcement {
  /** Id of the replica, new after each start. */
  readonly from: string;
  /** Incremented with each announcement, so that a lost one is noticed. */
  readonly number: number;
  /** How many rounds, each announcing all its rooms, the replica has started. */
  readonly round: number;
  /** This round is complete: rooms not announced in it are empty. */
  readonly complete: boolean;
  readonly rooms: readonly RoomStatement[];
  readonly typing: readonly Typing[];
  /** Null from a replica of an earlier release. */
  readonly load: Load | null;
  /** Replicas asked to start a new round. */
  readonly asks: readonly string[];
  /** The replica is shutting down; all its people are gone. */
  readonly bye: boolean;
}

/** PostgreSQL notifications are limited to less than 8,000 bytes. */
export const MAX_BYTES = 7_900;

// Space is scarce, so people are written as pairs and empty parts are left out.
const person = z.tuple([z.string(), z.string()]);
const wire = z.object({
  from: z.string(),
  number: z.int(),
  round: z.int(),
  complete: z.boolean(),
  load: z.tuple([z.int(), z.int()]).optional(),
  rooms: z.array(z.tuple([z.string(), z.array(person).nullable()])).optional(),
  typing: z.array(z.tuple([z.string(), person])).optional(),
  asks: z.array(z.string()).optional(),
  bye: z.boolean().optional(),
});

/** The text of an announcement. The caller makes sure that it fits into MAX_BYTES. */
export function writeAnnouncement({ load, rooms, typing, asks, bye, ...rest }: Announcement): string {
  const text: z.input<typeof wire> = {
    ...rest,
    ...(load && { load: [load.sockets, load.people] }),
    ...(rooms.length > 0 && { rooms: rooms.map(({ room, people }) => [room, people?.map(toPair) ?? null]) }),
    ...(typing.length > 0 && { typing: typing.map(({ room, person }) => [room, toPair(person)]) }),
    ...(asks.length > 0 && { asks: [...asks] }),
    ...(bye && { bye }),
  };
  return JSON.stringify(text);
}

/** Parses an announcement; null if it is invalid, for example from another release. */
export function readAnnouncement(text: string): Announcement | null {
  const read = wire.safeParse(parsed(text));
  if (!read.success) return null;
  const { load, rooms = [], typing = [], asks = [], bye = false, ...rest } = read.data;
  return {
    ...rest,
    load: load ? { sockets: load[0], people: load[1] } : null,
    rooms: rooms.map(([room, people]) => ({ room, people: people?.map(fromPair) ?? null })),
    typing: typing.map(([room, pair]) => ({ room, person: fromPair(pair) })),
    asks,
    bye,
  };
}

/** Bytes that a statement takes in an announcement, including the comma after it. */
export const bytesOf = ({ room, people }: RoomStatement): number =>
  Buffer.byteLength(JSON.stringify([room, people?.map(toPair) ?? null])) + 1;

const toPair = ({ id, username }: Person): [string, string] => [id, username];
const fromPair = ([id, username]: [string, string]): Person => ({ id, username });

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
