import { Controller } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import type { AnswerOf } from '@verbatim/protocol';
import type { Identity } from '../accounts/authentication.js';
import type { Purpose } from '../moderation/inspections.js';
import { By, Call, Input, type InputOf, Why } from '../rest/call.js';
import { ReadEvents } from './audit-queries.js';

@Controller()
export class AuditController {
  constructor(private readonly queries: QueryBus) {}

  @Call('listEvents')
  listEvents(
    @Input('listEvents') { params, query }: InputOf<'listEvents'>,
    @By() { actor }: Identity,
    @Why() purpose: Purpose,
  ): Promise<AnswerOf<'listEvents'>> {
    return this.queries.execute(new ReadEvents(params.id, actor, purpose, query));
  }
}
