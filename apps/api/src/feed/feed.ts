import type { Recorded } from '@verbatim/domain';
import type { EventStore, Sealer, Subscription } from '@verbatim/event-store';
import type { Logger } from 'pino';

/** Something that acts on events as they come. It gets each event of the log once, in order. */
export type Sink = (events: readonly Recorded[]) => void | Promise<void>;

/**
 * The one subscription by which this process learns what happened, its own doing included. Sinks are called in the order
 * in which they were added; revoked sessions and mailboxes come first, so that whoever acts later finds states at least this far.
 */
export class Feed {
  private readonly sinks: { name: string; sink: Sink }[] = [];
  private subscription: Subscription | null = null;

  constructor(
    private readonly store: EventStore,
    private readonly sealer: Sealer,
    private readonly log: Logger,
  ) {}

  /** To be called before `start`; the name is for the log. */
  add(name: string, sink: Sink): void {
    this.sinks.push({ name, sink });
  }

  async start(): Promise<void> {
    this.subscription = await this.store.subscribe('end', async (stored) => {
      const events = await this.sealer.open(stored);
      for (const { name, sink } of this.sinks) {
        try {
          await sink(events);
        } catch (error) {
          // The others must not miss an event because of one sink's bug.
          this.log.error({ err: error, sink: name }, 'a sink of the feed failed');
        }
      }
    });
  }

  get running(): boolean {
    return this.subscription !== null;
  }

  /** Position up to which every sink has been told. */
  get position(): bigint {
    return this.subscription?.position ?? -1n;
  }

  async stop(): Promise<void> {
    await this.subscription?.stop();
    this.subscription = null;
  }
}

/** Splits events into runs of the same stream, keeping their order. */
export function* byStream(events: readonly Recorded[]): IterableIterator<[string, Recorded[]]> {
  const runs = new Map<string, Recorded[]>();
  for (const event of events) {
    const run = runs.get(event.stream);
    if (run) run.push(event);
    else runs.set(event.stream, [event]);
  }
  yield* runs;
}
