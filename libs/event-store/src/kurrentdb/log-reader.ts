import {
  BACKWARDS,
  END,
  ErrorType,
  FORWARDS,
  type KurrentDBClient,
  type ReadPosition,
  type ResolvedEvent,
  START,
} from '@kurrent/kurrentdb-client';
import { EventsMissing, type StoredEvent } from '../event-store.js';
import { upToBytes } from '../up-to-bytes.js';
import { type CallOptions, type KurrentClient, typeOf } from './kurrent-client.js';
import { fromKurrent } from './kurrent-events.js';
import type { StreamNames } from './stream-names.js';

/** Events asked for at first where their bytes are limited. */
const FIRST_STEP = 16;
/** Milliseconds that a read of many events may take; the client's patience is for those that somebody waits for. */
const BULK_PATIENCE_MS = 20_000;

/** Reads the log from the leader of the cluster, which alone knows the last word. */
export class LogReader {
  constructor(
    private readonly client: KurrentClient,
    private readonly names: StreamNames,
  ) {}

  /** See EventStore.read. */
  async read(stream: string, from: bigint, limit: number, maxBytes?: number): Promise<StoredEvent[]> {
    const first = from > 0n ? from : 0n;
    if (maxBytes === undefined) return this.readStream(stream, FORWARDS, first, limit);
    // The server cannot be asked for bytes, so it is asked for few events, and then for as many as their size suggests.
    const events: StoredEvent[] = [];
    for (let bytes = 0, count = Math.min(limit, FIRST_STEP); count > 0; ) {
      const page = await this.readStream(stream, FORWARDS, first + BigInt(events.length), count);
      events.push(...page);
      for (const { sealed } of page) bytes += Buffer.byteLength(sealed);
      if (page.length < count || bytes >= maxBytes) break;
      count = Math.min(limit - events.length, Math.ceil(((maxBytes - bytes) * events.length) / bytes));
    }
    return upToBytes(events, maxBytes);
  }

  /** See EventStore.readLast. */
  async readLast(stream: string): Promise<StoredEvent | null> {
    const [last] = await this.readStream(stream, BACKWARDS, END, 1);
    return last ?? null;
  }

  /**
   * See EventStore.readAll. KurrentDB counts bytes, and starts only where an event does. The number does not say whether
   * it is the place of an event or, as when reading on, the one after it. It cannot be both, for no event is that short,
   * and the error for the wrong one looks like that of a server which is away.
   */
  async readFrom(position: bigint, limit: number): Promise<StoredEvent[]> {
    if (position <= 0n) return this.readAll(FORWARDS, START, limit);
    try {
      return await this.readAfter(position - 1n, limit);
    } catch (error) {
      if (!typeOf(error)) throw error;
      return this.readAll(FORWARDS, placeOf(position), limit);
    }
  }

  /**
   * Events that follow an event whose position is given, in order, at most `limit`. Rejects with EventsMissing when it is
   * known that this event is `last`, and it is not there any more.
   */
  async readAfter(position: bigint, limit: number, last?: StoredEvent): Promise<StoredEvent[]> {
    if (position < 0n) return this.readAll(FORWARDS, START, limit);
    // Reads include the place where they start.
    const events = await this.readAll(FORWARDS, placeOf(position), limit + 1);
    if (last && events[0]?.id !== last.id) throw new EventsMissing(last.stream);
    return events.filter((event) => event.position > position).slice(0, limit);
  }

  /** See EventStore.head; `patience` is in milliseconds. */
  async head(patience?: number): Promise<bigint> {
    return (await this.last(patience))?.position ?? -1n;
  }

  /** See EventStore.last; `patience` is in milliseconds. */
  async last(patience?: number): Promise<StoredEvent | null> {
    const [last] = await this.readAll(BACKWARDS, END, 1, patience);
    return last ?? null;
  }

  private readStream(
    stream: string,
    direction: typeof FORWARDS | typeof BACKWARDS,
    fromRevision: bigint | typeof END,
    maxCount: number,
  ): Promise<StoredEvent[]> {
    const name = this.names.inStore(stream);
    const options = { direction, fromRevision, maxCount, requiresLeader: true };
    return this.collect((client, call) => client.readStream(name, { ...options, ...call })).catch((error: unknown) => {
      if (typeOf(error) === ErrorType.STREAM_NOT_FOUND) return [];
      throw error;
    });
  }

  private readAll(
    direction: typeof FORWARDS | typeof BACKWARDS,
    fromPosition: ReadPosition,
    maxCount: number,
    patience = maxCount > 1 ? BULK_PATIENCE_MS : undefined,
  ): Promise<StoredEvent[]> {
    const options = { direction, fromPosition, maxCount, filter: this.names.filter, requiresLeader: true };
    return this.collect((client, call) => client.readAll({ ...options, ...call }), patience);
  }

  /** To the end, for a read that is left early goes on; what it reads is bounded by its `maxCount`. */
  private collect(
    read: (client: KurrentDBClient, call: CallOptions) => AsyncIterable<ResolvedEvent>,
    patience?: number,
  ): Promise<StoredEvent[]> {
    return this.client.ask(async (client, call) => {
      const events: StoredEvent[] = [];
      for await (const { event } of read(client, call)) {
        const stored = fromKurrent(event, this.names);
        if (stored) events.push(stored);
      }
      return events;
    }, patience);
  }
}

/** No transaction of ours spans several commits, so an event is prepared and committed at the same place. */
const placeOf = (position: bigint): ReadPosition => ({ commit: position, prepare: position });
