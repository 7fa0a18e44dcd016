import { type ExportScope, happenedAt, roomStream, userStream } from '@verbatim/domain';
import { type EventStore, peek, type StoredEvent } from '@verbatim/event-store';
import { HASH_BYTES, TILE_WIDTH } from '@verbatim/transparency';
import type { ExportCheckpoint } from '../../storage/exports/stored-exports.js';
import { indexInBundle, type LogTrees } from '../../storage/transparency/log-trees.js';

/** Events read at a time, and bytes of their sealed texts where the store can tell. */
const EVENTS = 500;
const BYTES = 1_048_576;

export interface EventPage {
  /** Those that fit the selection, as far as it can be told without opening them. */
  readonly selected: readonly StoredEvent[];
  /** Events that were read. */
  readonly read: number;
  /** Where the next page begins; null when this was the last one. */
  readonly next: bigint | null;
}

/**
 * The events of a selection in the order of the log, up to the last one that the checkpoint covers. A place is a revision of
 * the room or, without a room, a position in the store: so events that share a time are neither skipped nor met twice.
 */
export class EventPages {
  /** The page after the one that was asked for last, which is read while that is written. */
  private ahead: { readonly place: bigint; readonly page: Promise<EventPage> } | null = null;

  constructor(
    private readonly store: EventStore,
    private readonly scope: ExportScope,
    private readonly lastPosition: bigint,
  ) {}

  async at(place: bigint): Promise<EventPage> {
    const { ahead } = this;
    this.ahead = null;
    const page = await (ahead?.place === place ? ahead.page : this.read(place));
    if (page.next !== null) {
      this.ahead = { place: page.next, page: this.read(page.next) };
      // Whoever asks for it finds out, if anybody does.
      this.ahead.page.catch(() => undefined);
    }
    return page;
  }

  private async read(place: bigint): Promise<EventPage> {
    const { room } = this.scope;
    const events =
      room === undefined
        ? await this.store.readAll(place, EVENTS)
        : await this.store.read(roomStream(room), place, EVENTS, BYTES);
    const covered = events.filter(({ position }) => position <= this.lastPosition);
    const last = covered.at(-1);
    const next = room === undefined ? last?.position : last?.revision;
    const goesOn = next !== undefined && covered.length === events.length && last?.position !== this.lastPosition;
    return {
      selected: covered.filter((event) => this.fits(event)),
      read: covered.length,
      next: goesOn ? next + 1n : null,
    };
  }

  private fits(stored: StoredEvent): boolean {
    const { room, person, from, to } = this.scope;
    if (person === undefined && from === undefined && to === undefined) return true;
    const envelope = peek(stored.sealed);
    const at = happenedAt(envelope);
    if ((from !== undefined && at < from) || (to !== undefined && at > to)) return false;
    return (
      person === undefined || envelope.actor === person || (room === undefined && stored.stream === userStream(person))
    );
  }
}

/** The position of the last event that a tree of this size covers. */
export async function lastPositionOf(
  store: EventStore,
  trees: LogTrees,
  tree: number,
  size: number,
): Promise<ExportCheckpoint['lastPosition']> {
  if (size === 0) return -1n;
  const at = (size - 1) % TILE_WIDTH;
  const bundle = await trees.bundle(tree, (size - 1 - at) / TILE_WIDTH);
  const events = bundle ? await store.readAll(bundle.firstPosition, TILE_WIDTH) : [];
  const last = events.find(({ hash }) => bundle && entryAt(bundle.bytes, at).equals(Buffer.from(hash, 'hex')));
  if (!last) throw new Error(`The log does not have entry ${size - 1} of its tree.`);
  return last.position;
}

/** The ordinals of events, which come in order of the log. */
export async function ordinalsOf(trees: LogTrees, tree: number, events: readonly StoredEvent[]): Promise<number[]> {
  const bundles = await trees.bundlesAt(
    tree,
    events.map(({ position }) => position),
  );
  let [at, expected] = [0, 0];
  return events.map(({ position, hash }) => {
    while ((bundles[at + 1]?.firstPosition ?? position + 1n) <= position) {
      at++;
      expected = 0;
    }
    const [bundle, entry] = [bundles[at], Buffer.from(hash, 'hex')];
    // Mostly the event after the one before.
    const index = !bundle || entryAt(bundle.bytes, expected).equals(entry) ? expected : indexInBundle(bundle, entry);
    if (!bundle || index < 0) throw new Error(`The tree of the log has no entry for position ${position}.`);
    expected = index + 1;
    return bundle.index * TILE_WIDTH + index;
  });
}

/** An entry of a bundle, each of which has its length in two bytes before it. */
const entryAt = (bundle: Buffer, index: number): Buffer =>
  bundle.subarray(index * (2 + HASH_BYTES) + 2, (index + 1) * (2 + HASH_BYTES));
