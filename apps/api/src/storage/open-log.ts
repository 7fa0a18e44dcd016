import type { Recorded } from '@verbatim/domain';
import type { EventStore, Sealer } from '@verbatim/event-store';

/** The log as it reads once opened. */
export class OpenLog {
  constructor(
    private readonly store: EventStore,
    private readonly sealer: Sealer,
  ) {}

  /** Events of a stream from a revision on, in order, at most `limit`, and up to the one that reaches `maxBytes`. */
  async read(stream: string, from: bigint, limit: number, maxBytes?: number): Promise<Recorded[]> {
    return this.sealer.open(await this.store.read(stream, from, limit, maxBytes), { passing: true, gently: true });
  }
}
