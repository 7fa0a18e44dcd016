import { Global, Module } from '@nestjs/common';
import { tokenCommandHandlers } from './token-commands.js';

/** Personal tokens. */
@Global()
@Module({ providers: tokenCommandHandlers, exports: tokenCommandHandlers })
export class TokensModule {}
