import { type EventStore, eventsOf, type StoredEvent } from '@verbatim/event-store';
import { HASH_BYTES, TILE_WIDTH } from '@verbatim/transparency';
import type { EntryBundle, LogTree, LogTrees } from '../../storage/transparency/log-trees.js';
import { Halted } from './halted.js';

/**
 * The position in the event store up to which a tree covers its events. If the log was copied to another store, where
 * positions differ, all events are compared with the entries once, and the new positions are stored. Throws Halted if the
 * log does not have the events that the tree covers.
 */
export async function placeInLog(
  store: EventStore,
  trees: LogTrees,
  tree: LogTree,
  until: AbortSignal,
): Promise<bigint> {
  const { last } = tree;
  if (!last) return -1n;
  const event = await eventAt(store, last.position);
  if (event?.position === last.position && event.hash === last.hash) return last.position;
  const moved = await compareAll(store, trees, tree, until);
  await trees.relocate(tree.number, moved.last, moved.firsts);
  return moved.last;
}

/** KurrentDB fails to read from a position without an event, as if it were down; another call shows whether it is. */
async function eventAt(store: EventStore, position: bigint): Promise<StoredEvent | undefined> {
  try {
    return (await store.readAll(position, 1))[0];
  } catch {
    await store.head();
    return undefined;
  }
}

async function compareAll(store: EventStore, trees: LogTrees, { number, size }: LogTree, until: AbortSignal) {
  const bundles = trees.entryBundles(number);
  const firsts: bigint[] = [];
  let bundle: EntryBundle | undefined;
  let ordinal = 0;
  for await (const { stream, revision, position, hash } of eventsOf(store)) {
    if (ordinal % TILE_WIDTH === 0) {
      until.throwIfAborted();
      bundle = (await bundles.next()).value;
      firsts.push(position);
    }
    if (!bundle || !entryAt(bundle, ordinal).equals(Buffer.from(hash, 'hex')))
      throw new Halted(
        `Event ${revision} of ${stream} is not the one that was signed as entry ${ordinal} of the log: the log was changed, or is ` +
          'another one. To find out: npm run cli -- log verify',
      );
    if (++ordinal === size) return { last: position, firsts };
  }
  throw new Halted(behind(ordinal, size));
}

const entryAt = ({ bytes }: EntryBundle, ordinal: number): Buffer => {
  const start = (ordinal % TILE_WIDTH) * (2 + HASH_BYTES) + 2;
  return bytes.subarray(start, start + HASH_BYTES);
};

/** The sentence about a log that is behind a signed checkpoint. */
export const behind = (events: number, size: number): string =>
  `The log has ${events} events, and a checkpoint over ${size} was signed: it was put back to an earlier state. Restore what is ` +
  'missing, or begin a new tree (npm run cli -- audit new-log)';
