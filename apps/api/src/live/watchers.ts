import {
  parseStream,
  type Recorded,
  type Rejection,
  reject,
  type StreamCategory,
  streamCategories,
} from '@verbatim/domain';
import { PerEncoder, type Subscriber } from './subscriber.js';

/** Minimum interval between two notifications. */
const PAUSE_MS = 1_000;
/** How long to wait for the read models; if they lag longer, watchers are notified anyway. */
const PATIENCE_MS = 5_000;

/** How far the read models have come. */
export interface ReadModelProgress {
  /** Whether all events up to `position` were applied within `patience` milliseconds. */
  reached(position: bigint, patience: number): Promise<boolean>;
}

/**
 * Notifies administrators and auditors that something has changed, so that they reload what they are viewing. What has
 * changed is not sent, because it depends on what they may read.
 */
export class Watchers {
  private readonly subscribers = new Set<Subscriber>();
  private readonly changed = new Set<StreamCategory>();
  /** Position of the newest event. */
  private last = -1n;
  private notifying = false;

  constructor(private readonly readModels: ReadModelProgress) {}

  watch(subscriber: Subscriber): Rejection | null {
    if (!oversees(subscriber)) return reject('NotAllowed', 'Only administrators and auditors may do this.');
    this.subscribers.add(subscriber);
    return null;
  }

  unwatch(subscriber: Subscriber): void {
    this.subscribers.delete(subscriber);
  }

  /** A sink of the feed. */
  handle(events: readonly Recorded[]): void {
    if (this.subscribers.size === 0) return;
    for (const { stream, position } of events) {
      const { category } = parseStream(stream);
      if (isCategory(category)) this.changed.add(category);
      this.last = position;
    }
    if (this.changed.size > 0 && !this.notifying) void this.notify();
  }

  /** Repeats until there is nothing left to report. */
  private async notify(): Promise<void> {
    this.notifying = true;
    while (this.changed.size > 0) {
      const categories = [...this.changed];
      this.changed.clear();
      // If the read models cannot be asked, reloading does no harm.
      await this.readModels.reached(this.last, PATIENCE_MS).catch(() => false);
      const encoded = new PerEncoder((encoder) => encoder.changed(categories));
      for (const subscriber of this.subscribers) {
        if (oversees(subscriber)) write(subscriber, encoded.get(subscriber.encoder));
        else this.dismiss(subscriber);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS).unref());
    }
    this.notifying = false;
  }

  /** The person's role has changed since they started to watch. */
  private dismiss(subscriber: Subscriber): void {
    this.unwatch(subscriber);
    write(subscriber, subscriber.encoder.unwatched());
  }
}

function write(subscriber: Subscriber, bytes: Buffer | null): void {
  if (bytes) subscriber.write(bytes);
}

const oversees = ({ actor }: Subscriber): boolean => actor.role !== 'user';

const isCategory = (name: string): name is StreamCategory => (streamCategories as readonly string[]).includes(name);
