import { Controller } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ListRoomEventsQuery } from '../../../application/audit/room-event-queries.js';
import { ListUserEventsQuery } from '../../../application/audit/user-event-queries.js';
import type { Identity } from '../../../application/sessions/authentication.js';
import { roomEventAnswer, userEventAnswer } from '../../../wire/event-answer.js';
import type { Purpose } from '../../../write-side/inspections.js';
import { accepted } from '../../refusal.js';
import { By, Call, Input, type InputOf, Why } from '../call.js';
import { type ListOf, listAnswer } from '../list-answer.js';

@Controller()
export class AuditController {
  constructor(private readonly queries: QueryBus) {}

  @Call('listEvents')
  async listEvents(
    @Input('listEvents') { params, query }: InputOf<'listEvents'>,
    @By() { actor }: Identity,
    @Why() purpose: Purpose,
  ): Promise<ListOf<'listEvents'>> {
    const page = accepted(await this.queries.execute(new ListRoomEventsQuery(params.id, actor, purpose, query)));
    return listAnswer(page, roomEventAnswer);
  }

  @Call('listMyEvents')
  async listMyEvents(
    @Input('listMyEvents') { query }: InputOf<'listMyEvents'>,
    @By() { actor }: Identity,
  ): Promise<ListOf<'listMyEvents'>> {
    const { page } = accepted(await this.queries.execute(new ListUserEventsQuery(actor.id, query, 'my events')));
    return listAnswer(page, userEventAnswer);
  }

  @Call('listUserEvents')
  async listUserEvents(
    @Input('listUserEvents') { params, query }: InputOf<'listUserEvents'>,
  ): Promise<ListOf<'listUserEvents'>> {
    const list = new ListUserEventsQuery(params.id, query, 'events of a user');
    const { page, total } = accepted(await this.queries.execute(list));
    return listAnswer(page, userEventAnswer, total);
  }
}
