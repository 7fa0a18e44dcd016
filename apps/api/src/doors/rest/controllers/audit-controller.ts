import { Controller, StreamableFile } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import type { AuditEntry, PageRequest } from '@verbatim/projections';
import type { RoomState, RoomTimeline } from '@verbatim/protocol';
import { ListAuditTrailQuery } from '../../../application/audit/audit-trail-queries.js';
import { GetRoomStateQuery, GetRoomTimelineQuery } from '../../../application/audit/replay-queries.js';
import { ListRoomEventsQuery } from '../../../application/audit/room-event-queries.js';
import { ListUserEventsQuery } from '../../../application/audit/user-event-queries.js';
import type { Identity } from '../../../application/sessions/authentication.js';
import { Reads } from '../../../limits/reads.js';
import { auditEntryAnswer, roomStateAnswer } from '../../../wire/audit-answer.js';
import { roomEventAnswer, userEventAnswer } from '../../../wire/event-answer.js';
import type { Purpose } from '../../../write-side/inspections.js';
import { accepted } from '../../refusal.js';
import { By, Call, Input, type InputOf, Why } from '../call.js';
import { type ListOf, listAnswer } from '../list-answer.js';
import { csvFile } from './csv-file.js';

/** Events of rooms and accounts, rooms as they were, and the audit trail. */
@Controller()
export class AuditController {
  constructor(
    private readonly queries: QueryBus,
    private readonly reads: Reads,
  ) {}

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

  @Call('getRoomState')
  async getRoomState(
    @Input('getRoomState') { params, query }: InputOf<'getRoomState'>,
    @By() { actor }: Identity,
    @Why() purpose: Purpose,
  ): Promise<RoomState> {
    const { at, part, limit, cursor } = query;
    const when = typeof at === 'number' ? BigInt(at) : at;
    const state = new GetRoomStateQuery(params.id, actor, purpose, when, part, { limit, cursor });
    return roomStateAnswer(accepted(await this.queries.execute(state)));
  }

  @Call('getRoomTimeline')
  async getRoomTimeline(
    @Input('getRoomTimeline') { params, query }: InputOf<'getRoomTimeline'>,
    @By() { actor }: Identity,
    @Why() purpose: Purpose,
  ): Promise<RoomTimeline> {
    const timeline = new GetRoomTimelineQuery(params.id, actor, purpose, query.points);
    const { points } = accepted(await this.queries.execute(timeline));
    return { points: points.map(({ revision, at }) => ({ revision: Number(revision), at })) };
  }

  @Call('listAuditTrail')
  async listAuditTrail(
    @Input('listAuditTrail') { query }: InputOf<'listAuditTrail'>,
  ): Promise<ListOf<'listAuditTrail'>> {
    const { limit, cursor, order, ...wanted } = query;
    const trail = new ListAuditTrailQuery({ ...wanted, order, page: { limit, cursor } });
    return listAnswer(await this.queries.execute(trail), auditEntryAnswer);
  }

  @Call('exportAuditTrail')
  exportAuditTrail(
    @Input('exportAuditTrail') { query }: InputOf<'exportAuditTrail'>,
    @By() { actor }: Identity,
  ): StreamableFile {
    const reader = this.reads.account(actor.id);
    const page = (page: PageRequest) =>
      this.reads.part(reader, () => this.queries.execute(new ListAuditTrailQuery({ ...query, order: 'asc', page })));
    return new StreamableFile(csvFile(trailColumns, page, trailCells), {
      type: 'text/csv; charset=utf-8',
      disposition: 'attachment; filename="audit-trail.csv"',
    });
  }
}

const trailColumns = [
  'at',
  'actorId',
  'actor',
  'action',
  'detail',
  'targetKind',
  'targetId',
  'target',
  'roomId',
  'reason',
  'traceId',
];

const trailCells = ({ at, actor, action, detail, target, roomId, reason, traceId }: AuditEntry): string[] =>
  [at, actor.id, actor.username, action, detail, target.kind, target.id, target.name, roomId, reason, traceId].map(
    (cell) => cell ?? '',
  );
