import type { Migration } from './composition/migration.js';
import type { Unit } from './host/part.js';
import { checkCommand } from './tools/audit/check-command.js';
import { keysCommand } from './tools/audit/keys-command.js';
import { newLogCommand } from './tools/audit/new-log-command.js';
import { rotateKeysCommand } from './tools/audit/rotate-keys-command.js';
import { backupCommand } from './tools/backup/backup-command.js';
import { restoreCommand } from './tools/backup/restore-command.js';
import { verifyBackupCommand } from './tools/backup/verify-backup-command.js';
import { verifyBundleCommand } from './tools/bundle/verify-bundle-command.js';
import { genpassCommand } from './tools/chatt/genpass-command.js';
import type { CliCommand } from './tools/command.js';
import { copyDatabaseCommand } from './tools/database/copy-command.js';
import { doctorCommand } from './tools/doctor/doctor-command.js';
import { importSfchatCommand } from './tools/ephemeral-chats/import-sfchat-command.js';
import { sfchatCommand } from './tools/ephemeral-chats/sfchat-command.js';
import { importChatableCommand } from './tools/import/chatable/import-chatable-command.js';
import { importCommand } from './tools/import/import-command.js';
import { makechatImportCommand } from './tools/import/makechat/makechat-import-command.js';
import { undoCommand } from './tools/import/undo-command.js';
import { rotateRootKeyCommand } from './tools/keys/rotate-keys-command.js';
import { copyCommand } from './tools/log/copy-command.js';
import { verifyCommand } from './tools/log/verify-command.js';
import { makechatCommand } from './tools/makechat/makechat-command.js';
import { migrateCommand } from './tools/migrate-command.js';
import { diffCommand } from './tools/projections/diff-command.js';
import { rebuildCommand } from './tools/projections/rebuild-command.js';
import { seedCommand } from './tools/seed/seed-command.js';

/** All commands of the command line, in the order in which they are listed. One whose words begin with those of another comes first. */
export const commands: readonly CliCommand[] = [
  doctorCommand(parts),
  migrateCommand(tablesOfParts),
  importSfchatCommand,
  verifyBackupCommand,
  backupCommand,
  restoreCommand(tablesOfParts),
  importChatableCommand,
  importCommand,
  makechatImportCommand,
  undoCommand,
  rebuildCommand,
  diffCommand,
  seedCommand,
  copyCommand,
  verifyCommand,
  verifyBundleCommand,
  makechatCommand,
  genpassCommand,
  sfchatCommand,
  keysCommand,
  checkCommand,
  newLogCommand,
  rotateKeysCommand,
  rotateRootKeyCommand,
  copyDatabaseCommand(tablesOfParts),
];

/** Doors and units, which few commands need. */
async function parts(): Promise<readonly Unit[]> {
  const [{ doors }, { units }] = await Promise.all([import('./doors/doors.js'), import('./units/units.js')]);
  return [...units, ...doors];
}

/** The tables of doors and units, which belong to a database whether or not these are in use. */
export async function tablesOfParts(): Promise<readonly Migration[]> {
  return (await parts()).flatMap(({ migrations = [] }) => migrations);
}
