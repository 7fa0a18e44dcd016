import { parseArgs } from 'node:util';
import type { Migration } from '../../composition/migration.js';
import { type CliCommand, UsageError } from '../command.js';
import { number } from '../log/broken-places.js';
import { placeOf, plainly } from '../log/named-log.js';
import { progressDisplay } from '../progress.js';
import { type CopyProgress, type CopyResult, copyDatabase } from './copy-database.js';

/** `npm run cli -- database copy`; `further` loads the tables of doors and units. */
export const copyDatabaseCommand = (further: () => Promise<readonly Migration[]>): CliCommand => ({
  summary: 'copies the database of the service into another PostgreSQL',
  help: `Usage: npm run cli -- database copy --to postgres://user:password@host:port/database

Copies everything the service keeps (the schemas log, vault and desk) from its database, embedded or that of DATABASE_URL,
into an empty one. It creates the tables there, then copies one snapshot of the source in one transaction: the target gets
everything or nothing. Read models are not copied; the service builds them when it starts.

  --to <url>   an existing, empty database with encoding UTF8, reached directly and not through a transaction pooler

To move the service, stop it, copy, and start it on the copy with the same master key (the same VERBATIM_DATA or
MASTER_KEY):

  bin/verbatim database copy --to postgres://user:password@host/verbatim
  DATABASE_URL=postgres://user:password@host/verbatim npm start

A service may run during the copy and is not disturbed, but what it writes after the copy has begun is not included. With
EVENT_STORE_URL set, the log stays in that event store and is not copied.

Exit codes: 0 when everything was copied; 1 when not; 2 when the command was called wrongly.`,

  async run(args, { config, log, database }) {
    const to = targetOf(args);
    return plainly(async () => {
      const { directUrl } = await database();
      const progress = progressDisplay();
      const onProgress = ({ bytes, total, table }: CopyProgress) =>
        progress.show({ phase: 'copying', done: bytes, total, note: table });
      const begun = performance.now();
      const copied = await copyDatabase(directUrl, to, { config, log, further: await further(), onProgress }).finally(
        () => progress.end(),
      );
      process.stdout.write(summary(copied, to, (performance.now() - begun) / 1_000));
      return 0;
    });
  },
});

function targetOf(args: readonly string[]): string {
  const to = parse(args);
  if (to === undefined || !/^postgres(ql)?:\/\/\S+$/.test(to))
    throw new UsageError('--to must be the URL of the target, postgres://user:password@host:port/database.');
  return to;
}

function parse(args: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...args], options: { to: { type: 'string' } } }).values.to;
  } catch (error) {
    throw new UsageError(`${(error as Error).message} (see --help)`);
  }
}

const summary = ({ events, rows, tables, at, inUse }: CopyResult, to: string, seconds: number): string => `\
Copied ${number(rows)} rows of ${tables} tables, ${number(events)} events among them, in ${seconds.toFixed(1)} s.
${
  inUse
    ? `A service is connected to the source. What it has written since ${at.toISOString()} is NOT in the copy.
To move, stop it and copy once more, into an empty database.
`
    : ''
}To use the copy, start the service with the same master key and DATABASE_URL set to ${placeOf(to)} (with user and password).
`;
