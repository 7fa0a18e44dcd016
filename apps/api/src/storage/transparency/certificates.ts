import { signNote } from '@verbatim/transparency';
import type { LogKeys } from './log-keys.js';
import type { LogTrees } from './log-trees.js';

/** Signs statements of the service, such as what was erased, with the key `<origin>/certificates` of the log. */
export class Certificates {
  constructor(
    private readonly trees: LogTrees,
    private readonly keys: LogKeys,
  ) {}

  /** A signed note (c2sp.org/signed-note) of `text`, which gets the origin of the log and ends in a newline. */
  async sign(text: (origin: string) => string): Promise<string> {
    const tree = await this.trees.newest();
    if (!tree) throw new Error('Nothing can be certified before the log has an origin.');
    return signNote(text(tree.origin), await this.keys.certificateKeys(tree.origin));
  }
}
