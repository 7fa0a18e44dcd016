import { Global, Module } from '@nestjs/common';
import { moderationCommandHandlers } from './moderation-commands.js';
import { moderationQueryHandlers } from './moderation-queries.js';

const providers = [...moderationCommandHandlers, ...moderationQueryHandlers];

/** Bans, mutes and reports. */
@Global()
@Module({ providers, exports: providers })
export class ModerationModule {}
