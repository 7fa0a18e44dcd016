import 'reflect-metadata';
import { MasterKeyUnavailable } from '@verbatim/event-store';
import { pino } from 'pino';
import { commands, tablesOfParts } from './commands.js';
import { InvalidConfiguration, readConfig } from './config.js';
import { processLog } from './process-log.js';
import { attachDatabase, type Database } from './storage/database/database.js';
import { UnusableServer } from './storage/database/unusable-server.js';
import { UsageError } from './tools/command.js';

async function main(words: readonly string[]): Promise<number> {
  const [called, load] = Object.entries(commands).find(([own]) => words.join(' ').startsWith(own)) ?? [];
  if (!called || !load) {
    process.stdout.write(`Commands (npm run cli -- <command> --help for details):\n${await list()}\n`);
    return words.length === 0 || words.includes('--help') ? 0 : 2;
  }
  const command = await load();
  const args = words.slice(called.split(' ').length);
  if (args.includes('--help')) {
    process.stdout.write(`${command.help}\n`);
    return 0;
  }
  const config = readConfig(process.env);
  const log = processLog(config.LOG_LEVEL === 'info' ? 'warn' : config.LOG_LEVEL, pino.destination(2));
  const closing: (() => Promise<void>)[] = [];
  const attach = async () => {
    const attached = await attachDatabase(config, log);
    closing.unshift(() => attached.stop());
    return attached;
  };
  let attached: Promise<Database> | undefined;
  const database = () => (attached ??= attach());
  const tools = async () => {
    const { openTools } = await import('./tools/tools.js');
    const opened = await openTools({ config, database: await database(), log, migrations: await tablesOfParts() });
    closing.unshift(() => opened.close());
    return opened;
  };
  try {
    return await command.run(args, { config, log, database, tools });
  } finally {
    for (const close of closing) await close();
  }
}

async function list(): Promise<string> {
  const lines = Object.entries(commands).map(async ([words, load]) => `  ${words.padEnd(24)}${(await load()).summary}`);
  return (await Promise.all(lines)).join('\n');
}

// Exiting also stops a database that was started for this command only. What was imported or built stays valid.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const expected = error instanceof UsageError || error instanceof InvalidConfiguration;
    const plain = expected || error instanceof UnusableServer || error instanceof MasterKeyUnavailable;
    process.stderr.write(`${plain ? error.message : ((error as Error).stack ?? error)}\n`);
    process.exit(expected ? 2 : 1);
  },
);
