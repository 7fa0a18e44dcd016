import { parseArgs } from 'node:util';
import { type EventStore, verifyLog, type WalkProgress } from '@verbatim/event-store';
import { type CliCommand, UsageError } from '../command.js';
import { progressDisplay } from '../progress.js';
import { foundBy, number } from './broken-places.js';
import { aboutNames, openNamedLog, ownLog, plainly } from './named-log.js';

/** `npm run cli -- log verify` */
export const verifyCommand: CliCommand = {
  words: 'log verify',
  summary: 'checks the hash chains of all streams of a log',
  help: `Usage: npm run cli -- log verify [--url <log>]

Reads a whole log and checks each stream: every event matches its hash, contains the hash of the event before it, and is stored under
its own stream, revision, id and type; no revision is missing; no id occurs twice. Prints the first broken place of each
broken stream. It only reads, needs no key, and works beside a running service or on its own.

  --url <log>   the log; default: that of the service

${aboutNames}

What the chains cannot show: events removed from the end of a stream, and a last event replaced together
with its hash. Ids are compared with those of at least the last 250,000 events. Memory: about 300 bytes for
each stream.

Exit codes: 0 when everything is intact; 1 when a stream is broken or the log could not be read; 2 when the command
was called wrongly.`,

  async run(args, surroundings) {
    const name = urlOf(args) ?? ownLog(surroundings);
    return plainly(async () => {
      const store = await openNamedLog(name, surroundings);
      return await verify(store).finally(() => store.close());
    });
  },
};

async function verify(store: EventStore): Promise<number> {
  const progress = progressDisplay();
  const show = ({ events, position, head }: WalkProgress) => {
    const [done, total] = [Number(position) + 1, Number(head) + 1];
    progress.show({ phase: 'checking', done, total, note: `${number(events)} events` });
  };
  const check = await verifyLog(store, show).finally(() => progress.end());
  process.stdout.write(foundBy(check));
  return check.broken.length === 0 ? 0 : 1;
}

function urlOf(args: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...args], options: { url: { type: 'string' } } }).values.url;
  } catch (error) {
    throw new UsageError(`${(error as Error).message} (see --help)`);
  }
}
