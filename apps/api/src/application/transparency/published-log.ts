import { existsInTree, isFault, parseTilePath } from '@verbatim/transparency';
import { shared } from '../../composition/shared-answer.js';
import type { LogKeys } from '../../storage/transparency/log-keys.js';
import type { LogTree, LogTrees } from '../../storage/transparency/log-trees.js';

/** The published part of the tree: up to its newest checkpoint with a quorum. */
export interface Published {
  readonly tree: LogTree;
  readonly size: number;
  /** With the cosignatures received so far. */
  readonly note: string;
}

/** The transparency log as published, the same at every replica. */
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

  /** The tile or entry bundle at a path `tile/...`; null if the path is invalid or beyond the published tree. */
  async tile(path: string): Promise<Buffer | null> {
    const id = parseTilePath(path);
    if (isFault(id)) return null;
    const tree = await this.tree();
    if (!tree || !existsInTree(id, tree.published ?? 0)) return null;
    const [bytes] = await this.trees.tiles(tree.number)([id]);
    return bytes ? Buffer.from(bytes) : null;
  }

  /** All verifier keys ever used, one per line. */
  async verifierKeys(): Promise<string> {
    return (await this.keys.published()).map(({ text }) => `${text}\n`).join('');
  }

  private readonly tree = shared(() => this.trees.newest());
}
