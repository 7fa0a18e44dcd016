import { Global, Module } from '@nestjs/common';
import { ERASURES } from '@verbatim/domain';
import { type PostgresKeyRing, Sealer, Snapshots } from '@verbatim/event-store';
import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';
import { FeedSink, Figure, Sweep } from '../../composition/contributions.js';
import { OpenResources } from '../../composition/open-resources.js';
import { CLOCK } from '../../composition/process-module.js';
import { ErasuresUnderWay } from '../../storage/desk/erasures-under-way.js';
import { Directory } from '../../storage/directory.js';
import { ErasedRows } from '../../storage/erased-rows.js';
import { StoredExports } from '../../storage/exports/stored-exports.js';
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
    useFactory: (...parts: ConstructorParameters<typeof ErasureRegister>) => new ErasureRegister(...parts),
    inject: [Erasures, OpenLog, Directory, Eraser, ErasuresUnderWay],
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
      exports: StoredExports,
      certificates: Certificates,
      accounts: AccountChanger,
      erasures: Erasures,
      rooms: Rooms,
      users: Users,
      underWay: ErasuresUnderWay,
      snapshots: Snapshots,
      clock: Clock,
      log: Logger,
      resources: OpenResources,
    ) => {
      const rows = new ErasedRows(sql, snapshots);
      const entities = { erasures, rooms, users, accounts };
      const copies = { rows, exports, readModels };
      const outside = { store, certificates, direct, clock, log };
      const parts = { ...entities, ...outside, ...copies, underWay, sealer, keys };
      return resources.add(new Eraser(parts), (eraser) => eraser.stop());
    },
    inject: [
      ...[
        SQL,
        DIRECT_SQL,
        KEY_RING,
        MeasuredEventStore,
        Sealer,
        ReadModels,
        StoredExports,
        Certificates,
        AccountChanger,
      ],
      ...[Erasures, Rooms, Users, ErasuresUnderWay, Snapshots, CLOCK, LOG, OpenResources],
    ],
  },
  {
    provide: Symbol('contributions of erasures'),
    useFactory: (eraser: Eraser, erasures: Erasures, underWay: ErasuresUnderWay) => [
      new FeedSink('erasures', 'guards', (events) => eraser.handle(events)),
      new Sweep('erasures', () => eraser.run(), true),
      new Figure(
        'verbatim_erasures_unfinished',
        'Unfinished erasures, including those under a legal hold.',
        async () => (await erasures.newest(ERASURES)).state.pending.size,
      ),
      new Figure(
        'verbatim_erasures_failing',
        'Erasures whose last attempt failed. They are retried until they succeed.',
        async () => (await underWay.all()).filter(({ problem }) => problem !== null).length,
      ),
    ],
    inject: [Eraser, Erasures, ErasuresUnderWay],
  },
];

/** Erasures and legal holds. */
@Global()
@Module({ providers, exports: providers })
export class ErasureModule {}
