import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { directRoomId } from '../../../application/rooms/direct-rooms.js';
import { type CliCommand, UsageError } from '../../command.js';
import { ImportStopped } from '../patience.js';
import { type Collection, collectionOf, collections, readDump, type Skipped } from './dump.js';
import { type DumpPlan, planDump } from './dump-plan.js';
import { type DumpReport, importDump, type ResetLink, resetLinks } from './import-dump.js';

/** Total size of the files of one import, in bytes. */
const MAX_BYTES = 256 * 1024 * 1024;
/** Lines of a kind that are printed. */
const SHOWN = 20;

/** `npm run cli -- import makechat` */
export const makechatImportCommand: CliCommand = {
  summary: 'reads accounts, rooms and messages of makechat',
  help: `Usage: npm run cli -- import makechat <folder or files> [options]

Reads what mongoexport wrote of the collections users, members, rooms and messages of makechat, as users.json and so on. It
works beside a running service or on its own. It may be stopped at any time: the same command continues where it stopped, and
once all is imported it changes nothing. A later export of the same database adds what is new.

  mongoexport --uri "$MONGO_URI" --collection users --out dump/users.json     (and members, rooms, messages)

  --dry-run         shows what would be imported and writes nothing; needs no database
  --links <file>    issues a link for each account that has no password yet, good for a day, and writes them to this
                    file, one a line: username, e-mail address, link. Repeat it for new links.
  --url <address>   where people open the dashboard, for these links; default http://localhost:3000
  --report <file>   writes all that was not imported to this file, with the reason

Ids and times are kept, so that clients find what they knew. Passwords and tokens are not imported: makechat's hashes are no
protection. Names become small letters; one that is taken or not allowed here gets 12 digits. Superusers become administrators,
disabled people are suspended. Rooms that are not visible are hidden, others are public if they are open, or else private.

Exit codes: 0 when all was imported, or skipped for a reason that the report names; 1 when the import stopped, or readers did not
see everything within a minute; 2 when the command was called wrongly or a file cannot be read.`,

  async run(args, { tools }) {
    const { plan, dryRun, linksFile, reportFile, url } = await readOptions(args);
    if (dryRun) {
      process.stdout.write(forecast(plan));
      if (reportFile !== undefined) await writeFile(reportFile, skippedLines(plan.skipped));
      return 0;
    }
    const opened = await tools();
    try {
      const report = await importDump(opened, plan);
      process.stdout.write(summary(report));
      if (reportFile !== undefined) await writeFile(reportFile, skippedLines(report.skipped));
      if (linksFile !== undefined) {
        const links = await resetLinks(opened, plan);
        await writeFile(linksFile, links.map((link) => linkLine(link, url)).join(''), { mode: 0o600 });
        process.stdout.write(`${links.length} links are in ${linksFile}. They are good for a day.\n`);
      }
      return report.visible ? 0 : 1;
    } catch (error) {
      if (!(error instanceof ImportStopped)) throw error;
      process.stderr.write(`${error.message}\n`);
      return 1;
    }
  },
};

/** Reads the arguments and the files they name, before anything is started. Throws UsageError. */
export async function readOptions(args: readonly string[]) {
  const { values, positionals } = parse(args);
  if (positionals.length === 0) throw new UsageError('Name the folder or the files that mongoexport wrote.');
  const plan = planDump(readDump(await textsOf(positionals)), directRoomId);
  for (const file of [values.links, values.report]) {
    if (file === undefined || values['dry-run']) continue;
    await writeFile(file, '', { mode: 0o600 }).catch((error: Error) => {
      throw new UsageError(`${file} cannot be written: ${error.message}`);
    });
  }
  const url = (values.url ?? 'http://localhost:3000').replace(/\/+$/, '');
  if (!/^https?:\/\/\S+$/.test(url)) throw new UsageError('--url must be an address such as https://chat.example.org.');
  return { plan, dryRun: values['dry-run'] ?? false, linksFile: values.links, reportFile: values.report, url };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = { links: text, url: text, report: text, 'dry-run': { type: 'boolean' } } as const;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message} (see --help)`);
  }
}

/** The texts of the collections in these folders and files. */
async function textsOf(paths: readonly string[]): Promise<Partial<Record<Collection, string>>> {
  const files = (await Promise.all(paths.map(filesAt))).flat();
  const texts: Partial<Record<Collection, string>> = {};
  let bytes = 0;
  for (const file of files) {
    const collection = collectionOf(file);
    if (collection === null) throw new UsageError(`${file} is none of ${collections.join(', ')}.`);
    const content = await readFile(file);
    bytes += content.length;
    if (bytes > MAX_BYTES) throw new UsageError(`These files have more than ${MAX_BYTES / 1024 / 1024} MiB together.`);
    texts[collection] = `${texts[collection] ?? ''}\n${content.toString('utf8')}`;
  }
  if (files.length === 0) throw new UsageError(`There is none of ${collections.join(', ')}, such as users.json.`);
  return texts;
}

async function filesAt(path: string): Promise<string[]> {
  const found = await stat(path).catch((error: Error) => {
    throw new UsageError(`${path} cannot be read: ${error.message}`);
  });
  if (!found.isDirectory()) return [path];
  const names = await readdir(path);
  return names.filter((name) => collectionOf(name) !== null).map((name) => join(path, name));
}

// Reports -------------------------------------------------------------------------------------------------------------

const forecast = ({ accounts, rooms, skipped }: DumpPlan): string =>
  `Nothing was written. There are ${accounts.length} accounts, ${rooms.filter(({ pair }) => !pair).length} rooms and ${rooms.reduce((sum, { posts }) => sum + posts.length, 0)} messages to import.\n${shown('Not imported', skipped)}`;

const summary = ({ accounts, rooms, messages, skipped, renamed, visible }: DumpReport): string =>
  `Imported ${accounts} accounts, ${rooms} rooms and ${messages} messages that were not there yet.\n` +
  shown(
    'Other names here',
    renamed.map(({ from, to }) => ({ what: from, why: to })),
  ) +
  shown('Not imported', skipped) +
  (visible ? '' : 'Readers do not see everything yet.\n');

const shown = (title: string, lines: readonly Skipped[]): string =>
  lines.length === 0
    ? ''
    : `${title}:\n${skippedLines(lines.slice(0, SHOWN))}${lines.length > SHOWN ? `  and ${lines.length - SHOWN} more\n` : ''}`;

const skippedLines = (lines: readonly Skipped[]): string =>
  lines.map(({ what, why }) => `  ${what}: ${why}\n`).join('');

const linkLine = ({ username, email, token }: ResetLink, url: string): string =>
  `${username}\t${email ?? ''}\t${url}/admin/#/reset?token=${encodeURIComponent(token)}\n`;
