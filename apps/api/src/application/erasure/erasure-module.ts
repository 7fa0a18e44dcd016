import { Global, Module } from '@nestjs/common';
import { type PostgresKeyRing, Sealer } from '@verbatim/event-store';
import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';
import { FeedSink, Sweep } from '../../composition/contributions.js';
import { CLOCK } from '../../composition/process-module.js';
import { Directory } from '../../storage/directory.js';
import { ErasedRows } from '../../storage/erased-rows.js';
import { MeasuredEventStore } from '../../storage/measured-event-store.js';
import { OpenLog } from '../../storage/open-log.js';
import { ReadModels } from '../../storage/read-models.js';
import { DIRECT_SQL, KEY_RING, LOG, SQL } from '../../storage/tokens.js';
import { Certificates } from '../../storage/transparency/certificates.js';
import { LogKeys } from '../../storage/transparency/log-keys.js';
import { LogTrees } from '../../storage/transparency/log-trees.js';
import { Erasures, Rooms, Users } from '../../write-side/entities.js';
import { AccountChanger } from '../accounts/account-changer.js';
import { Eraser } from './eraser.js';
import { erasureHandlers } from './erasure-handlers.js';
import { ErasureRegister, erasureQueryHandlers } from './erasure-queries.js';

const providers = [
  ...erasureHandlers,
  ...erasureQueryHandlers,
  {
    provide: ErasureRegister,
    useFactory: (erasures: Erasures, log: OpenLog, directory: Directory, eraser: Eraser) =>
      new ErasureRegister(erasures, log, directory, eraser),
    inject: [Erasures, OpenLog, Directory, Eraser],
  },
  {
    provide: Certificates,
    useFactory: (trees: LogTrees, keys: LogKeys) => new Certificates(trees, keys),
    inject: [LogTrees, LogKeys],
  },
  {
    provide: Eraser,
    useFactory: (
      sql: Sql,
      direct: Sql,
      keys: PostgresKeyRing,
      store: MeasuredEventStore,
      sealer: Sealer,
      readModels: ReadModels,
      certificates: Certificates,
      accounts: AccountChanger,
      erasures: Erasures,
      rooms: Rooms,
      users: Users,
      clock: Clock,
      log: Logger,
    ) => {
      const rows = new ErasedRows(sql);
      const entities = { erasures, rooms, users, accounts };
      return new Eraser({ ...entities, store, sealer, keys, rows, readModels, certificates, direct, clock, log });
    },
    inject: [
      ...[SQL, DIRECT_SQL, KEY_RING, MeasuredEventStore, Sealer, ReadModels, Certificates, AccountChanger],
      ...[Erasures, Rooms, Users, CLOCK, LOG],
    ],
  },
  {
    provide: Symbol('contributions of erasures'),
    useFactory: (eraser: Eraser) => [
      new FeedSink('erasures', 'guards', (events) => eraser.handle(events)),
      new Sweep('erasures', () => eraser.run(), true),
    ],
    inject: [Eraser],
  },
];

/** Forgets what is to be forgotten, and keeps what is held. */
@Global()
@Module({ providers, exports: providers })
export class ErasureModule {}
