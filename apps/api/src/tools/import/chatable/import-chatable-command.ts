import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type CliCommand, UsageError } from '../../command.js';
import { ImportStopped } from '../patience.js';
import { type ChatableDump, readDump } from './chatable-dump.js';
import { type ChatableReport, importChatable, issueResets } from './import-chatable.js';

/** The most renamed people listed. */
const MOST_LISTED = 50;

/** `npm run cli -- import chatable` */
export const importChatableCommand: CliCommand = {
  summary: 'imports people and messages of chatable',
  help: `Usage: npm run cli -- import chatable <file> [options]

Reads people and messages from a plain dump of chatable's database:

  pg_dump --data-only --table=users --table=envelopes chatable > chatable.sql

It works beside a running service or on its own. It may be stopped at any time: the same command continues where it stopped,
and once all is imported it changes nothing. A later dump of the same database adds what is new.

  --dry-run        shows what would be imported and writes nothing; needs no database
  --links <file>   writes a line for each person who has no password: name, e-mail address, and a link with which they
                   choose one within a day, separated by tabs. Each run issues new links.
  --url <url>      the address of the service in these links; default http://localhost:3000

What becomes of what:

  users            Accounts. User names are taken over in small letters. Those that are no username here (fewer than 3 or more
                   than 32 characters), that differ from another one only in case, or that somebody else has, get another
                   one, which is listed. First and last name together are the display name. Accounts that were not
                   active are deactivated. Phone numbers are kept as keyed hashes only, so that nobody else registers with them.
  passwords        Cannot be taken over. Use --links.
  envelopes        Messages in the direct room of the two people, with their times. Each message has two copies there, of
                   which one is enough. Messages that both have deleted, messages to oneself, texts of more than 8,000
                   characters and those that show nothing are left out and counted. A message that only one of the two has
                   deleted is there for both.
  other tables     Threads are derived from messages; tokens end. Clients get new ones with the new password.

Exit codes: 0 when everything was imported or left out for a reason above; 1 when the import stopped, a message was refused, or
readers did not see everything within a minute; 2 when the command was called wrongly or the file cannot be read.`,

  async run(args, { tools }) {
    const { path, dryRun, linksFile, url } = await readOptions(args);
    const dump = await readDump(path);
    process.stdout.write(summaryOf(dump));
    if (dryRun) return 0;
    try {
      const opened = await tools();
      const report = await importChatable(opened, dump, progressLines());
      process.stdout.write(outcomeOf(report));
      if (linksFile !== undefined) {
        const links = await issueResets(opened, report.people);
        const lines = [...links].map(
          ([{ username, person }, token]) =>
            `${username}\t${person.email ?? ''}\t${url}/admin/#/reset?token=${token}\n`,
        );
        await writeFile(linksFile, lines.join(''), { mode: 0o600 });
        process.stdout.write(`${links.size} links are in ${linksFile}; they work for a day.\n`);
      }
      return report.visible && report.refused.length === 0 ? 0 : 1;
    } catch (error) {
      if (!(error instanceof ImportStopped)) throw error;
      process.stderr.write(`${error.message}\n`);
      return 1;
    }
  },
};

async function readOptions(args: readonly string[]) {
  const { values, positionals } = parse(args);
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0) throw new UsageError('Name one dump.');
  const { links: linksFile, url = 'http://localhost:3000', 'dry-run': dryRun = false } = values;
  if (!URL.canParse(url)) throw new UsageError(`${url} is not a URL.`);
  if (linksFile !== undefined && !dryRun)
    await writeFile(linksFile, '', { mode: 0o600 }).catch((error: Error) => {
      throw new UsageError(`${linksFile} cannot be written: ${error.message}`);
    });
  return { path, dryRun, linksFile, url: url.replace(/\/+$/, '') };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = { links: text, url: text, 'dry-run': { type: 'boolean' } } as const;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message} (see --help)`);
  }
}

function summaryOf({ people, conversations, skipped }: ChatableDump): string {
  const messages = conversations.reduce((sum, conversation) => sum + conversation.length, 0);
  const left = [...skipped].map(([reason, count]) => `  left out ${count} times: ${reason}\n`);
  return `${people.length} people, ${messages} messages in ${conversations.length} conversations.\n${left.join('')}`;
}

function outcomeOf({ people, events, refused, visible }: ChatableReport): string {
  const renamed = people.filter(({ person, username }) => person.name !== username);
  const lines = renamed.slice(0, MOST_LISTED).map(({ person, username }) => `  ${person.name} is ${username} here\n`);
  return [
    events === 0 ? 'Nothing was left to import.\n' : `Imported, with ${events} events of conversations.\n`,
    ...lines,
    ...(renamed.length > MOST_LISTED ? [`  and ${renamed.length - MOST_LISTED} others were renamed\n`] : []),
    ...refused.slice(0, MOST_LISTED).map((reason) => `  refused: ${reason}\n`),
    ...(visible ? [] : ['Readers do not see everything yet.\n']),
  ].join('');
}

/** Prints a line every 10 %. */
function progressLines(): (done: number, total: number) => void {
  let shown = -1;
  return (done, total) => {
    const percent = Math.floor((done / total) * 10) * 10;
    if (percent > shown) process.stderr.write(`${percent} % (${done} of ${total})\n`);
    shown = Math.max(shown, percent);
  };
}
