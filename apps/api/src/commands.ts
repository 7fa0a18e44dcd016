import type { Migration } from './composition/migration.js';
import type { Unit } from './host/part.js';
import type { CliCommand } from './tools/command.js';

/**
 * All commands of the command line by name, in the order in which they are listed. A command's code is loaded when it is
 * called, so that small ones start at once. If one name is a prefix of another, the longer one comes first.
 */
export const commands: Readonly<Record<string, () => Promise<CliCommand>>> = {
  doctor: async () => (await import('./tools/doctor/doctor-command.js')).doctorCommand(parts),
  migrate: async () => (await import('./tools/migrate-command.js')).migrateCommand(tablesOfParts),
  'import sfchat': async () => (await import('./tools/ephemeral-chats/import-sfchat-command.js')).importSfchatCommand,
  'backup verify': async () => (await import('./tools/backup/verify-backup-command.js')).verifyBackupCommand,
  backup: async () => (await import('./tools/backup/backup-command.js')).backupCommand,
  restore: async () => (await import('./tools/backup/restore-command.js')).restoreCommand(tablesOfParts),
  'import chatable': async () =>
    (await import('./tools/import/chatable/import-chatable-command.js')).importChatableCommand,
  'import irc': async () => (await import('./tools/import/import-command.js')).importCommand,
  'import makechat': async () =>
    (await import('./tools/import/makechat/makechat-import-command.js')).makechatImportCommand,
  'import undo': async () => (await import('./tools/import/undo-command.js')).undoCommand,
  'projections rebuild': async () => (await import('./tools/projections/rebuild-command.js')).rebuildCommand,
  'projections diff': async () => (await import('./tools/projections/diff-command.js')).diffCommand,
  seed: async () => (await import('./tools/seed/seed-command.js')).seedCommand,
  'log copy': async () => (await import('./tools/log/copy-command.js')).copyCommand,
  'log verify': async () => (await import('./tools/log/verify-command.js')).verifyCommand,
  verify: async () => (await import('./tools/bundle/verify-bundle-command.js')).verifyBundleCommand,
  makechat: async () => (await import('./tools/makechat/makechat-command.js')).makechatCommand,
  'chatt genpass': async () => (await import('./tools/chatt/genpass-command.js')).genpassCommand,
  sfchat: async () => (await import('./tools/ephemeral-chats/sfchat-command.js')).sfchatCommand,
  'audit keys': async () => (await import('./tools/audit/keys-command.js')).keysCommand,
  'audit check': async () => (await import('./tools/audit/check-command.js')).checkCommand,
  'audit new-log': async () => (await import('./tools/audit/new-log-command.js')).newLogCommand,
  'audit rotate-keys': async () => (await import('./tools/audit/rotate-keys-command.js')).rotateKeysCommand,
  'keys rotate': async () => (await import('./tools/keys/rotate-keys-command.js')).rotateRootKeyCommand,
  'database copy': async () => (await import('./tools/database/copy-command.js')).copyDatabaseCommand(tablesOfParts),
};

/** Doors and units, which few commands need. */
async function parts(): Promise<readonly Unit[]> {
  const [{ doors }, { units }] = await Promise.all([import('./doors/doors.js'), import('./units/units.js')]);
  return [...units, ...doors];
}

/** The tables of doors and units, which belong to a database whether or not these are in use. */
export async function tablesOfParts(): Promise<readonly Migration[]> {
  return (await parts()).flatMap(({ migrations = [] }) => migrations);
}
