import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { AccountsModule } from './accounts/accounts-module.js';
import { AuditModule } from './audit/audit-module.js';
import { EphemeralChatsModule } from './ephemeral-chats/ephemeral-chats-module.js';
import { ErasureModule } from './erasure/erasure-module.js';
import { ExportsModule } from './exports/exports-module.js';
import { GuestsModule } from './guests/guests-module.js';
import { InvitationsModule } from './invitations/invitations-module.js';
import { MessagesModule } from './messages/messages-module.js';
import { ModerationModule } from './moderation/moderation-module.js';
import { OperationModule } from './operation/operation-module.js';
import { RegistrationModule } from './registration/registration-module.js';
import { RetentionModule } from './retention/retention-module.js';
import { RoomsModule } from './rooms/rooms-module.js';
import { SessionsModule } from './sessions/sessions-module.js';
import { SignedRequestsModule } from './signed-requests/signed-requests-module.js';
import { SingleSignOnModule } from './single-sign-on/single-sign-on-module.js';
import { TokensModule } from './tokens/tokens-module.js';
import { TransparencyModule } from './transparency/transparency-module.js';
import { WebhooksModule } from './webhooks/webhooks-module.js';

/** All use cases, one module per subject. Doors and units reach them through the command and query buses. */
@Module({
  imports: [
    CqrsModule.forRoot(),
    AccountsModule,
    SessionsModule,
    SignedRequestsModule,
    RegistrationModule,
    GuestsModule,
    SingleSignOnModule,
    TokensModule,
    RoomsModule,
    MessagesModule,
    ModerationModule,
    InvitationsModule,
    WebhooksModule,
    EphemeralChatsModule,
    AuditModule,
    TransparencyModule,
    ErasureModule,
    ExportsModule,
    RetentionModule,
    OperationModule,
  ],
})
export class ApplicationModule {}
