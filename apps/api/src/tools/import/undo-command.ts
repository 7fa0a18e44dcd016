import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { normalize } from '@verbatim/domain';
import { type CliCommand, UsageError } from '../command.js';
import { progressDisplay } from '../progress.js';
import { notVisible } from './import-report.js';
import { ImportStopped } from './patience.js';
import { type UndoOptions, type UndoReport, undoImport } from './undo-import.js';

/** `npm run cli -- import undo` */
export const undoCommand: CliCommand = {
  summary: 'undoes imports into a room',
  help: `Usage: npm run cli -- import undo --room <name or id> [--file <file>]... [--dry-run]

Undoes what import irc imported into a room: redacts the messages, so that nobody but administrators can read
them, and removes members who have nothing else in the room. What other people have posted there stays. It works beside
a running service or on its own, and may be stopped at any time: the same command completes it.

  --room <name>   the room, by its name or the id that import irc printed
  --file <file>   only what came from this log: its path, the SHA-256 of its content, or the first 8 or more digits of
                  that; may be given several times. The room stays, and the file can be imported into it again.
  --dry-run       shows what would be undone, and changes nothing

Without --file everything is undone. If nobody else has posted in the room and it has no webhooks, it is then closed
for good and hidden, and its name is free for another import. Otherwise it stays open; files can be imported again.

The log keeps the events, and the accounts of the nicknames stay: nobody can sign in to them, and another import of the
same nicknames uses them again.

Exit codes: 0 when everything is undone; 1 when it stopped, or when readers still saw some of it after a minute; 2
when the command was called wrongly.`,

  async run(args, { tools }) {
    const options = await readOptions(args);
    const opened = await tools();
    const progress = progressDisplay();
    try {
      const report = await undoImport(opened, options, (done, total) => {
        progress.show({ phase: 'redacting', done, total, note: `${done} of ${total} messages` });
      });
      progress.end();
      process.stdout.write(summary(report, options.dryRun));
      return report.visible ? 0 : 1;
    } catch (error) {
      progress.end();
      if (!(error instanceof ImportStopped)) throw error;
      process.stderr.write(`${error.message}\n`);
      return 1;
    }
  },
};

async function readOptions(args: readonly string[]): Promise<UndoOptions> {
  const { room, file: files, 'dry-run': dryRun = false } = parse(args);
  if (room === undefined) throw new UsageError('Name the room with --room <name or id>.');
  return { room: normalize(room), files: files && (await Promise.all(files.map(digestOfFile))), dryRun };
}

function parse(args: readonly string[]) {
  const options = {
    room: { type: 'string' },
    file: { type: 'string', multiple: true },
    'dry-run': { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message} (see --help)`);
  }
}

/** The digest of the file at this path, or if there is none the argument itself if it can be a digest. Throws UsageError. */
async function digestOfFile(given: string): Promise<string> {
  const bytes = await readFile(given).catch((error: Error) => {
    if (/^[0-9a-f]{8,64}$/i.test(given)) return null;
    throw new UsageError(`--file ${given} is neither a digest nor a file that can be read: ${error.message}`);
  });
  return bytes === null ? given.toLowerCase() : createHash('sha256').update(bytes).digest('hex');
}

function summary({ roomId, roomName, files, redacted, room, visible }: UndoReport, dryRun: boolean): string {
  const messages = redacted === 1 ? '1 message' : `${redacted} messages`;
  const done = redacted === 0 ? 'No message was left to redact.' : `${messages} redacted.`;
  const outcomes = {
    closed: dryRun ? 'The room would be closed and hidden.' : 'The room was closed and hidden; its name is free.',
    kept: 'The room stays open.',
    'closed before': 'The room was closed before.',
  };
  return [
    `The room “${roomName}” (${roomId}) has from these files:`,
    ...files.map((file) => `  ${file.digest}: ${file.messages} messages, from ${file.begins}`),
    dryRun ? `Nothing was changed. ${messages} would be redacted.` : done,
    outcomes[room],
    ...(visible ? [] : [notVisible]),
    '',
  ].join('\n');
}
