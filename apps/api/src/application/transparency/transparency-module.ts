import { Global, Module, type Provider } from '@nestjs/common';
import { Sealer } from '@verbatim/event-store';
import { MeasuredEventStore } from '../../storage/measured-event-store.js';
import { ReadModels } from '../../storage/read-models.js';
import { LogKeys } from '../../storage/transparency/log-keys.js';
import { LogTrees } from '../../storage/transparency/log-trees.js';
import { RoomAccess } from '../rooms/room-access.js';
import { logQueryHandlers } from './log-queries.js';
import { GetMessageProofHandler, MessageProofs } from './message-proof.js';
import { PublishedLog } from './published-log.js';

const providers: Provider[] = [
  {
    provide: PublishedLog,
    useFactory: (trees: LogTrees, keys: LogKeys) => new PublishedLog(trees, keys),
    inject: [LogTrees, LogKeys],
  },
  {
    provide: MessageProofs,
    useFactory: (
      access: RoomAccess,
      readModels: ReadModels,
      store: MeasuredEventStore,
      trees: LogTrees,
      log: PublishedLog,
      sealer: Sealer,
    ) => new MessageProofs(access, readModels, store, trees, log, sealer),
    inject: [RoomAccess, ReadModels, MeasuredEventStore, LogTrees, PublishedLog, Sealer],
  },
  ...logQueryHandlers,
  GetMessageProofHandler,
];

/** The published transparency log, and proofs of single messages. */
@Global()
@Module({ providers, exports: providers })
export class TransparencyModule {}
