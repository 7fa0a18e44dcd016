import type { Participant } from './load.js';

/** Something that can be put under load. */
export interface Subject {
  /** Connects people, each with a socket for each of their rooms. */
  gather(gathering: Gathering): Promise<Participant[][]>;
  /** Resolves when all work that the load has caused is done. */
  settled(): Promise<void>;
  /** Microseconds of CPU used: by the servers, and of the database where there is one. */
  cpu(): Cpu;
  /** Resident memory of the server in MiB. */
  residentMiB(): number;
  stop(): Promise<void>;
}

export interface Gathering {
  readonly rooms: number;
  readonly people: number;
  /** Whether they follow their room, default true. */
  readonly follow?: boolean;
  /** The process that somebody connects to where there are several, default the first. */
  readonly door?: (room: number, person: number) => number;
}

export interface Cpu {
  readonly server: number;
  readonly database: number;
}

/** Makes all participants, those of a room at once. */
export async function grid(
  { rooms, people }: Gathering,
  make: (room: number, person: number) => Promise<Participant>,
): Promise<Participant[][]> {
  const all: Participant[][] = [];
  for (let room = 0; room < rooms; room++)
    all.push(await Promise.all(Array.from({ length: people }, (_, person) => make(room, person))));
  return all;
}
