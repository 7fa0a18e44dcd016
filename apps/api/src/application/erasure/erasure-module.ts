import { Global, Module } from '@nestjs/common';
import { type PostgresKeyRing, Sealer } from '@verbatim/event-store';
import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';
import { FeedSink, Sweep } from '../../composition/contributions.js';
import { CLOCK } from '../../composition/process-module.js';
import { ErasedRows } from '../../storage/erased-rows.js';
import { MeasuredEventStore } from '../../storage/measured-event-store.js';
import { ReadModels } from '../../storage/read-models.js';
import { DIRECT_SQL, KEY_RING, LOG, SQL } from '../../storage/tokens.js';
import { type CertificateSigner, VaultCertificateSigner } from '../../storage/vault/certificates.js';
import { Erasures, Rooms, Users } from '../../write-side/entities.js';
import { AccountChanger } from '../accounts/account-changer.js';
import { Eraser } from './eraser.js';
import { erasureHandlers } from './erasure-handlers.js';

/** Signs certificates: `CertificateSigner`. */
const CERTIFICATES = Symbol('certificates');
/** The first part of the name of the key that signs certificates. */
const ORIGIN = 'verbatim/log';

const providers = [
  ...erasureHandlers,
  {
    provide: CERTIFICATES,
    useFactory: (keys: PostgresKeyRing) => VaultCertificateSigner.open(keys, ORIGIN),
    inject: [KEY_RING],
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
      certificates: CertificateSigner,
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
      ...[SQL, DIRECT_SQL, KEY_RING, MeasuredEventStore, Sealer, ReadModels, CERTIFICATES, AccountChanger],
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
