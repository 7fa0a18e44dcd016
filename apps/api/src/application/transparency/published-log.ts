import { existsInTree, isFault, parseTilePath } from '@verbatim/transparency';
import { shared } from '../../composition/shared-answer.js';
import type { LogKeys } from '../../storage/transparency/log-keys.js';
import type { LogTree, LogTrees } from '../../storage/transparency/log-trees.js';

/** The tree that grows as far as it is shown to the world: up to its newest checkpoint that has its quorum. */
export interface Published {
  readonly tree: LogTree;
  readonly size: number;
  /** With the cosignatures that it has by now. */
  readonly note: string;
}

/** The transparency log as everybody may get it, from whichever replica. */
export class PublishedLog {
  constructor(
    private readonly trees: LogTrees,
    private readonly keys: LogKeys,
  ) {}

  /** Null before the first checkpoint has its quorum. */
  readonly newest = shared(async (): Promise<Published | null> => {
    const tree = await this.trees.newest();
    if (!tree?.published) return null;
    const note = await this.trees.signedNote(tree.number, tree.published);
    return note === null ? null : { tree, size: tree.published, note };
  });

  /** The tile or entry bundle at a path `tile/...`; null when the path is none or the published tree has no such tile. */
  async tile(path: string): Promise<Buffer | null> {
    const id = parseTilePath(path);
    if (isFault(id)) return null;
    const tree = await this.tree();
    if (!tree || !existsInTree(id, tree.published ?? 0)) return null;
    const [bytes] = await this.trees.tiles(tree.number)([id]);
    return bytes ? Buffer.from(bytes) : null;
  }

  /** The verifier keys of all times, one a line. */
  async verifierKeys(): Promise<string> {
    return (await this.keys.published()).map(({ text }) => `${text}\n`).join('');
  }

  private readonly tree = shared(() => this.trees.newest());
}
