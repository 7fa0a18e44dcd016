import { Global, Module } from '@nestjs/common';
import { messageCommandHandlers } from './message-commands.js';
import { messageQueryHandlers } from './message-queries.js';

const providers = [...messageCommandHandlers, ...messageQueryHandlers];

/** Messages: how far they are read, their history, search. */
@Global()
@Module({ providers, exports: providers })
export class MessagesModule {}
