import { type CliCommand, UsageError } from '../command.js';
import { progressDisplay } from '../progress.js';

/** `npm run cli -- projections rebuild` */
export const rebuildCommand: CliCommand = {
  summary: 'rebuilds all read models from the log while the service runs',
  help: `Usage: npm run cli -- projections rebuild

Rebuilds all read models (rooms, members, messages, inbox, people, search) from the log, in a database schema beside
the one in use. When they have caught up, all running processes of the service move to them without an interruption;
the old ones are dropped ten minutes later. A rebuild that was killed leaves nothing behind that matters: run it again.`,

  async run(args, { tools }) {
    if (args.length > 0) throw new UsageError('projections rebuild takes no arguments.');
    const { readModels } = await tools();
    const progress = progressDisplay();
    const { outcome } = await readModels.side.rebuild(({ schema, phase, position, head }) => {
      progress.show({ phase, done: Number(position) + 1, total: Number(head) + 1, note: schema });
    });
    progress.end();
    if (outcome === 'already running') {
      process.stderr.write('Another rebuild is already running; nothing was started.\n');
      return 1;
    }
    process.stdout.write('The read models were rebuilt, and all processes are switching to them.\n');
    return 0;
  },
};
