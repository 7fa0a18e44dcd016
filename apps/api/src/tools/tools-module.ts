import { type DynamicModule, Module } from '@nestjs/common';
import { RoomPasswordsModule } from '../application/rooms/room-passwords-module.js';
import { MIGRATIONS } from '../composition/migration.js';
import { type ProcessOptions, processModule } from '../composition/process-module.js';
import { doors } from '../doors/doors.js';
import { LimitsModule } from '../limits/limits-module.js';
import { StorageModule } from '../storage/storage-module.js';
import { units } from '../units/units.js';
import { WriteSideModule } from '../write-side/write-side-module.js';

@Module({})
class ToolsModule {}

/** What commands of the command line work with: the log, the vault and the read models, without any door. */
export function toolsModule(options: ProcessOptions): DynamicModule {
  // A database is only complete with the tables of all doors and units.
  const migrations = { provide: MIGRATIONS, useValue: [...units, ...doors].flatMap((part) => part.migrations ?? []) };
  return {
    module: ToolsModule,
    imports: [
      processModule({ ...options, values: [...(options.values ?? []), migrations] }),
      LimitsModule,
      StorageModule,
      WriteSideModule,
      RoomPasswordsModule,
    ],
  };
}
