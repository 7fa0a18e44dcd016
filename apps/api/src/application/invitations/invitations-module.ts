import { Global, Module } from '@nestjs/common';
import { invitationCommandHandlers } from './invitation-commands.js';
import { Redeeming } from './redeeming.js';

const providers = [...invitationCommandHandlers, Redeeming];

/** Invitations to the service and to rooms. */
@Global()
@Module({ providers, exports: providers })
export class InvitationsModule {}
