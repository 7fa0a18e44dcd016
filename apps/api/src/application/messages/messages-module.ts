import { Global, Module } from '@nestjs/common';
import { conversationQueryHandlers } from './conversation-queries.js';
import { messageCommandHandlers } from './message-commands.js';
import { messageQueryHandlers } from './message-queries.js';

const providers = [...messageCommandHandlers, ...messageQueryHandlers, ...conversationQueryHandlers];

/** Messages: history, read marks, search. */
@Global()
@Module({ providers, exports: providers })
export class MessagesModule {}
