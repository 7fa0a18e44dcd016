import { Global, Module, type Provider } from '@nestjs/common';
import { OpenLog } from '../../storage/open-log.js';
import { Rooms, Users } from '../../write-side/entities.js';
import { ExportAccess } from './export-access.js';
import { GetExportBundleHandler } from './export-bundle.js';
import { ExportRequestsRead, GetExportHandler, ListExportsHandler, RequestExportHandler } from './export-handlers.js';

const providers: Provider[] = [
  {
    provide: ExportAccess,
    useFactory: (rooms: Rooms, users: Users) => new ExportAccess(rooms, users),
    inject: [Rooms, Users],
  },
  { provide: ExportRequestsRead, useFactory: (log: OpenLog) => new ExportRequestsRead(log), inject: [OpenLog] },
  ...[RequestExportHandler, GetExportHandler, ListExportsHandler, GetExportBundleHandler],
];

/** Exports: asking for one, what became of it, and its bundle. The unit `exports` makes them. */
@Global()
@Module({ providers, exports: providers })
export class ExportsModule {}
