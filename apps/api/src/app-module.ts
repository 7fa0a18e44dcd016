import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { accountCommandHandlers } from './accounts/account-commands.js';
import { AccountController } from './accounts/account-controller.js';
import { accountQueryHandlers } from './accounts/account-queries.js';
import { Standing } from './accounts/standing.js';
import { ReadAccountEventsHandler } from './audit/account-events.js';
import { AuditController } from './audit/audit-controller.js';
import { auditQueryHandlers } from './audit/audit-queries.js';
import { Gateway } from './gateway/gateway.js';
import { invitationCommandHandlers } from './invitations/invitation-commands.js';
import { InvitationController } from './invitations/invitation-controller.js';
import { Redeeming } from './invitations/redeeming.js';
import { messageCommandHandlers } from './messages/message-commands.js';
import { MessageController } from './messages/message-controller.js';
import { messageQueryHandlers } from './messages/message-queries.js';
import { moderationCommandHandlers } from './moderation/moderation-commands.js';
import { ModerationController } from './moderation/moderation-controller.js';
import { moderationQueryHandlers } from './moderation/moderation-queries.js';
import { AdministrationController } from './operation/administration-controller.js';
import { OperationController } from './operation/operation-controller.js';
import { ProjectionController } from './read-models/projection-controller.js';
import { CallGuard } from './rest/call-guard.js';
import { CallInterceptor } from './rest/call-interceptor.js';
import { roomCommandHandlers } from './rooms/room-commands.js';
import { RoomController } from './rooms/room-controller.js';
import { roomQueryHandlers } from './rooms/room-queries.js';
import { passwordCommandHandlers } from './sessions/password-commands.js';
import { secondFactorCommandHandlers } from './sessions/second-factor-commands.js';
import { sessionCommandHandlers } from './sessions/session-commands.js';
import { SessionController } from './sessions/session-controller.js';
import { signOnCommandHandlers } from './single-sign-on/sign-on-commands.js';
import { SignOnController } from './single-sign-on/sign-on-controller.js';
import { tokenCommandHandlers } from './tokens/token-commands.js';
import { TokenController } from './tokens/token-controller.js';
import { incomingCommandHandlers } from './webhooks/incoming-commands.js';
import { IncomingController } from './webhooks/incoming-controller.js';
import { WebhookBots } from './webhooks/webhook-bots.js';
import { webhookCommandHandlers } from './webhooks/webhook-commands.js';
import { WebhookController } from './webhooks/webhook-controller.js';

@Module({})
class AppModule {}

/** The doors and their handlers. What they stand on is made by service.ts and handed in, each part under its class. */
export function appModule(parts: readonly object[]): DynamicModule {
  return {
    module: AppModule,
    imports: [CqrsModule.forRoot()],
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
      WebhookController,
      IncomingController,
      OperationController,
      ProjectionController,
      AdministrationController,
    ],
    providers: [
      ...parts.map((part) => ({ provide: part.constructor as Type, useValue: part })),
      ...accountCommandHandlers,
      ...accountQueryHandlers,
      ...sessionCommandHandlers,
      ...passwordCommandHandlers,
      ...secondFactorCommandHandlers,
      ...signOnCommandHandlers,
      ...tokenCommandHandlers,
      ...roomCommandHandlers,
      ...roomQueryHandlers,
      ...messageCommandHandlers,
      ...messageQueryHandlers,
      ...moderationCommandHandlers,
      ...moderationQueryHandlers,
      ...auditQueryHandlers,
      ReadAccountEventsHandler,
      Standing,
      WebhookBots,
      ...webhookCommandHandlers,
      ...incomingCommandHandlers,
      ...invitationCommandHandlers,
      Redeeming,
      Gateway,
      CallGuard,
      CallInterceptor,
    ],
  };
}
