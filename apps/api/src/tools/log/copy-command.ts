import { parseArgs } from 'node:util';
import { type CopyOutcome, type CopyProgress, copyLog, type EventStore } from '@verbatim/event-store';
import { type CliCommand, UsageError } from '../command.js';
import { progressDisplay } from '../progress.js';
import { foundBy, number } from './broken-places.js';
import { aboutNames, openNamedLog, plainly } from './named-log.js';

/** `npm run cli -- log copy` */
export const copyCommand: CliCommand = {
  summary: 'copies the log into another event store',
  help: `Usage: npm run cli -- log copy --from <log> --to <log>

Copies a whole log into another event store: streams in order, with unchanged revisions, ids, types, texts and hashes,
byte for byte. Then reads both again, compares every event, and checks all chains of hashes. It needs no key and no
running service.

  --from <log>   the source; it is only read
  --to <log>     the target: empty, or an earlier copy of the same log

${aboutNames}

It may be interrupted at any time, even by a crash: the same command continues where the target ends. So a long log can be copied
while the service is running; then stop the service and run it again, which adds the events since. Nobody but this
command may write to the target before the service is started on it. A target that holds anything but the beginning of the
source is refused and left unchanged.

To move the service, stop all its processes, copy, set EVENT_STORE_URL to the target, and start it. It builds new
read models by itself. See docs/kurrentdb.md.

Exit codes: 0 when the target equals the source and all chains hold; 1 when not, or when the copy could not continue; 2
when the command was called wrongly.`,

  async run(args, surroundings) {
    const { from, to } = readOptions(args);
    return plainly(async () => {
      const source = await openNamedLog(from, surroundings);
      try {
        const target = await openNamedLog(to, surroundings);
        return await copy(source, target).finally(() => target.close());
      } finally {
        await source.close();
      }
    });
  },
};

async function copy(source: EventStore, target: EventStore): Promise<number> {
  const begun = performance.now();
  const progress = progressDisplay();
  const show = ({ phase, events, position, head }: CopyProgress) => {
    const [done, total] = [Number(position) + 1, Number(head) + 1];
    progress.show({ phase, done, total, note: `${number(events)} events` });
  };
  const outcome = await copyLog(source, target, show).finally(() => progress.end());
  process.stdout.write(summary(outcome, (performance.now() - begun) / 1_000));
  return outcome.check.broken.length === 0 ? 0 : 1;
}

function readOptions(args: readonly string[]): { from: string; to: string } {
  const { from, to } = parse(args);
  if (from === undefined || to === undefined) {
    throw new UsageError('Name the source with --from and the target with --to (see --help).');
  }
  if (from === to) throw new UsageError('--from and --to name the same log.');
  return { from, to };
}

function parse(args: readonly string[]) {
  const options = { from: { type: 'string' }, to: { type: 'string' } } as const;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message} (see --help)`);
  }
}

function summary({ before, added, check, grown }: CopyOutcome, seconds: number): string {
  return [
    `${number(added)} events were copied, ${number(before)} were already there; ${seconds.toFixed(1)} s.`,
    'The target holds the same events as the source, in the same order.',
    ...(grown ? ['The source has more events by now. Stop the service and run this again before you move.'] : []),
    foundBy(check),
  ].join('\n');
}
