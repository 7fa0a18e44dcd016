import { Module } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOG } from '../../storage/tokens.js';
import { CallGuard } from './call-guard.js';
import { CallInterceptor } from './call-interceptor.js';
import { AccountController } from './controllers/account-controller.js';
import { AdministrationController } from './controllers/administration-controller.js';
import { AuditController } from './controllers/audit-controller.js';
import { ErasureController } from './controllers/erasure-controller.js';
import { ExportController } from './controllers/export-controller.js';
import { IncomingWebhookController } from './controllers/incoming-webhook-controller.js';
import { InvitationController } from './controllers/invitation-controller.js';
import { MessageController } from './controllers/message-controller.js';
import { ModerationController } from './controllers/moderation-controller.js';
import { OperationController } from './controllers/operation-controller.js';
import { ProjectionController } from './controllers/projection-controller.js';
import { RetentionController } from './controllers/retention-controller.js';
import { RoomController } from './controllers/room-controller.js';
import { SessionController } from './controllers/session-controller.js';
import { SignOnController } from './controllers/sign-on-controller.js';
import { TokenController } from './controllers/token-controller.js';
import { WebhookController } from './controllers/webhook-controller.js';
import { ProblemFilter } from './problem-filter.js';

/** The calls of the table in libs/protocol, one controller for each subject. */
@Module({
  controllers: [
    AccountController,
    SessionController,
    SignOnController,
    TokenController,
    RoomController,
    InvitationController,
    MessageController,
    ModerationController,
    AuditController,
    ErasureController,
    ExportController,
    RetentionController,
    WebhookController,
    IncomingWebhookController,
    OperationController,
    ProjectionController,
    AdministrationController,
  ],
  providers: [
    { provide: ProblemFilter, useFactory: (log: Logger) => new ProblemFilter(log), inject: [LOG] },
    CallGuard,
    CallInterceptor,
  ],
})
export class RestModule {}
