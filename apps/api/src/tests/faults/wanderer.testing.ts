import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@verbatim/client';
import type { Credentials } from './reading-back.testing.js';
import type { Seeded } from './seeded.testing.js';
import { Witness } from './witness.testing.js';

/** Milliseconds of a stay and of an absence, at most. */
const STAY_MS = 12_000;
const ABSENCE_MS = 8_000;

export interface WandererOptions extends Credentials {
  /** Both replicas; it changes sides with each return. */
  readonly servers: readonly string[];
  readonly rooms: readonly string[];
  readonly random: Seeded;
  readonly pace: number;
}

/** Closes its client again and again, comes back at the other replica, and continues where it was, or starts over. */
export class Wanderer {
  /** Those in use, and those given up for a new start. */
  readonly witnesses: Witness[] = [];
  returns = 0;
  private servers: readonly string[];
  private readonly current = new Map<string, Witness>();
  private client: Client | null = null;

  constructor(private readonly options: WandererOptions) {
    this.servers = options.servers;
  }

  /** Resolves once it was stopped; it is connected and listening then. */
  async wander(end: AbortSignal): Promise<void> {
    const { random, pace } = this.options;
    const pause = (most: number) => sleep(random.between(200, most * pace), undefined, { signal: end }).catch(() => {});
    this.arrive();
    while (!end.aborted) {
      await pause(STAY_MS);
      this.depart();
      await pause(ABSENCE_MS);
      this.arrive();
    }
  }

  close(): void {
    this.client?.close();
  }

  private arrive(): void {
    const { username, password, rooms, random } = this.options;
    this.servers = this.servers.toReversed();
    const client = new Client({ servers: this.servers, credentials: () => ({ username, password }) });
    this.client = client;
    this.returns++;
    for (const room of rooms) {
      // Now and then from before the first event, or from the first on.
      const from = random.between(1, 4) === 1 ? random.between(-1, 0) : null;
      const known = this.current.get(room);
      const witness = known && from === null ? known : this.newWitness(room, from ?? -1);
      witness.listen(client);
    }
  }

  private depart(): void {
    for (const witness of this.current.values()) witness.goAway();
    this.client?.close();
    this.client = null;
  }

  private newWitness(room: string, after: number): Witness {
    const witness = new Witness(`${this.options.username}, who comes and goes (${this.returns})`, room, after);
    this.current.set(room, witness);
    this.witnesses.push(witness);
    return witness;
  }
}
