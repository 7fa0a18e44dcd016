import type { Migration } from '../../composition/migration.js';
import type { CliCommand } from '../command.js';
import { foundBy, number } from '../log/broken-places.js';
import { openNamedLog, ownLog, plainly } from '../log/named-log.js';
import { progressDisplay } from '../progress.js';
import { aboutPlaces, identitiesIn, limitIn, parsed, placeIn } from './backup-arguments.js';
import { type Restored, restoreBackup } from './restore-backup.js';

/** `npm run cli -- restore`; `further` loads the tables of doors and units. */
export const restoreCommand = (further: () => Promise<readonly Migration[]>): CliCommand => ({
  summary: 'restores a backup into an empty database',
  help: `Usage: npm run cli -- restore <place> --identity <file> [--at <position or time>]

Restores a backup into the database of the settings, which has to be empty: that of DATABASE_URL, or the embedded one of an
empty data folder; with EVENT_STORE_URL the log goes there, and that has to be empty as well. No service may run on it.
A backup with a file that is not the one that was written is refused before anything is restored. The log is read again
afterwards, compared with the backup, and the hash chains of all streams are checked. If it is interrupted, run it again.

${aboutPlaces}

  --identity <file>   the secret key of a recipient, as age-keygen makes it; not for plain backups
  --at <place>        leaves out what was recorded after a position (such as 41200) or a time (2026-01-31T14:00:00Z)

The master key of the service that was backed up has to be there, as it was then: MASTER_KEY, or master.key in the data folder. Afterwards
start the service with the same settings: it builds the read models and is ready when they are complete. If events are missing that
were signed, as after --at, it is not ready before a new tree of the transparency log has begun: see audit new-log.

Exit codes: 0 when everything is there and intact; 1 when not; 2 when the command was called wrongly.`,

  async run(args, surroundings) {
    const { values, positionals } = parsed(args, { identity: { type: 'string' }, at: { type: 'string' } });
    const [place, at] = [await placeIn(positionals), limitIn(values.at)];
    const identities = await identitiesIn(values.identity);
    const { config, log } = surroundings;
    return plainly(async () => {
      const { directUrl } = await surroundings.database();
      const progress = progressDisplay();
      const begun = performance.now();
      const restored = await restoreBackup(place, {
        ...{ config, log, further: await further(), database: directUrl, identities, at },
        openStore: () => openNamedLog(ownLog(surroundings), surroundings),
        onProgress: ({ phase, events, position, head }) => {
          const [done, total] = [Number(position) + 1, Number(head) + 1];
          progress.show({ phase, done, total, note: `${number(events)} events` });
        },
      }).finally(() => progress.end());
      process.stdout.write(summary(restored, (performance.now() - begun) / 1_000));
      return restored.check.broken.length === 0 ? 0 : 1;
    });
  },
});

const summary = ({ check, rows, reached, point }: Restored, seconds: number): string => `\
${foundBy(check)}Restored in ${seconds.toFixed(1)} s, with ${number(rows)} rows of vault and desk. ${
  reached ? `The log reaches position ${reached.position}, recorded at ${reached.at}.` : 'The log is empty.'
}
What came later is missing: the backup was made at ${point.madeAt}${
  reached && `${reached.position}` !== point.position ? `, and has events up to position ${point.position}` : ''
}.
`;
