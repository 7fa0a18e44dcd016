import { type DynamicModule, Module } from '@nestjs/common';
import { EphemeralChatsModule } from '../application/ephemeral-chats/ephemeral-chats-module.js';
import { RoomPasswordsModule } from '../application/rooms/room-passwords-module.js';
import { type ProcessOptions, processModule } from '../composition/process-module.js';
import { LimitsModule } from '../limits/limits-module.js';
import { StorageModule } from '../storage/storage-module.js';
import { WriteSideModule } from '../write-side/write-side-module.js';

@Module({})
class ToolsModule {}

/** What commands of the command line work with: the log, the vault and the read models, without any door. */
export function toolsModule(options: ProcessOptions): DynamicModule {
  return {
    module: ToolsModule,
    imports: [
      processModule(options),
      LimitsModule,
      StorageModule,
      WriteSideModule,
      RoomPasswordsModule,
      EphemeralChatsModule,
    ],
  };
}
