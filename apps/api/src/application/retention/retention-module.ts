import { Global, Module } from '@nestjs/common';
import type { PostgresKeyRing } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';
import { CLOCK } from '../../composition/process-module.js';
import { RetentionPasses } from '../../storage/desk/retention-pass.js';
import { ReadModels } from '../../storage/read-models.js';
import { DIRECT_SQL, KEY_RING } from '../../storage/tokens.js';
import { Erasures, Rooms } from '../../write-side/entities.js';
import { Eraser } from '../erasure/eraser.js';
import { DueDaysFinder } from './due-days.js';
import { Retention } from './retention.js';
import { retentionHandlers } from './retention-handlers.js';

const providers = [
  ...retentionHandlers,
  {
    provide: DueDaysFinder,
    useFactory: (keys: PostgresKeyRing, rooms: Rooms, readModels: ReadModels) =>
      new DueDaysFinder(keys, rooms, readModels),
    inject: [KEY_RING, Rooms, ReadModels],
  },
  {
    provide: Retention,
    useFactory: (
      erasures: Erasures,
      eraser: Eraser,
      finder: DueDaysFinder,
      passes: RetentionPasses,
      readModels: ReadModels,
      direct: Sql,
      clock: Clock,
    ) => new Retention({ erasures, eraser, finder, passes, readModels, direct, clock }),
    inject: [Erasures, Eraser, DueDaysFinder, RetentionPasses, ReadModels, DIRECT_SQL, CLOCK],
  },
];

/** How long texts are kept. */
@Global()
@Module({ providers, exports: providers })
export class RetentionModule {}
