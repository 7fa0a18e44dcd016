import { parseStream, type Recorded, type StreamCategory, streamCategories } from '@verbatim/domain';
import { overseersOnly } from '../application/accounts/permission.js';
import type { ReadModelProgress } from '../doors/read-your-writes.js';
import { Refusal } from '../doors/refusal.js';
import type { Connection } from '../doors/websocket/connection.js';
import { encode } from '../doors/websocket/frame-text.js';

/** Milliseconds between two frames, however much happens. */
const PAUSE = 1_000;
/** Milliseconds for which the read models are waited for; when they lag more, watchers are told all the same. */
const PATIENCE = 5_000;

/**
 * Tells administrators and auditors that something has changed, so that what they look at is read again. What it was they
 * are not told: that is a matter of what they may read.
 */
export class Watchers {
  private readonly connections = new Set<Connection>();
  private readonly changed = new Set<StreamCategory>();
  /** Position of the last event that watchers were not told of. */
  private last = -1n;
  private telling = false;

  constructor(private readonly readModels: Pick<ReadModelProgress, 'reached'>) {}

  watch(connection: Connection): void {
    if (!oversees(connection)) throw Refusal.of(overseersOnly);
    this.connections.add(connection);
  }

  unwatch(connection: Connection): void {
    this.connections.delete(connection);
  }

  /** A sink of the feed. */
  take(events: readonly Recorded[]): void {
    if (this.connections.size === 0) return;
    for (const { stream, position } of events) {
      const { category } = parseStream(stream);
      if (isCategory(category)) this.changed.add(category);
      this.last = position;
    }
    if (this.changed.size > 0 && !this.telling) void this.tell();
  }

  /** Goes on until there is nothing left to tell. */
  private async tell(): Promise<void> {
    this.telling = true;
    while (this.changed.size > 0) {
      const frame = encode('changed', { categories: [...this.changed] });
      this.changed.clear();
      // Whether the read models can be asked or not, looking again does no harm.
      await this.readModels.reached(this.last, PATIENCE).catch(() => false);
      for (const connection of this.connections) {
        if (oversees(connection)) connection.sendBytes(frame);
        else this.dismiss(connection);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE).unref());
    }
    this.telling = false;
  }

  /** The person is not what they were when they began to watch. */
  private dismiss(connection: Connection): void {
    this.unwatch(connection);
    connection.send('unwatched', {});
  }
}

const oversees = ({ actor }: Connection): boolean => actor.role !== 'user';

const isCategory = (name: string): name is StreamCategory => (streamCategories as readonly string[]).includes(name);
