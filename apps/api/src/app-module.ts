import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { accountCommandHandlers } from './accounts/account-commands.js';
import { AccountController } from './accounts/account-controller.js';
import { accountQueryHandlers } from './accounts/account-queries.js';
import { ReadAccountEventsHandler } from './audit/account-events.js';
import { AuditController } from './audit/audit-controller.js';
import { auditQueryHandlers } from './audit/audit-queries.js';
import { Gateway } from './gateway/gateway.js';
import { messageCommandHandlers } from './messages/message-commands.js';
import { MessageController } from './messages/message-controller.js';
import { messageQueryHandlers } from './messages/message-queries.js';
import { OperationController } from './operation/operation-controller.js';
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
      RoomController,
      MessageController,
      AuditController,
      OperationController,
    ],
    providers: [
      ...parts.map((part) => ({ provide: part.constructor as Type, useValue: part })),
      ...accountCommandHandlers,
      ...accountQueryHandlers,
      ...sessionCommandHandlers,
      ...passwordCommandHandlers,
      ...secondFactorCommandHandlers,
      ...signOnCommandHandlers,
      ...roomCommandHandlers,
      ...roomQueryHandlers,
      ...messageCommandHandlers,
      ...messageQueryHandlers,
      ...auditQueryHandlers,
      ReadAccountEventsHandler,
      Gateway,
      CallGuard,
      CallInterceptor,
    ],
  };
}
