import { Controller } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import type { Identity } from '../../../application/accounts/authentication.js';
import { ListUserEventsQuery } from '../../../application/audit/account-events.js';
import { ListRoomEventsQuery } from '../../../application/audit/audit-queries.js';
import { Users } from '../../../write-side/entities.js';
import type { Purpose } from '../../../write-side/inspections.js';
import { Refusal } from '../../refusal.js';
import { By, Call, Input, type InputOf, Why } from '../call.js';
import { asItIs, type ListOf, listAnswer } from '../list-answer.js';

@Controller()
export class AuditController {
  constructor(
    private readonly queries: QueryBus,
    private readonly users: Users,
  ) {}

  @Call('listEvents')
  async listEvents(
    @Input('listEvents') { params, query }: InputOf<'listEvents'>,
    @By() { actor }: Identity,
    @Why() purpose: Purpose,
  ): Promise<ListOf<'listEvents'>> {
    return listAnswer(await this.queries.execute(new ListRoomEventsQuery(params.id, actor, purpose, query)), asItIs);
  }

  @Call('listMyEvents')
  async listMyEvents(
    @Input('listMyEvents') { query }: InputOf<'listMyEvents'>,
    @By() { actor }: Identity,
  ): Promise<ListOf<'listMyEvents'>> {
    return listAnswer(await this.queries.execute(new ListUserEventsQuery(actor.id, query, 'my events')), asItIs);
  }

  @Call('listUserEvents')
  async listUserEvents(
    @Input('listUserEvents') { params, query }: InputOf<'listUserEvents'>,
  ): Promise<ListOf<'listUserEvents'>> {
    const { state, revision } = await this.users.newest(params.id);
    if (state.status === 'unborn') throw new Refusal('not_found', 'There is no such user.');
    const page = await this.queries.execute(new ListUserEventsQuery(params.id, query, 'events of a user'));
    return listAnswer(page, asItIs, Number(revision) + 1);
  }
}
