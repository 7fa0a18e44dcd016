import { type CatchUpSource, CatchUpSubscription } from './catch-up-subscription.js';
import { type EventHandler, StoreClosed, type StoredEvent, type Subscription } from './event-store.js';

/** The subscriptions of one store, which all hear of the same things. */
export class Subscriptions {
  private readonly running = new Set<CatchUpSubscription>();
  private closed = false;

  constructor(private readonly source: CatchUpSource) {}

  start(after: bigint, handler: EventHandler): Subscription {
    if (this.closed) throw new StoreClosed();
    const subscription = new CatchUpSubscription(this.source, after, handler, () => this.running.delete(subscription));
    this.running.add(subscription);
    return subscription;
  }

  /** See CatchUpSubscription.offer. */
  offer(events: readonly StoredEvent[], after: bigint): void {
    for (const subscription of this.running) subscription.offer(events, after);
  }

  /** See CatchUpSubscription.wake. */
  wake(position?: bigint): void {
    for (const subscription of this.running) subscription.wake(position);
  }

  /** See CatchUpSubscription.doubt. */
  doubt(): void {
    for (const subscription of this.running) subscription.doubt();
  }

  /** Stops them all; resolves when no handler runs any more. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.running].map((subscription) => subscription.stop()));
  }
}
