import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Actor, type Inspected, isRejection, type Rejection, reject } from '@verbatim/domain';
import {
  type Ban,
  bansOf,
  getReport,
  listReports,
  type Page,
  type PageRequest,
  type Report,
} from '@verbatim/projections';
import { Time } from '../../clock.js';
import { ReadModels } from '../../storage/read-models.js';
import type { Purpose } from '../../write-side/inspections.js';
import { RoomAccess } from '../rooms/room-access.js';
import { overseersOnly } from '../sessions/permission.js';

export class ListBansQuery extends Query<Page<Ban> | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly purpose: Purpose,
    readonly page: PageRequest,
  ) {
    super();
  }
}

@QueryHandler(ListBansQuery)
export class ListBansHandler implements IQueryHandler<ListBansQuery> {
  constructor(
    private readonly access: RoomAccess,
    private readonly readModels: ReadModels,
    private readonly time: Time,
  ) {}

  async execute({ roomId, actor, purpose, page }: ListBansQuery): Promise<Page<Ban> | Rejection> {
    const refused = await moderating(this.access, roomId, actor, 'bans', purpose);
    if (refused) return refused;
    return this.readModels.list((db) => bansOf(db, roomId, this.time.now().toISOString(), page));
  }
}

/** Reports of one room, for its moderators, or of all rooms, for administrators and auditors. */
export class ListReportsQuery extends Query<Page<Report> | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly settled: boolean,
    readonly page: PageRequest,
    readonly room?: { readonly id: string; readonly purpose: Purpose },
  ) {
    super();
  }
}

@QueryHandler(ListReportsQuery)
export class ListReportsHandler implements IQueryHandler<ListReportsQuery> {
  constructor(
    private readonly access: RoomAccess,
    private readonly readModels: ReadModels,
  ) {}

  async execute({ actor, settled, page, room }: ListReportsQuery): Promise<Page<Report> | Rejection> {
    const refused = room
      ? await moderating(this.access, room.id, actor, 'reports', room.purpose)
      : actor.role === 'user' && overseersOnly;
    if (refused) return refused;
    return this.readModels.list((db) => listReports(db, { room: room?.id, settled, page }));
  }
}

/** One report, for a person who has just filed or settled it. */
export class GetReportQuery extends Query<Report | Rejection> {
  constructor(
    readonly roomId: string,
    readonly reportId: string,
  ) {
    super();
  }
}

@QueryHandler(GetReportQuery)
export class GetReportHandler implements IQueryHandler<GetReportQuery> {
  constructor(private readonly readModels: ReadModels) {}

  async execute({ roomId, reportId }: GetReportQuery): Promise<Report | Rejection> {
    const found = await getReport(this.readModels.db, roomId, reportId);
    return found ?? reject('Unavailable', 'The report is stored, but the read models do not show it yet.');
  }
}

/** Why a person may not read what is reserved for a room's moderators, or null. */
async function moderating(access: RoomAccess, roomId: string, actor: Actor, what: Inspected, purpose: Purpose) {
  const room = await access.toRead(roomId, actor, what, purpose);
  if (isRejection(room)) return room;
  return room.reader.face === 'member' ? moderatorsOnly : null;
}

const moderatorsOnly = reject('NotAllowed', 'Only moderators of the room may see this.');

export const moderationQueryHandlers = [ListBansHandler, ListReportsHandler, GetReportHandler];
