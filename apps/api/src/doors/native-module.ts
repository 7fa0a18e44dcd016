import { Global, Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { ReadModels } from '../storage/read-models.js';
import { LOG } from '../storage/tokens.js';
import { Problems } from './problems.js';
import { ReadYourWrites } from './read-your-writes.js';

const providers = [
  { provide: Problems, useFactory: (log: Logger) => new Problems(log), inject: [LOG] },
  {
    provide: ReadYourWrites,
    useFactory: (readModels: ReadModels) => new ReadYourWrites(readModels),
    inject: [ReadModels],
  },
];

/** Shared by the doors of the native API. */
@Global()
@Module({ providers, exports: providers })
export class NativeModule {}
