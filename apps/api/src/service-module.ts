import { type DynamicModule, Module } from '@nestjs/common';
import { ApplicationModule } from './application/application-module.js';
import { MIGRATIONS } from './composition/migration.js';
import { type ProcessOptions, processModule } from './composition/process-module.js';
import { NativeModule } from './doors/native-module.js';
import { FeedModule } from './feed/feed-module.js';
import type { Host } from './host/host.js';
import { hostModule } from './host/host-module.js';
import type { Unit } from './host/part.js';
import { LimitsModule } from './limits/limits-module.js';
import { LiveModule } from './live/live-module.js';
import { StorageModule } from './storage/storage-module.js';
import { WriteSideModule } from './write-side/write-side-module.js';

@Module({})
class ServiceModule {}

/** The whole service: the application, its doors and its units. */
export function serviceModule(options: ProcessOptions, host: Host, parts: readonly Unit[]): DynamicModule {
  const migrations = { provide: MIGRATIONS, useValue: parts.flatMap((part) => part.migrations ?? []) };
  return {
    module: ServiceModule,
    imports: [
      processModule({ ...options, values: [...(options.values ?? []), migrations] }),
      hostModule(host),
      LimitsModule,
      StorageModule,
      WriteSideModule,
      FeedModule,
      LiveModule,
      ApplicationModule,
      NativeModule,
      ...parts.flatMap(({ module = [] }) => module),
    ],
  };
}
