import { Controller } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import type { AnswerOf } from '@verbatim/protocol';
import type { Identity } from '../accounts/authentication.js';
import { By, Call, Input, type InputOf } from '../rest/call.js';
import { ReadEvents } from './audit-queries.js';

@Controller()
export class AuditController {
  constructor(private readonly queries: QueryBus) {}

  @Call('listEvents')
  listEvents(
    @Input('listEvents') { params, query }: InputOf<'listEvents'>,
    @By() { actor }: Identity,
  ): Promise<AnswerOf<'listEvents'>> {
    return this.queries.execute(new ReadEvents(params.id, actor, query));
  }
}
