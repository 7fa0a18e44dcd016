import type { CliCommand } from '../command.js';
import { foundBy, number } from '../log/broken-places.js';
import { plainly } from '../log/named-log.js';
import { progressDisplay } from '../progress.js';
import { aboutPlaces, identitiesIn, parsed, placeIn } from './backup-arguments.js';
import { verifyBackup } from './verify-backup.js';

/** `npm run cli -- backup verify` */
export const verifyBackupCommand: CliCommand = {
  summary: 'proves a backup without restoring it',
  help: `Usage: npm run cli -- backup verify <place> --identity <file>

Reads a whole backup: every file must be the one that was written and open with the identity, hold as many events and rows as it
should, and the hash chains of all streams must be intact. Needs neither a database nor the master key.

${aboutPlaces}

  --identity <file>   the secret key of a recipient, as age-keygen makes it; not for plain backups

What it cannot show is whether somebody who may write to the place, and knows the recipient, has replaced the whole backup.

Exit codes: 0 when the backup is good; 1 when not, with the name of what is broken; 2 when the command was called wrongly.`,

  async run(args) {
    const { values, positionals } = parsed(args, { identity: { type: 'string' } });
    const place = await placeIn(positionals);
    const identities = await identitiesIn(values.identity);
    return plainly(async () => {
      const progress = progressDisplay();
      const show = ({ events, total }: { events: number; total: number }) =>
        progress.show({ phase: 'checking', done: events, total, note: `${number(events)} events` });
      const { point, check, at, rows } = await verifyBackup(place, identities, show).finally(() => progress.end());
      process.stdout.write(
        `${foundBy(check)}Every file is as it was written; vault and desk have ${number(rows)} rows.\n` +
          `The backup was made at ${point.madeAt} by release ${point.release}, and reaches position ${point.position}` +
          `${at ? `, recorded at ${at}` : ''}.\n`,
      );
      return check.broken.length === 0 ? 0 : 1;
    });
  },
};
