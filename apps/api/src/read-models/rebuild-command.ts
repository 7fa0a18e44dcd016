import { SingleBar } from 'cli-progress';
import { type CliCommand, UsageError } from '../cli/command.js';

/** `npm run cli -- projections rebuild` */
export const rebuildCommand: CliCommand = {
  words: 'projections rebuild',
  summary: 'builds all read models anew from the log, while the service goes on',
  help: `Usage: npm run cli -- projections rebuild

Builds all read models (rooms, members, messages, inbox, people, search) anew from the log, in a database schema beside
the one in use. When they have caught up, all running processes of the service move to them without an interruption;
the old ones are dropped ten minutes later. A rebuild that was killed leaves nothing behind that matters: start it again.`,

  async run(args, foundation) {
    if (args.length > 0) throw new UsageError('projections rebuild takes no arguments.');
    const { readModels } = await foundation();
    const terminal = process.stderr.isTTY;
    const bar = new SingleBar({
      format: '{phase} {bar} {percentage}% | {value}/{total} events | {eta_formatted} to go',
      stream: process.stderr,
    });
    let shownPercent = -1;
    if (terminal) bar.start(1, 0, { phase: 'starting' });
    const { outcome } = await readModels.side.rebuild(({ phase, position, head }) => {
      const total = Number(head) + 1;
      const done = Number(position) + 1;
      const percent = total === 0 ? 100 : Math.floor((done / total) * 10) * 10;
      if (terminal) {
        bar.setTotal(total);
        bar.update(done, { phase });
      } else if (percent !== shownPercent || phase !== 'filling') {
        shownPercent = percent;
        process.stderr.write(`${phase}: ${done} of ${total} events\n`);
      }
    });
    bar.stop();
    if (outcome === 'already running') {
      process.stderr.write('A rebuild is running already; this one was not begun.\n');
      return 1;
    }
    process.stdout.write('The read models were rebuilt, and all processes are moving to them.\n');
    return 0;
  },
};
