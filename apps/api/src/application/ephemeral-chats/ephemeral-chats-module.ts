import { Global, Module } from '@nestjs/common';
import { Caretaker } from './caretaker.js';
import { chatCommandHandlers } from './chat-commands.js';
import { chatLookHandlers } from './chat-looks.js';
import { EphemeralChats } from './ephemeral-chats.js';

const providers = [EphemeralChats, Caretaker, ...chatCommandHandlers, ...chatLookHandlers];

/** Chats of two people without accounts that leave no trace. */
@Global()
@Module({ providers, exports: providers })
export class EphemeralChatsModule {}
