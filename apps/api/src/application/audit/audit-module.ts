import { Global, Module } from '@nestjs/common';
import { auditQueryHandlers } from './room-event-queries.js';

/** The events of rooms and accounts, for those who may read them. */
@Global()
@Module({ providers: auditQueryHandlers, exports: auditQueryHandlers })
export class AuditModule {}
