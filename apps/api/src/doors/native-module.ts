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

/** What the doors of our own API have in common. */
@Global()
@Module({ providers, exports: providers })
export class NativeModule {}
