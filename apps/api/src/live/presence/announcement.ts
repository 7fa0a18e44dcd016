import type { Person } from '@verbatim/protocol';
import { z } from 'zod';

/** What is told of one room. `people` are all who are in it at that replica; null: too many to tell. */
export interface RoomStatement {
  readonly room: string;
  readonly people: readonly Person[] | null;
}

export interface Typing {
  readonly room: string;
  readonly person: Person;
}

/** How much a replica has to do. */
export interface Load {
  /** Open WebSocket connections. */
  readonly sockets: number;
  /** Accounts that have one. */
  readonly people: number;
}

/** What one replica tells all others at a time. Any of them may be lost on the way. */
export interface Announcement {
  /** Id of the replica, another one after each start. */
  readonly from: string;
  /** Grows by one with each announcement, so that a lost one is missed. */
  readonly number: number;
  /** How often the replica has begun to tell of all its rooms anew. */
  readonly round: number;
  /** Nothing of this round is left to tell: a room that it did not speak of has nobody there. */
  readonly complete: boolean;
  readonly rooms: readonly RoomStatement[];
  readonly typing: readonly Typing[];
  /** Null of a replica of an earlier release. */
  readonly load: Load | null;
  /** Replicas that are asked to begin a new round. */
  readonly asks: readonly string[];
  /** The replica ends; nobody is there any more. */
  readonly bye: boolean;
}

/** PostgreSQL takes less than 8,000 bytes with a notification. */
export const MOST_BYTES = 7_900;

// People are written as pairs and empty parts are left out, because there is not much space.
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

/** The text of an announcement; the caller sees to it that it is not longer than MOST_BYTES. */
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

/** Reads an announcement; null when it is none, as one of another release may be. */
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

/** Bytes that a statement takes within an announcement, with the comma after it. */
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
