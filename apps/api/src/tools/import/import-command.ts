import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { limits, normalize, titleProblem } from '@verbatim/domain';
import { SingleBar } from 'cli-progress';
import { type CliCommand, UsageError } from '../command.js';
import { formats, knownFormats } from './formats/recognize.js';
import { type ImportOptions, type ImportProgress, importIrc, previewImport } from './import-irc.js';
import type { LogFile } from './import-plan.js';
import { fullReport, summary } from './import-report.js';
import { noDate, type ReadingSettings, readIrcLog } from './irc-log.js';
import { FALLBACK_ENCODING } from './log-encoding.js';
import { ImportStopped } from './patience.js';

/** Total size of the files of one import, in bytes. */
const MAX_BYTES = 256 * 1024 * 1024;

/** `npm run cli -- import irc` */
export const importCommand: CliCommand = {
  summary: 'imports logs of an IRC channel into a room',
  help: `Usage: npm run cli -- import irc <file...> --room <name> [options]

Reads logs of an IRC channel into a room, in the order given. It works beside a running service or on its own. It may be
stopped at any time: the same command continues where it stopped, and once all is imported it changes nothing. It ends when
readers can see what it imported. To undo an import, use import undo.

  --room <name>        the room; created if it does not exist. Rooms that were not created by an import are refused.
  --dry-run            shows what would be imported and writes nothing; needs no database
  --date <date>        the day of the first line (YYYY-MM-DD), for a log without dates whose file name contains no
                       date (YYYY-MM-DD or YYYYMMDD); one such file at a time
  --timezone <zone>    the time zone of the log, such as Europe/Berlin; default UTC
  --format <name>      the format; by default it is recognized from the first lines
  --encoding <label>   the encoding of lines that are not UTF-8 or UTF-16, such as koi8-r; default ${FALLBACK_ENCODING}
  --report <file>      writes each line that was not imported to this file, with the reason

Formats; each file has one, recognized from its first lines:

${formats.map(({ name, example }) => `  ${name.padEnd(9)} ${example}`).join('\n')}

How lines are imported:

  Messages and actions (* nick text) are posted. People who join, leave or quit join or leave the room. People who are kicked are
  removed by the importer. On a change of nickname the old one leaves and the new one joins.

  People who speak without being in the room join first. Lines that would change nothing (joining while in the room,
  leaving while not), changes of modes, lines about the topic, notices, lines of the IRC client, empty lines and messages,
  and texts of more than ${limits.messageText} characters are skipped; the report lists each one.

  If a log has nothing to import or is in an unknown format, the command ends before anything is written.

Times: lines without a time get that of the line before. In logs without dates, a clock that goes back by more
than three hours has passed midnight; by less, the day stays the same.

Nicknames become accounts to which nobody can sign in. The display name is the nickname as the log writes it, without the
rank prefix (@, +, %, &, ~, !); the username is derived from it and ends in 12 digits that keep different nicknames
apart, also those that differ in case only. The same nickname is the same account in every log. The room belongs to an
account named Importer; administrators may do in it whatever its owner may.

Formatting codes (colours, bold and so on) are removed. Other control characters stay, except NUL, which becomes U+FFFD.

Exit codes: 0 when every line was imported, or skipped for a reason above; 1 when the import stopped, the room refused a
line, or readers did not see everything within a minute; 2 when the command was called wrongly or a file cannot be read.`,

  async run(args, { tools }) {
    const { reportFile, dryRun, ...options } = await readOptions(args);
    if (dryRun) {
      const report = previewImport(options);
      process.stdout.write(summary(report, options.room));
      if (reportFile !== undefined) await writeFile(reportFile, fullReport(report));
      return 0;
    }
    const opened = await tools();
    const progress = process.stderr.isTTY ? progressBar() : progressLines();
    try {
      const report = await importIrc(opened, options, progress.show);
      progress.end();
      process.stdout.write(summary(report, options.room));
      if (reportFile !== undefined) await writeFile(reportFile, fullReport(report));
      return report.visible && !report.files.some(({ refused }) => refused.length > 0) ? 0 : 1;
    } catch (error) {
      progress.end();
      if (!(error instanceof ImportStopped)) throw error;
      process.stderr.write(`${error.message}\n`);
      return 1;
    }
  },
};

// Arguments ----------------------------------------------------------------------------------------------------------

