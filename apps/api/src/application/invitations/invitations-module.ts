import { Global, Module } from '@nestjs/common';
import { invitationCommandHandlers } from './invitation-commands.js';
import { invitationQueryHandlers } from './invitation-queries.js';

const providers = [...invitationCommandHandlers, ...invitationQueryHandlers];

/** Invitations to the service and to rooms. */
@Global()
@Module({ providers, exports: providers })
export class InvitationsModule {}
