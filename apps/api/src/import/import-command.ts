import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { limits, normalize, titleProblem } from '@verbatim/domain';
import { SingleBar } from 'cli-progress';
import { type CliCommand, UsageError } from '../cli/command.js';
import { type ImportProgress, type ImportWishes, importIrc } from './import-irc.js';
import type { LogFile } from './import-plan.js';
import { fullReport, summary } from './import-report.js';
import { decodeLog, readIrcLog } from './irc-log.js';
import { ImportStopped } from './patience.js';

/** Bytes that the files of one import may have together. */
const MOST_BYTES = 256 * 1024 * 1024;

/** `npm run cli -- import irc` */
export const importCommand: CliCommand = {
  words: 'import irc',
  summary: 'reads logs of an IRC channel into a room',
  help: `Usage: npm run cli -- import irc <file...> --room <name> [--date YYYY-MM-DD] [--report <file>]

Reads logs of an IRC channel, in the form of irclogs.ubuntu.com, into a room, in the order given. It works beside a
running service or on its own. It may be stopped at any time: the same command goes on where it ended, and once all is
imported it changes nothing.

  --room <name>     the room; made if there is none of this name. Rooms that were not made by an import are refused.
  --date <date>     the day of the first line, for a file whose name holds no date YYYY-MM-DD; one such file at a time
  --report <file>   writes down there each line that was not taken, and why

What becomes of the lines:

  [HH:MM] <nick> text            a message, its text as it stands after the one space, in Unicode form NFC
  [HH:MM]  * nick text           a message that tells an action; in older logs: === nick text
  === nick [...] has joined ...  nick joins the room
  === nick [...] has left ...    nick leaves the room; the same for has quit
  === nick was kicked off ...    nick is removed by the importer, the rest of the line being the reason
  === nick is now known as new   nick leaves and new joins, if nick was in the room

  Whoever speaks without being in the room joins first. Lines that would change nothing (joining while in the room,
  leaving while not), changes of modes, lines about the topic, empty lines and messages, and texts of more than
  ${limits.messageText} characters are not taken; the report tells of each.

Times: UTC. Lines without a time take that of the line before. A clock that falls back has passed midnight.

Nicknames become accounts to which nobody can sign in. The display name is the nickname exactly as the log writes it; the
username is made from it and ends in 12 digits that keep different nicknames apart, also those that differ in case only.
The same nickname is the same account in every log. The room belongs to an account named Importer; administrators
may do in it whatever its owner may.

Control characters stay, but for NUL: that, and bytes that are not UTF-8, become the replacement character U+FFFD.

Exit codes: 0 when every line was taken, or left out for a reason above; 1 when the import stopped or the room refused
a line; 2 when the command was called wrongly.`,

  async run(args, { foundation }) {
    const { reportFile, ...wishes } = await readWishes(args);
    const laid = await foundation();
    const progress = process.stderr.isTTY ? progressBar() : progressLines();
    try {
      const report = await importIrc(laid, wishes, progress.show);
      progress.end();
      process.stdout.write(summary(report));
      if (reportFile !== undefined) await writeFile(reportFile, fullReport(report));
      return report.files.some(({ refused }) => refused.length > 0) ? 1 : 0;
    } catch (error) {
      progress.end();
      if (!(error instanceof ImportStopped)) throw error;
      process.stderr.write(`${error.message}\n`);
      return 1;
    }
  },
};

// What is wished for --------------------------------------------------------------------------------------------------

/** Reads the arguments and the files they name, so that nothing is begun that cannot be done. Throws UsageError. */
export async function readWishes(args: readonly string[]): Promise<ImportWishes & { readonly reportFile?: string }> {
  const { values, positionals } = parse(args);
  if (positionals.length === 0) throw new UsageError('Name at least one log file.');
  if (values.room === undefined) throw new UsageError('Say with --room <name> into which room.');
  const room = normalize(values.room);
  const problem = titleProblem(room.trim() && room, limits.roomName);
  if (problem) throw new UsageError(`The name of the room ${problem}.`);
  if (values.date !== undefined && !isDate(values.date)) {
    throw new UsageError('Write --date as YYYY-MM-DD, the day of the first line.');
  }
  const files = await readFiles(positionals, values.date);
  if (values.report === undefined) return { files, room };
  await writeFile(values.report, '').catch((error: Error) => {
    throw new UsageError(`${values.report} cannot be written: ${error.message}`);
  });
  return { files, room, reportFile: values.report };
}

function parse(args: readonly string[]) {
  const options = { room: { type: 'string' }, date: { type: 'string' }, report: { type: 'string' } } as const;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message} (--help tells how to call this)`);
  }
}

async function readFiles(paths: readonly string[], givenDate: string | undefined): Promise<LogFile[]> {
  const undated = paths.filter((path) => dateIn(path) === null);
  if (undated.length > 1 && givenDate !== undefined)
    throw new UsageError(`--date is for one file: ${undated.join(', ')}`);
  const sizes = await Promise.all(paths.map(sizeOf));
  if (sizes.reduce((sum, size) => sum + size, 0) > MOST_BYTES) {
    throw new UsageError(
      `These files have more than ${MOST_BYTES / 1024 / 1024} MiB together; import them in portions.`,
    );
  }
  const files: LogFile[] = [];
  for (const path of paths) {
    const date = dateIn(path) ?? givenDate;
    if (date === undefined) {
      throw new UsageError(`The name of ${path} holds no date; say with --date YYYY-MM-DD on which day it begins.`);
    }
    const bytes = await readFile(path);
    const digest = createHash('sha256').update(bytes).digest('hex');
    files.push({ name: path, digest, lines: readIrcLog(decodeLog(bytes), date) });
  }
  return files;
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((error: Error) => {
    throw new UsageError(`${path} cannot be read: ${error.message}`);
  });
  if (!found.isFile()) throw new UsageError(`${path} is not a file.`);
  return found.size;
}

function dateIn(path: string): string | null {
  const [date] = /(?<!\d)\d{4}-\d\d-\d\d(?!\d)/.exec(basename(path)) ?? [];
  return date !== undefined && isDate(date) ? date : null;
}

/** Whether this is a day of the calendar. */
function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00.000Z`);
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

// What is shown meanwhile ---------------------------------------------------------------------------------------------

interface ProgressDisplay {
  show(progress: ImportProgress): void;
  end(): void;
}

function progressBar(): ProgressDisplay {
  const format = '{bar} {percentage}% | {value} of {total} lines | {eta_formatted} to go | {file}';
  const bar = new SingleBar({ format, stream: process.stderr, hideCursor: true, etaBuffer: 500 });
  const show = ({ file, done, total }: ImportProgress) => {
    if (!bar.isActive) bar.start(total, done, { file });
    else bar.update(done, { file });
  };
  return { show, end: () => bar.stop() };
}

/** A line for every tenth part, for logs and pipes. */
function progressLines(): ProgressDisplay {
  let shown = -1;
  const show = ({ done, total }: ImportProgress) => {
    const percent = total === 0 ? 100 : Math.floor((done / total) * 10) * 10;
    if (percent > shown) process.stderr.write(`${percent} % (${done} of ${total} lines)\n`);
    shown = Math.max(shown, percent);
  };
  return { show, end: () => undefined };
}
