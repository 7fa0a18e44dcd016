import { Global, Module } from '@nestjs/common';
import { ListUserEventsHandler } from './account-events.js';
import { auditQueryHandlers } from './audit-queries.js';

const providers = [...auditQueryHandlers, ListUserEventsHandler];

/** The events of rooms and accounts, for those who may read them. */
@Global()
@Module({ providers, exports: providers })
export class AuditModule {}
