import { type CliCommand, UsageError } from '../command.js';
import { number } from '../log/broken-places.js';
import { openNamedLog, ownLog, plainly } from '../log/named-log.js';
import { progressDisplay } from '../progress.js';
import { aboutPlaces, parsed, placeIn } from './backup-arguments.js';
import { isRecipient } from './backup-file.js';
import type { BackupPlace } from './backup-place.js';
import { makeBackup } from './make-backup.js';

/** `npm run cli -- backup` */
export const backupCommand: CliCommand = {
  summary: 'backs up log, vault and desk into a folder or S3 while the service runs',
  help: `Usage: npm run cli -- backup <place> --recipient age1...

Backs up everything that no rebuild brings back: the log, the vault (keys, credentials, names) and the desk (read marks and the like),
consistently at one position of the log, while the service runs. The same place may be used again and again: of the log
only new events are added, and vault and desk replace those of the backup before, so that keys which were destroyed do not
live on in old backups. One that was interrupted is continued by the next. Works on the embedded database, on that of
DATABASE_URL, and with the log in KurrentDB.

The files are compressed and encrypted with age (https://age-encryption.org), so that age -d opens them. To make a key:
age-keygen -o backup.key, which prints the recipient. Keep the file backup.key where the backups are not.

  --recipient <age1...>   who can open the backup; may be repeated
  --plain                 not encrypted: whoever reads it learns who talks when and with whom, but no text, as texts are sealed

${aboutPlaces}
The bucket must be without versions and locks of objects, which would keep keys that were destroyed.

The master key is never in a backup. Without it no text of the backup can be read, so keep a copy of it elsewhere.

Exit codes: 0 when the backup is complete; 1 when not; 2 when the command was called wrongly.`,

  async run(args, surroundings) {
    const { place, recipients } = await wanted(args);
    return plainly(async () => {
      const { directUrl } = await surroundings.database();
      const store = await openNamedLog(ownLog(surroundings), surroundings);
      const progress = progressDisplay();
      const begun = performance.now();
      const made = await makeBackup(place, {
        ...{ database: directUrl, store, recipients },
        logInDatabase: surroundings.config.EVENT_STORE_URL === undefined,
        onProgress: ({ events, position, through }) => {
          const [done, total] = [Number(position) + 1, Number(through) + 1];
          progress.show({ phase: 'copying the log', done, total, note: `${number(events)} events` });
        },
      }).finally(async () => {
        progress.end();
        await store.close();
      });
      const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
      process.stdout.write(
        `Backed up ${number(made.added)} more events and ${made.tables} tables of vault and desk in ${seconds} s, ` +
          `${number(Math.ceil(made.bytes / 1_024))} KiB.\n` +
          `The backup is complete up to position ${made.position}. The master key is not in it: keep it elsewhere.\n`,
      );
      return 0;
    });
  },
};

async function wanted(args: readonly string[]): Promise<{ place: BackupPlace; recipients: string[] }> {
  const { values, positionals } = parsed(args, {
    recipient: { type: 'string', multiple: true },
    plain: { type: 'boolean' },
  });
  const { recipient: recipients = [], plain = false } = values;
  if (plain === recipients.length > 0)
    throw new UsageError('Name a --recipient that can open the backup, or --plain for one that is not encrypted.');
  const wrong = recipients.find((recipient) => !isRecipient(recipient));
  if (wrong !== undefined) throw new UsageError(`${wrong} is no recipient of age, such as age1...`);
  return { place: await placeIn(positionals), recipients };
}
