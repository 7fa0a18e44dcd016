import type { Migration } from '../composition/migration.js';
import { type CliCommand, UsageError } from './command.js';
import { plainly } from './log/named-log.js';
import { migrateTables } from './migrate-tables.js';

/** `npm run cli -- migrate`; `further` loads the tables of doors and units. */
export const migrateCommand = (further: () => Promise<readonly Migration[]>): CliCommand => ({
  summary: 'brings the tables of the database up to date while the service runs',
  help: `Usage: npm run cli -- migrate

Brings the tables of log, vault, desk and cache to the shape that this release needs, and prints the steps that were
taken. The service does the same at its start; as a command it is for upgrades that should know beforehand whether it
works, such as the pre-upgrade hook of the Helm chart. Processes of the release before go on meanwhile. A step waits two
seconds at most for a table in use, then it gives way and is tried again, for about a minute. Every step is taken in
a transaction, so a command that was killed can be repeated. Read models are not touched: the service builds those that it needs.

It needs the settings of the service that lead to its data, the master key among them.

Exit codes: 0 when the tables are up to date; 1 when not; 2 when the command was called wrongly.`,

  async run(args, { config, log, database }) {
    if (args.length > 0) throw new UsageError('migrate takes no arguments.');
    return plainly(async () => {
      const steps = await migrateTables({ config, log, database: await database() }, await further());
      for (const { schema, component, step } of steps) process.stdout.write(`${schema}: ${component}, step ${step}\n`);
      const taken = steps.length === 0 ? 'nothing had to be done' : `${steps.length} steps were taken`;
      process.stdout.write(`The tables are up to date; ${taken}.\n`);
      return 0;
    });
  },
});
