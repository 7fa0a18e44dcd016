import { setMaxListeners } from 'node:events';
import {
  type BinaryEventData,
  NO_STREAM as EMPTY,
  ErrorType,
  WrongExpectedVersionError,
} from '@kurrent/kurrentdb-client';
import {
  type Append,
  type Appended,
  appendLimits,
  NO_STREAM,
  RevisionConflict,
  StoreClosed,
  type StoredEvent,
} from '../event-store.js';
import type { TroubleLog } from '../trouble-log.js';
import { atMost, pauseBeforeRetry } from '../waiting.js';
import { type KurrentClient, typeOf } from './kurrent-client.js';
import { toKurrent } from './kurrent-events.js';
import type { LogReader } from './log-reader.js';
import type { StreamNames } from './stream-names.js';
import { Turns } from './turns.js';

/**
 * Appends that are given to the client at a time: fewer than the 16 messages after which a stream of Node lets writers
 * wait. Of appends that wait inside the client when the connection is lost, each ends in a rejection that nobody can
 * catch, which ends the process.
 */
const MOST_AT_A_TIME = 15;

/** An append as it is sent, as often as that takes. */
interface Frozen extends Append {
  readonly name: string;
  readonly data: BinaryEventData[];
}

/**
 * Sends appends until there is a definite answer to each, many streams at once, one append of a stream after the other.
 *
 * When no answer comes, nobody knows whether the append was stored. It is sent again as it was: the same bytes, ids and
 * revision. This cannot store anything twice: streams only grow, so whichever try comes second, and any that arrives
 * later still, finds its revisions taken and its own ids standing there.
 *
 * The queues need no bound of their own: a caller has one append of a stream in flight, so there are no more than
 * streams in use, and each is within `appendLimits`.
 */
export class SteadyAppends {
  /** The end of the last append taken of each stream that has one under way. */
  private readonly queues = new Map<string, Promise<unknown>>();
  private readonly turns = new Turns(MOST_AT_A_TIME);
  private readonly closing = new AbortController();

  constructor(
    private readonly client: KurrentClient,
    private readonly reader: LogReader,
    private readonly names: StreamNames,
    private readonly log: TroubleLog,
  ) {
    setMaxListeners(0, this.closing.signal);
  }

  /** The places of the append's last event. Rejects with RevisionConflict. */
  append(append: Append): Promise<Appended> {
    const { stream } = append;
    const frozen = { ...append, name: this.names.inStore(stream), data: append.events.map(toKurrent) };
    const before = this.queues.get(stream);
    const settled = before ? before.then(() => this.settle(frozen)) : this.settle(frozen);
    const leave = () => {
      if (this.queues.get(stream) === over) this.queues.delete(stream);
    };
    const over: Promise<void> = settled.then(leave, leave);
    this.queues.set(stream, over);
    return settled;
  }

  /** Finishes the appends already taken, for so many milliseconds at most. The rest fail when the client is closed. */
  async close(milliseconds: number): Promise<void> {
    await atMost(milliseconds, Promise.all(this.queues.values()));
    this.closing.abort();
  }

  private async settle(append: Frozen): Promise<Appended> {
    const { signal } = this.closing;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const places = await this.send(append);
        if (places) return places;
      } catch (error) {
        if (isVerdict(error)) throw error;
        const { stream } = append;
        this.log.warn({ err: error, failures, stream }, 'An append got no answer and is sent again.');
      }
      await pauseBeforeRetry(failures, signal);
    }
    throw new StoreClosed();
  }

  /** One try. Undefined when the server knows of more than can be read yet, so that its author is unknown. */
  private async send(append: Frozen): Promise<Appended | undefined> {
    const { name, expectedRevision, events, data } = append;
    const streamState = expectedRevision === NO_STREAM ? EMPTY : expectedRevision;
    let head = expectedRevision + BigInt(events.length);
    try {
      const { nextExpectedRevision: revision, position } = await this.turns.run(() =>
        this.client.ask((client) => client.appendToStream(name, data, { streamState, requiresLeader: true })),
      );
      if (position) return { revision, position: position.commit };
    } catch (error) {
      if (!(error instanceof WrongExpectedVersionError)) throw error;
      head = error.actualState === EMPTY ? NO_STREAM : BigInt(error.actualState);
    }
    return this.findOut(append, head);
  }

  /** What stands where the append was to go: its own events, if an earlier answer was lost, or those of another. */
  private async findOut({ stream, expectedRevision, events }: Append, head: bigint): Promise<Appended | undefined> {
    const tail = await this.reader.read(stream, expectedRevision + 1n, appendLimits.events);
    const own = tail[events.length - 1];
    if (own && events.every(({ id }, i) => id === tail[i]?.id))
      return { revision: own.revision, position: own.position };
    if (!isComplete(tail, expectedRevision, head)) return undefined;
    throw new RevisionConflict(stream, expectedRevision, tail);
  }
}

/** Whether everything after `revision` was read that the stream is known to hold, or a full page of it. */
function isComplete(tail: readonly StoredEvent[], revision: bigint, head: bigint): boolean {
  return tail.length === appendLimits.events || (tail.at(-1)?.revision ?? revision) >= head;
}

/** Errors that the same append would meet with again. */
const verdicts: ReadonlySet<string> = new Set([
  ErrorType.STREAM_DELETED,
  ErrorType.STREAM_TOMBSTONED,
  ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED,
  ErrorType.APPEND_RECORD_SIZE_EXCEEDED,
  ErrorType.INVALID_ARGUMENT,
]);

const isVerdict = (error: unknown): boolean => error instanceof RevisionConflict || verdicts.has(typeOf(error));
