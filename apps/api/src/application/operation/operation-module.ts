import { Global, Module } from '@nestjs/common';
import { ReadSide } from '@verbatim/projections';
import type { Logger } from 'pino';
import { Time } from '../../clock.js';
import { CONFIG } from '../../composition/process-module.js';
import { Readiness } from '../../composition/readiness.js';
import type { Config } from '../../config.js';
import { Presence } from '../../live/presence/presence.js';
import { LoadHistory } from '../../storage/desk/load-history.js';
import { Directory } from '../../storage/directory.js';
import { ReadModels } from '../../storage/read-models.js';
import { LOG } from '../../storage/tokens.js';
import { LogTrees } from '../../storage/transparency/log-trees.js';
import { Credentials } from '../../storage/vault/credentials.js';
import { operationHandlers } from './operation-handlers.js';
import { Overview } from './overview.js';
import { Rebuilds } from './rebuilds.js';
import { Settings } from './settings.js';

const providers = [
  ...operationHandlers,
  {
    provide: Overview,
    useFactory: (...parts: ConstructorParameters<typeof Overview>) => new Overview(...parts),
    inject: [ReadModels, Presence, LoadHistory, Credentials, Directory, Readiness, Time, LogTrees, CONFIG],
  },
  { provide: Settings, useFactory: (config: Config) => Settings.of(config), inject: [CONFIG] },
  {
    provide: Rebuilds,
    useFactory: (side: ReadSide, log: Logger) => new Rebuilds(side, log),
    inject: [ReadSide, LOG],
  },
];

/** For administrators: overview, settings, rebuilds of the read models. */
@Global()
@Module({ providers, exports: providers })
export class OperationModule {}
