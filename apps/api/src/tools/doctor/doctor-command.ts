import { readConfig, settingNames, type WithSettings } from '../../config.js';
import { connect } from '../../storage/database/pool.js';
import { explainStart } from '../../storage/database/unusable-server.js';
import { type CliCommand, type Surroundings, UsageError } from '../command.js';
import { openNamedLog, plainly } from '../log/named-log.js';
import { examine, type Finding } from './examination.js';

/** `npm run cli -- doctor`; `parts` loads doors and units, whose settings are checked as well. */
export const doctorCommand = (parts: () => Promise<readonly WithSettings[]>): CliCommand => ({
  summary: 'checks settings, servers, lag, clock, disk and certificates',
  help: `Usage: npm run cli -- doctor

Examines what the service depends on, with its settings, and prints a line for each: ok, look (something to look at) or bad,
what was found, and what to do. It changes nothing and works beside a running service. Secrets are not printed.

settings        known and valid
versions        this release, Node.js, the release of the tables
database        version, settings that could lose events, connections, whether it is a standby
replication     how far standbys are behind, slots that nobody reads, the replica of DATABASE_READ_URL
event store     whether it answers
read models     how far they are behind the log
indexes         valid, not bloated, and pg_trgm there
witnesses       whether the transparency log is signed, and who cosigns it
clock           apart from that of the database
disk            room at the data folder, size of the database
certificates    of the addresses in OIDC_ISSUER, OIDC_REDIRECT_URI and ALLOWED_ORIGINS

Exit codes: 0 when nothing is bad; 1 when something is; 2 when the command was called wrongly.`,

  async run(args, surroundings) {
    if (args.length > 0) throw new UsageError('doctor takes no arguments.');
    const all = await parts();
    readConfig(process.env, all);
    return plainly(async () => {
      const database = await surroundings.database();
      const sql = connect(database.directUrl);
      try {
        await sql`select 1`.catch(async (error) => {
          throw await explainStart(error, surroundings.config, database);
        });
        const findings = await examine({
          ...{ config: surroundings.config, environment: process.env, settings: settingNames(all), sql },
          head: () => headOf(surroundings, sql),
          now: () => new Date(),
        });
        process.stdout.write(findings.map(lineOf).join(''));
        return findings.some(({ state }) => state === 'bad') ? 1 : 0;
      } finally {
        await sql.end({ timeout: 5 });
      }
    });
  },
});

const lineOf = ({ name, state, says, advice }: Finding): string =>
  `${state.padEnd(5)} ${name.padEnd(13)} ${says}.${advice ? ` What to do: ${advice}.` : ''}\n`;

async function headOf(surroundings: Surroundings, sql: ReturnType<typeof connect>): Promise<bigint> {
  const { EVENT_STORE_URL } = surroundings.config;
  if (EVENT_STORE_URL === undefined) {
    const [row] = await sql<
      { position: string }[]
    >`select coalesce(max(position), -1)::text as position from log.events`;
    return BigInt(row?.position ?? -1);
  }
  const store = await openNamedLog(EVENT_STORE_URL, surroundings);
  return store.head().finally(() => store.close());
}
