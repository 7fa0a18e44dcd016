import { ChainCheck } from './chain-check.js';
import {
  type Append,
  appendLimits,
  type EventStore,
  type NewEvent,
  RevisionConflict,
  type StoredEvent,
} from './event-store.js';
import { eventsOf } from './log-walk.js';
import { REPORT_EVERY, type WalkProgress } from './verify-log.js';

/** The copy cannot begin or go on; the message is a sentence for the operator. */
export class CopyRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CopyRefused';
  }
}

export interface CopyProgress extends WalkProgress {
  /** Comparing what the target has already, copying the rest, comparing everything. Positions are those of the source. */
  readonly phase: 'comparing' | 'copying' | 'verifying';
}

export interface CopyOutcome {
  /** Events that the target had before, and that were added. */
  readonly before: number;
  readonly added: number;
  /** What was found in the chains of the copy. A fault was copied from the source, where it is as well. */
  readonly check: ChainCheck;
  /** Whether the source has got more events since they were copied: to be copied by doing it again. */
  readonly grown: boolean;
}

/** A log to copy that need not be in a store: its events can be walked through several times, from the first to the last. */
export interface LogSource {
  /** Position of the last event, -1 without any. */
  head(): Promise<bigint>;
  events(): AsyncGenerator<StoredEvent, undefined>;
}

/** A store that keeps the order of appends to several streams, and so can take them at once. */
interface StoreInOrder extends EventStore {
  appendInOrder(appends: readonly Append[]): Promise<void>;
}

/**
 * Copies a whole log into another store, in the order of positions: streams, revisions, ids, types, texts and hashes stay
 * as they are, byte for byte. Then reads both again, compares them, and checks all chains.
 *
 * The target itself shows how far an earlier copy has come, since it holds a beginning of the source and nothing else; if
 * it holds anything else, this rejects with CopyRefused before it writes. So it may be ended at any point and be done
 * again, also to add what the source has got since. An append that an ended copy had under way may still arrive: the new
 * one makes the same one, which is stored once. Nobody else may write to the target meanwhile, nor another copy.
 */
export async function copyLog(
  from: EventStore | LogSource,
  target: EventStore,
  onProgress: (progress: CopyProgress) => void = () => {},
): Promise<CopyOutcome> {
  const source: LogSource = 'events' in from ? from : { head: () => from.head(), events: () => eventsOf(from) };
  const head = await source.head();
  const report = (phase: CopyProgress['phase'], events: number, position: bigint) =>
    onProgress({ phase, events, position, head });

  const originals = source.events();
  let before = 0;
  for await (const [original, copy] of sideBySide(originals, target)) {
    refuseDifferent(original, copy, before);
    if (++before % REPORT_EVERY === 0) report('comparing', before, original?.position ?? head);
  }

  let copied = before;
  for await (const appends of together(originals)) {
    await appendInOrder(target, appends);
    for (const { events } of appends) copied += events.length;
    report('copying', copied, appends.at(-1)?.position ?? head);
  }

  const check = new ChainCheck();
  const again = source.events();
  for await (const [original, copy] of sideBySide(again, target)) {
    refuseDifferent(original, copy, check.events);
    check.add(copy);
    if (check.events % REPORT_EVERY === 0) report('verifying', check.events, original?.position ?? head);
  }
  if (check.events !== copied) throw new CopyRefused(`The target has ${check.events} events instead of ${copied}.`);
  report('verifying', copied, head);
  const grown = (await again.next()).done !== true;
  await again.return(undefined);
  return { before, added: copied - before, check, grown };
}

/** Each event of the target with that of the source at the same place. The source is left at what the target lacks. */
async function* sideBySide(
  originals: AsyncGenerator<StoredEvent, undefined>,
  target: EventStore,
): AsyncGenerator<[StoredEvent | undefined, StoredEvent]> {
  for await (const copy of eventsOf(target)) yield [(await originals.next()).value, copy];
}

function refuseDifferent(original: StoredEvent | undefined, copy: StoredEvent, place: number): void {
  if (original && sameButPosition(original, copy)) return;
  const found = `${copy.type} ${copy.id}, revision ${copy.revision} of ${copy.stream}`;
  throw new CopyRefused(
    original
      ? `The target holds something else than the source. Its event number ${place + 1} is ${found}, and not ` +
          `${original.type} ${original.id}, revision ${original.revision} of ${original.stream}` +
          `${original.id === copy.id ? ', as it stands in the source' : ''}.`
      : `The target holds more than the source: its event number ${place + 1} is ${found}, and the source ends before. ` +
          'Either the target was written to since, or source and target are mixed up.',
  );
}

const sameButPosition = (one: StoredEvent, other: StoredEvent): boolean =>
  one.id === other.id &&
  one.stream === other.stream &&
  one.revision === other.revision &&
  one.type === other.type &&
  one.hash === other.hash &&
  one.sealed === other.sealed;

// Appending -----------------------------------------------------------------------------------------------------------

interface CopiedAppend extends Append {
  readonly events: NewEvent[];
  /** Of the last event, in the source. */
  position: bigint;
}

/**
 * Cuts events into appends without changing their order: each append holds consecutive events of one stream, and those
 * of a group, at most one of each stream, are within `appendLimits` together.
 */
async function* together(events: AsyncIterable<StoredEvent>): AsyncGenerator<CopiedAppend[]> {
  let group: CopiedAppend[] = [];
  let count = 0;
  let bytes = 0;
  for await (const { stream, revision, position, id, type, hash, sealed } of events) {
    const size = Buffer.byteLength(sealed);
    const last = group.at(-1);
    const goesOn = last?.stream === stream;
    const fits = count < appendLimits.events && bytes + size <= appendLimits.bytes;
    if (!fits || (!goesOn && group.some((append) => append.stream === stream))) {
      yield group;
      group = [];
      count = bytes = 0;
    }
    const event = { id, type, hash, sealed };
    const open = goesOn ? group.at(-1) : undefined;
    if (open) {
      open.events.push(event);
      open.position = position;
    } else group.push({ stream, expectedRevision: revision - 1n, events: [event], position });
    count++;
    bytes += size;
  }
  if (group.length > 0) yield group;
}

/** Stores without a way of their own get one append after the other, which keeps the order in any store. */
async function appendInOrder(target: EventStore, appends: readonly Append[]): Promise<void> {
  try {
    if (takesAtOnce(target)) return await target.appendInOrder(appends);
    for (const { stream, expectedRevision, events } of appends) await target.append(stream, expectedRevision, events);
  } catch (error) {
    if (!(error instanceof RevisionConflict)) throw error;
    throw new CopyRefused(
      `Revision ${error.expectedRevision + 1n} of ${error.stream} could not be appended to the target: either the ` +
        'source has a gap there, which `log verify` reports, or somebody else writes to the target.',
    );
  }
}

const takesAtOnce = (store: EventStore): store is StoreInOrder => 'appendInOrder' in store;
