import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { accountCommandHandlers } from './application/accounts/account-commands.js';
import { accountQueryHandlers } from './application/accounts/account-queries.js';
import { Standing } from './application/accounts/standing.js';
import { ListUserEventsHandler } from './application/audit/account-events.js';
import { auditQueryHandlers } from './application/audit/audit-queries.js';
import { invitationCommandHandlers } from './application/invitations/invitation-commands.js';
import { Redeeming } from './application/invitations/redeeming.js';
import { messageCommandHandlers } from './application/messages/message-commands.js';
import { messageQueryHandlers } from './application/messages/message-queries.js';
import { moderationCommandHandlers } from './application/moderation/moderation-commands.js';
import { moderationQueryHandlers } from './application/moderation/moderation-queries.js';
import { roomCommandHandlers } from './application/rooms/room-commands.js';
import { roomQueryHandlers } from './application/rooms/room-queries.js';
import { passwordCommandHandlers } from './application/sessions/password-commands.js';
import { secondFactorCommandHandlers } from './application/sessions/second-factor-commands.js';
import { sessionCommandHandlers } from './application/sessions/session-commands.js';
import { signOnCommandHandlers } from './application/single-sign-on/sign-on-commands.js';
import { tokenCommandHandlers } from './application/tokens/token-commands.js';
import { incomingCommandHandlers } from './application/webhooks/incoming-commands.js';
import { WebhookBots } from './application/webhooks/webhook-bots.js';
import { webhookCommandHandlers } from './application/webhooks/webhook-commands.js';
import { IncomingController } from './doors/incoming-webhooks/incoming-controller.js';
import { CallGuard } from './doors/rest/call-guard.js';
import { CallInterceptor } from './doors/rest/call-interceptor.js';
import { AccountController } from './doors/rest/controllers/account-controller.js';
import { AdministrationController } from './doors/rest/controllers/administration-controller.js';
import { AuditController } from './doors/rest/controllers/audit-controller.js';
import { InvitationController } from './doors/rest/controllers/invitation-controller.js';
import { MessageController } from './doors/rest/controllers/message-controller.js';
import { ModerationController } from './doors/rest/controllers/moderation-controller.js';
import { OperationController } from './doors/rest/controllers/operation-controller.js';
import { ProjectionController } from './doors/rest/controllers/projection-controller.js';
import { RoomController } from './doors/rest/controllers/room-controller.js';
import { SessionController } from './doors/rest/controllers/session-controller.js';
import { SignOnController } from './doors/rest/controllers/sign-on-controller.js';
import { TokenController } from './doors/rest/controllers/token-controller.js';
import { WebhookController } from './doors/rest/controllers/webhook-controller.js';
import { FrameHandlers } from './doors/websocket/frame-handlers.js';
import { Gateway } from './doors/websocket/gateway.js';
import { Handshake } from './doors/websocket/handshake.js';

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
      ListUserEventsHandler,
      Standing,
      WebhookBots,
      ...webhookCommandHandlers,
      ...incomingCommandHandlers,
      ...invitationCommandHandlers,
      Redeeming,
      Gateway,
      Handshake,
      FrameHandlers,
      CallGuard,
      CallInterceptor,
    ],
  };
}
