import { setImmediate as nextTurn } from 'node:timers/promises';
import { separator } from '../append-limits.js';
import { type Append, type Appended, appendLimits, StoreClosed, type StoredEvent } from '../event-store.js';
import type { TroubleLog } from '../trouble-log.js';
import { atMost, pauseBeforeRetry } from '../waiting.js';
import { type DatabaseClient, refusesData, type Sql } from './database-client.js';

interface SizedAppend extends Append {
  readonly bytes: number;
}

interface WaitingAppend extends SizedAppend {
  readonly resolve: (places: Appended | null) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Puts the appends that arrive while one call is on its way together into the next call, so that a commit, which costs
 * a write to the disk, is shared by all who are waiting for one.
 *
 * When no answer comes, nobody knows whether the batch was stored. It stays as it is and is sent again until there is an
 * answer; all others wait. This cannot store anything twice, even while the database still works on an earlier try:
 * the lock in `log.append` puts the tries one after the other, streams only grow, and so whichever try comes second, and
 * any that arrives later still, finds its revisions taken and its own ids standing there.
 *
 * The queue needs no bound of its own: a caller has one append of a stream in flight, so there are no more than streams
 * in use, and each is within `appendLimits`.
 */
export class GroupCommit {
  private waiting: WaitingAppend[] = [];
  private onTheWay: WaitingAppend[] = [];
  private working: Promise<void> | undefined;
  private readonly closing = new AbortController();

  constructor(
    private readonly client: DatabaseClient,
    private readonly log: TroubleLog,
    /** Hears of the events of each append that stands in the log, in the order of their positions. */
    private readonly committed: (events: readonly StoredEvent[]) => void,
  ) {}

  /** The places of the append's last event, or null if it was stale. Appends of a stream keep the order of the calls. */
  append(append: SizedAppend): Promise<Appended | null> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ ...append, resolve, reject });
      this.working ??= this.work();
    });
  }

  /** Finishes the appends already taken, for so many milliseconds at most; then the rest fail with StoreClosed. */
  async close(milliseconds: number): Promise<void> {
    if (this.working) await atMost(milliseconds, this.working);
    this.closing.abort();
    for (const append of [...this.onTheWay, ...this.waiting.splice(0)]) append.reject(new StoreClosed());
  }

  private async work(): Promise<void> {
    while (this.waiting.length > 0) {
      // Those who have just got their answers may want to append again at once: let them come along.
      await nextTurn();
      this.onTheWay = this.nextBatch();
      await this.settle(this.onTheWay);
    }
    this.onTheWay = [];
    this.working = undefined;
  }

  /** Takes what fits into one call, in order, one append of each stream. */
  private nextBatch(): WaitingAppend[] {
    const batch: WaitingAppend[] = [];
    const left: WaitingAppend[] = [];
    const streams = new Set<string>();
    let events = 0;
    let bytes = 0;
    for (const append of this.waiting) {
      const fits = events + append.events.length <= appendLimits.events && bytes + append.bytes <= appendLimits.bytes;
      if (fits && !streams.has(append.stream)) {
        batch.push(append);
        events += append.events.length;
        bytes += append.bytes;
      } else {
        left.push(append);
      }
      // Also when it was left behind: nothing later of the same stream may overtake it.
      streams.add(append.stream);
    }
    this.waiting = left;
    return batch;
  }

  /** Sends a batch until there is an answer. If the database finds fault with the data, each append is tried alone. */
  private async settle(batch: readonly WaitingAppend[]): Promise<void> {
    const { signal } = this.closing;
    for (let failures = 0; !signal.aborted; failures++) {
      let standing: ReadonlyMap<string, Appended>;
      try {
        standing = await this.client.ask((sql) => store(sql, batch));
      } catch (error) {
        if (refusesData(error)) return this.settleAlone(batch, error);
        this.log.warn({ err: error, failures, appends: batch.length }, 'Appends got no answer and are sent again.');
        await pauseBeforeRetry(failures, signal);
        continue;
      }
      return this.answer(batch, standing);
    }
  }

  private async settleAlone(batch: readonly WaitingAppend[], error: unknown): Promise<void> {
    if (batch.length === 1) batch[0]?.reject(error);
    else for (const append of batch) await this.settle([append]);
  }

  private answer(batch: readonly WaitingAppend[], standing: ReadonlyMap<string, Appended>): void {
    for (const append of batch) {
      const places = standing.get(append.stream);
      if (places) this.committed(storedEvents(append, places));
      append.resolve(places ?? null);
    }
  }
}

/**
 * Calls `log.append`; returns the places, by stream, of those appends that stand in the log. Lists go as one text each:
 * PostgreSQL's own notation of arrays would put a backslash before each of JSON's many quotation marks.
 */
async function store(sql: Sql, batch: readonly Append[]): Promise<Map<string, Appended>> {
  const streams: string[] = [];
  const expected: bigint[] = [];
  const appends: number[] = [];
  const revisions: bigint[] = [];
  const ids: string[] = [];
  const types: string[] = [];
  const hashes: string[] = [];
  const sealed: string[] = [];
  for (const { stream, expectedRevision, events } of batch) {
    streams.push(stream);
    expected.push(expectedRevision);
    let revision = expectedRevision;
    for (const event of events) {
      appends.push(streams.length);
      revisions.push(++revision);
      ids.push(event.id);
      types.push(event.type);
      hashes.push(event.hash);
      sealed.push(event.sealed);
    }
  }
  const rows = await sql<{ stream: string; revision: bigint; position: bigint }[]>`
    select stream, revision, position from log.append(
      string_to_array(${streams.join(separator)}, ${separator}),
      string_to_array(${expected.join(separator)}, ${separator})::bigint[],
      string_to_array(${appends.join(separator)}, ${separator})::int[],
      string_to_array(${revisions.join(separator)}, ${separator})::bigint[],
      string_to_array(${ids.join(separator)}, ${separator})::uuid[],
      string_to_array(${types.join(separator)}, ${separator}),
      string_to_array(${hashes.join(separator)}, ${separator}),
      string_to_array(${sealed.join(separator)}, ${separator}))`;
  return new Map(rows.map(({ stream, revision, position }) => [stream, { revision, position }]));
}

/** The events of an append that stands in the log; they are next to each other, having been stored all at once. */
function storedEvents({ stream, events }: Append, last: Appended): StoredEvent[] {
  return events.map(({ id, type, sealed, hash }, i) => {
    const before = BigInt(events.length - 1 - i);
    return { stream, revision: last.revision - before, position: last.position - before, id, type, sealed, hash };
  });
}