/** Reads the arguments and the files they name, before anything is started. Throws UsageError. */
export async function readOptions(
  args: readonly string[],
): Promise<ImportOptions & { readonly dryRun: boolean; readonly reportFile?: string }> {
  const { values, positionals } = parse(args);
  if (positionals.length === 0) throw new UsageError('Name at least one log file.');
  if (values.room === undefined) throw new UsageError('Name the room with --room <name>.');
  const room = normalize(values.room);
  const problem = titleProblem(room.trim() && room, limits.roomName);
  if (problem) throw new UsageError(`The name of the room ${problem}.`);
  const files = await readFiles(positionals, readingSettings(values));
  const options = { files, room, dryRun: values['dry-run'] ?? false };
  if (values.report === undefined) return options;
  await writeFile(values.report, '').catch((error: Error) => {
    throw new UsageError(`${values.report} cannot be written: ${error.message}`);
  });
  return { ...options, reportFile: values.report };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = {
    ...{ room: text, date: text, timezone: text, format: text, encoding: text, report: text },
    'dry-run': { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message} (see --help)`);
  }
}

function readingSettings({ date, timezone = 'UTC', format, encoding }: Options): ReadingSettings {
  if (date !== undefined && !isDate(date))
    throw new UsageError('Write --date as YYYY-MM-DD, the day of the first line.');
  if (!isSupported(() => new Intl.DateTimeFormat('en', { timeZone: timezone })))
    throw new UsageError(`There is no time zone ${timezone}. Write --timezone as in Europe/Berlin.`);
  if (encoding !== undefined && !isSupported(() => new TextDecoder(encoding)))
    throw new UsageError(`The encoding ${encoding} is not known. Write --encoding as in koi8-r or shift_jis.`);
  if (format !== undefined && !formats.some(({ name }) => name === format))
    throw new UsageError(`There is no format ${format}. ${knownFormats}`);
  return { date: date ?? null, timeZone: timezone, format, encoding };
}

type Options = ReturnType<typeof parse>['values'];

function isSupported(attempt: () => unknown): boolean {
  try {
    return attempt() !== undefined;
  } catch {
    return false;
  }
}

/** Throws UsageError with a sentence for each unreadable file: if one is unreadable, none is imported. */
async function readFiles(paths: readonly string[], settings: ReadingSettings): Promise<LogFile[]> {
  const sizes = await Promise.all(paths.map(sizeOf));
  if (sizes.reduce((sum, size) => sum + size, 0) > MAX_BYTES) {
    throw new UsageError(
      `These files are larger than ${MAX_BYTES / 1024 / 1024} MiB in total; import them in several runs.`,
    );
  }
  const files: LogFile[] = [];
  const problems: string[] = [];
  const undated: string[] = [];
  for (const path of paths) {
    const bytes = await readFile(path);
    const digest = createHash('sha256').update(bytes).digest('hex');
    const own = { ...settings, date: dateIn(path) };
    let log = readIrcLog(bytes, own);
    if (log === noDate && settings.date !== null) {
      undated.push(path);
      log = readIrcLog(bytes, settings);
    }
    if (typeof log === 'string') problems.push(`${path} cannot be imported. ${log}`);
    else files.push({ name: path, digest, ...log });
  }
  if (undated.length > 1) throw new UsageError(`--date is for one file: ${undated.join(', ')}`);
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return files;
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((error: Error) => {
    throw new UsageError(`${path} cannot be read: ${error.message}`);
  });
  if (!found.isFile()) throw new UsageError(`${path} is not a file.`);
  return found.size;
}

/** The day in the name of a file: `2005-09-26` or `20050926`. */
function dateIn(path: string): string | null {
  const { year, month, day } =
    /(?<!\d)(?<year>\d{4})(?<dash>-?)(?<month>\d\d)\k<dash>(?<day>\d\d)(?!\d)/.exec(basename(path))?.groups ?? {};
  const date = `${year}-${month}-${day}`;
  return isDate(date) ? date : null;
}

/** Whether this is an existing calendar day. */
function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00.000Z`);
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

// Progress -----------------------------------------------------------------------------------------------------------

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

/** Prints a line every 10 %, for logs and pipes. */
function progressLines(): ProgressDisplay {
  let shown = -1;
  const show = ({ done, total }: ImportProgress) => {
    const percent = total === 0 ? 100 : Math.floor((done / total) * 10) * 10;
    if (percent > shown) process.stderr.write(`${percent} % (${done} of ${total} lines)\n`);
    shown = Math.max(shown, percent);
  };
  return { show, end: () => undefined };
}
