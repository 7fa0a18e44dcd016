import type { StoredEvent } from '@verbatim/event-store';
import { isFault, TILE_WIDTH, TreeBuilder } from '@verbatim/transparency';
import type { Growth, LogTree, LogTrees } from '../../storage/transparency/log-trees.js';
import { Halted } from './halted.js';

/** The part of an event that becomes an entry. */
export type Entry = Pick<StoredEvent, 'hash' | 'position'>;

/** The in-memory tree of the signing process: takes events, and returns what has to be stored. */
export class GrowingTree {
  private last: Growth['last'] | null;
  /** Positions of the first events of bundles begun since the last growth, by index. */
  private begun = new Map<number, bigint>();
  private covered: number;

  private constructor(
    private readonly builder: TreeBuilder,
    { size, last }: LogTree,
  ) {
    this.covered = size;
    this.last = last;
  }

  /** Resumes a stored tree. Throws Halted if its tiles do not match its checkpoint. */
  static async resume(trees: LogTrees, tree: LogTree): Promise<GrowingTree> {
    const checkpoint = await trees.newestCheckpoint(tree.number);
    if ((checkpoint?.size ?? 0) !== tree.size)
      throw new Halted(
        `The tree has ${tree.size} entries and its newest checkpoint ${checkpoint?.size ?? 0}. The database was changed by hand.`,
      );
    const builder = await TreeBuilder.resume(tree.size, trees.tiles(tree.number));
    if (isFault(builder)) throw new Halted(`The tree of the log cannot be read: ${builder.detail}`);
    if (checkpoint && !builder.root().equals(checkpoint.root))
      throw new Halted(`The tiles of the log do not lead to the root of its checkpoint of size ${tree.size}.`);
    return new GrowingTree(builder, tree);
  }

  get size(): number {
    return this.builder.size;
  }

  root(): Buffer {
    return this.builder.root();
  }

  /** Entries that no checkpoint covers. */
  get uncovered(): number {
    return this.builder.size - this.covered;
  }

  append(events: readonly Entry[]): void {
    const last = events.at(-1);
    if (!last) return;
    const size = this.builder.size;
    for (let i = (TILE_WIDTH - (size % TILE_WIDTH)) % TILE_WIDTH; i < events.length; i += TILE_WIDTH)
      this.begun.set((size + i) / TILE_WIDTH, (events[i] as Entry).position);
    this.builder.append(events.map(({ hash }) => Buffer.from(hash, 'hex')));
    this.last = { position: last.position, hash: last.hash };
  }

  /** The growth since the last call. If it is not stored, the in-memory tree must be discarded. */
  takeGrowth(): Growth {
    if (!this.last) throw new RangeError('The tree is empty.');
    const tiles = this.builder.takeTiles().map((tile) => {
      const firstPosition = tile.level === 'entries' ? this.begun.get(tile.index) : undefined;
      return firstPosition === undefined ? tile : { ...tile, firstPosition };
    });
    this.begun = new Map();
    this.covered = this.builder.size;
    return { size: this.builder.size, root: this.builder.root(), last: this.last, tiles };
  }
}
