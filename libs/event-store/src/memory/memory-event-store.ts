import { checkAppend } from '../append-limits.js';
import {
  type Appended,
  type EventHandler,
  type EventStore,
  type NewEvent,
  RevisionConflict,
  StoreClosed,
  type StoredEvent,
  type Subscription,
} from '../event-store.js';
import { Subscriptions } from '../subscriptions.js';
import { silent, type TroubleLog } from '../trouble-log.js';
import { upToBytes } from '../up-to-bytes.js';
import { atMost } from '../waiting.js';

/** Longest time in milliseconds that `close` waits for handlers. */
const closingTime = 10_000;

/** A log that lives and dies with its process: for tests and for trying things out. */
export class MemoryEventStore implements EventStore {
  private readonly log: StoredEvent[] = [];
  private readonly streams = new Map<string, StoredEvent[]>();
  private readonly subscriptions: Subscriptions;
  private closing: Promise<void> | undefined;

  constructor(options: { readonly log?: TroubleLog } = {}) {
    this.subscriptions = new Subscriptions({
      readAfter: async (after, limit) => page(this.log, after + 1n, limit),
      log: options.log ?? silent,
    });
  }

  async append(stream: string, expectedRevision: bigint, events: readonly NewEvent[]): Promise<Appended> {
    this.refuseIfClosed();
    checkAppend(expectedRevision, events);
    const stored = this.streams.get(stream) ?? [];
    const place = Number(expectedRevision) + 1;
    if (place === stored.length) return this.store(stream, events);
    const standing = stored.slice(place, place + events.length);
    const last = standing.at(-1);
    if (last && events.every(({ id }, i) => id === standing[i]?.id)) return places(last);
    throw new RevisionConflict(stream, expectedRevision, stored.slice(place));
  }

  async read(stream: string, from: bigint, limit: number, maxBytes?: number): Promise<StoredEvent[]> {
    this.refuseIfClosed();
    return upToBytes(page(this.streams.get(stream) ?? [], from, limit), maxBytes);
  }

  async readLast(stream: string): Promise<StoredEvent | null> {
    this.refuseIfClosed();
    return this.streams.get(stream)?.at(-1) ?? null;
  }

  async readAll(from: bigint, limit: number): Promise<StoredEvent[]> {
    this.refuseIfClosed();
    return page(this.log, from, limit);
  }

  async last(): Promise<StoredEvent | null> {
    return this.log.at(-1) ?? null;
  }

  async head(): Promise<bigint> {
    this.refuseIfClosed();
    return BigInt(this.log.length - 1);
  }

  async subscribe(after: bigint | 'end', handler: EventHandler): Promise<Subscription> {
    return this.subscriptions.start(after === 'end' ? await this.head() : after, handler);
  }

  close(): Promise<void> {
    this.closing ??= atMost(closingTime, this.subscriptions.close());
    return this.closing;
  }

  private store(stream: string, events: readonly NewEvent[]): Appended {
    const stored = this.streams.get(stream) ?? [];
    this.streams.set(stream, stored);
    const after = BigInt(this.log.length - 1);
    const added = events.map(({ id, type, sealed, hash }, i) => ({
      stream,
      revision: BigInt(stored.length + i),
      position: after + BigInt(1 + i),
      id,
      type,
      sealed,
      hash,
    }));
    stored.push(...added);
    this.log.push(...added);
    this.subscriptions.offer(added, after);
    return { revision: BigInt(stored.length - 1), position: BigInt(this.log.length - 1) };
  }

  private refuseIfClosed(): void {
    if (this.closing) throw new StoreClosed();
  }
}

const places = ({ revision, position }: StoredEvent): Appended => ({ revision, position });

function page(events: readonly StoredEvent[], from: bigint, limit: number): StoredEvent[] {
  const start = Math.max(0, Number(from));
  return events.slice(start, start + limit);
}
