import type { CliCommand } from '../command.js';
import { UsageError } from '../command.js';
import { number } from '../log/broken-places.js';
import { progressDisplay } from '../progress.js';

/** `npm run cli -- keys rotate` */
export const rotateRootKeyCommand: CliCommand = {
  summary: 'wraps all keys of the vault anew',
  help: `Usage: npm run cli -- keys rotate

Makes a new root key, wraps all keys of the vault anew with it, and forgets the old one. Events stay as they are. The service
goes on running, on any number of replicas. If it is interrupted, run it again: it goes on where it was.

To change the master key, or to move it between a file, the environment and a key server:
  1. Set MASTER_KEY to the new one and MASTER_KEY_BEFORE to the old one, and restart all replicas.
  2. Run this command with the same settings.
  3. Remove MASTER_KEY_BEFORE. The service does not need the old key any more. Backups made before do.

A new version of a key in the key server comes into use in the same way, without MASTER_KEY_BEFORE.`,

  async run(args, { tools }) {
    if (args.length > 0) throw new UsageError('keys rotate takes no arguments (see --help)');
    const { roots } = await tools();
    const root = await roots.begin();
    const progress = progressDisplay();
    const total = await roots.left();
    const rows = await roots
      .finish((done) =>
        progress.show({ phase: 'wrapping', done, total: Math.max(total, done), note: `${number(done)} keys` }),
      )
      .finally(() => progress.end());
    const { description, version } = roots.state;
    process.stdout.write(
      `${number(rows)} keys were wrapped anew. The root key is number ${root}; it is wrapped by ${description}${version ? `, version ${version}` : ''}.\n`,
    );
    return 0;
  },
};
