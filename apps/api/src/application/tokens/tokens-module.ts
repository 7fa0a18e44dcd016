import { Global, Module } from '@nestjs/common';
import { tokenCommandHandlers } from './token-commands.js';
import { tokenQueryHandlers } from './token-queries.js';

const providers = [...tokenCommandHandlers, ...tokenQueryHandlers];

/** Personal tokens. */
@Global()
@Module({ providers, exports: providers })
export class TokensModule {}
