import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, type Recorded, type Rejection, roomStream } from '@verbatim/domain';
import { cursorKey, cursorOf, isRevision, type Page } from '@verbatim/projections';
import { replacedTexts } from '../../live/replaced-texts.js';
import { Directory } from '../../storage/directory.js';
import { OpenLog } from '../../storage/open-log.js';
import { ReadModels } from '../../storage/read-models.js';
import type { Purpose } from '../../write-side/inspections.js';
import { RoomAccess } from '../rooms/room-access.js';
import { ListAuditTrailHandler } from './audit-trail-queries.js';
import { type AuditedEvent, audited } from './audited-event.js';
import { GetRoomStateHandler, GetRoomTimelineHandler } from './replay-queries.js';
import { ListUserEventsHandler } from './user-event-queries.js';

/** Bytes of sealed texts read for a page; together with the opened texts they fill a response page. */
const SEALED_BYTES = 589_824;

/** The events of a room as stored in the log, as far as this reader may see them. */
export class ListRoomEventsQuery extends Query<Page<AuditedEvent> | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly purpose: Purpose,
    readonly query: { readonly from: number; readonly limit: number; readonly cursor?: string },
  ) {
    super();
  }
}

@QueryHandler(ListRoomEventsQuery)
export class ListRoomEventsHandler implements IQueryHandler<ListRoomEventsQuery> {
  constructor(
    private readonly access: RoomAccess,
    private readonly log: OpenLog,
    private readonly directory: Directory,
    private readonly readModels: ReadModels,
  ) {}

  async execute({ roomId, actor, purpose, query }: ListRoomEventsQuery): Promise<Page<AuditedEvent> | Rejection> {
    const room = await this.access.toRead(roomId, actor, 'events', purpose);
    if (isRejection(room)) return room;
    const after = cursorKey(query, LIST, isRevision);
    const start = after ? BigInt(after[0]) + 1n : BigInt(query.from);
    const from = start < room.reader.from ? room.reader.from : start;
    const read = await this.log.read(roomStream(roomId), from, query.limit, SEALED_BYTES);
    // Later events may have revoked the right to read.
    const shown = read.filter(({ revision }) => revision <= room.state.revision);
    const last = shown.at(-1);
    const replaced = await replacedTexts(this.readModels, roomId, room, shown);
    if (isRejection(replaced)) return replaced;
    const people = await this.directory.people(shown.map((event) => event.actor));
    const { face } = room.reader;
    return {
      items: shown.map((event) => audited(event, face, replaced.has(event.revision), people)),
      next: last && last.revision < room.state.revision ? cursorAfter(last) : null,
      cursorAfter: (index) => cursorAfter(shown[index] as Recorded),
    };
  }
}

const LIST = 'room events';
const cursorAfter = ({ revision }: Recorded): string => cursorOf(LIST, [`${revision}`]);

export const auditQueryHandlers = [
  ListRoomEventsHandler,
  ListUserEventsHandler,
  ListAuditTrailHandler,
  GetRoomStateHandler,
  GetRoomTimelineHandler,
];
