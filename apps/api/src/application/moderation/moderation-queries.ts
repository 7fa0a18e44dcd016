import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import type { Actor, Inspected } from '@verbatim/domain';
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
import { Refusal } from '../../doors/refusal.js';
import { ReadModels } from '../../storage/read-models.js';
import type { Purpose } from '../../write-side/inspections.js';
import { RoomAccess } from '../rooms/room-access.js';

export class ListBansQuery extends Query<Page<Ban>> {
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

  async execute({ roomId, actor, purpose, page }: ListBansQuery): Promise<Page<Ban>> {
    await toModerate(this.access, roomId, actor, 'bans', purpose);
    return bansOf(this.readModels.db, roomId, this.time.now().toISOString(), page);
  }
}

/** Reports of one room for those who moderate it, or of all rooms for those whom the call lets through. */
export class ListReportsQuery extends Query<Page<Report>> {
  constructor(
    readonly settled: boolean,
    readonly page: PageRequest,
    readonly room?: { readonly id: string; readonly actor: Actor; readonly purpose: Purpose },
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

  async execute({ settled, page, room }: ListReportsQuery): Promise<Page<Report>> {
    if (room) await toModerate(this.access, room.id, room.actor, 'reports', room.purpose);
    return listReports(this.readModels.db, { room: room?.id, settled, page });
  }
}

/** One report, for those who have just made or settled it. */
export class GetReportQuery extends Query<Report> {
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

  async execute({ roomId, reportId }: GetReportQuery): Promise<Report> {
    const found = await getReport(this.readModels.db, roomId, reportId);
    if (!found) throw new Refusal('unavailable', 'It is stored but has not reached the read models yet.');
    return found;
  }
}

async function toModerate(access: RoomAccess, roomId: string, actor: Actor, what: Inspected, purpose: Purpose) {
  const { reader } = await access.toRead(roomId, actor, what, purpose);
  if (reader.face === 'member') throw new Refusal('forbidden', 'This is for those who moderate the room.');
}

export const moderationQueryHandlers = [ListBansHandler, ListReportsHandler, GetReportHandler];
