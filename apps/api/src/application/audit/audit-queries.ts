import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Actor, type Face, type Recorded, roomStream, view, WITHHELD, withheld } from '@verbatim/domain';
import { InvalidCursor, type Page } from '@verbatim/projections';
import type { AnswerOf, Person } from '@verbatim/protocol';
import { accepted } from '../../doors/refusal.js';
import { replacedTexts } from '../../live/replaced-texts.js';
import { Directory } from '../../storage/directory.js';
import { OpenLog } from '../../storage/open-log.js';
import { ReadModels } from '../../storage/read-models.js';
import type { Purpose } from '../../write-side/inspections.js';
import { RoomAccess } from '../rooms/room-access.js';

type Event = AnswerOf<'listEvents'>['items'][number];

/** Bytes of sealed texts that are read for a page. With the same texts once more in the open, they make a page of answers. */
const SEALED_BYTES = 589_824;

/** The events of a room as the log holds them, and as this reader may see them. */
export class ListRoomEventsQuery extends Query<Page<Event>> {
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

  async execute({ roomId, actor, purpose, query }: ListRoomEventsQuery): Promise<Page<Event>> {
    const room = await this.access.toRead(roomId, actor, 'events', purpose);
    const start = query.cursor === undefined ? BigInt(query.from) : revisionIn(query.cursor);
    const from = start < room.reader.from ? room.reader.from : start;
    const read = await this.log.read(roomStream(roomId), from, query.limit, SEALED_BYTES);
    // What has happened since may take away the right to read it.
    const shown = read.filter(({ revision }) => revision <= room.state.revision);
    const last = shown.at(-1);
    const replaced = accepted(await replacedTexts(this.readModels, roomId, room, shown));
    const people = await this.directory.people(shown.map((event) => event.actor));
    const { face } = room.reader;
    return {
      items: shown.map((event) => eventAnswer(event, face, replaced.has(event.revision), people)),
      next: last && last.revision < room.state.revision ? cursorAfter(last) : null,
      cursorAfter: (index) => cursorAfter(shown[index] as Recorded),
    };
  }
}

/** It holds the revision at which the next page begins. */
const cursorAfter = ({ revision }: Recorded): string => Buffer.from(`events:${revision + 1n}`).toString('base64url');

function revisionIn(cursor: string): bigint {
  const revision = /^events:(\d{1,18})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1];
  if (revision === undefined) throw new InvalidCursor();
  return BigInt(revision);
}

/** An event of a room as one face sees it. */
export const eventAnswer = (event: Recorded, face: Face, replaced: boolean, people: ReadonlyMap<string, Person>) =>
  (withheld(event, face)
    ? placeOf(event)
    : {
        id: event.id,
        stream: event.stream,
        revision: Number(event.revision),
        position: Number(event.position),
        type: event.type,
        at: event.at,
        occurredAt: event.occurredAt,
        actor: event.actor === null ? null : (people.get(event.actor) ?? { id: event.actor, username: '' }),
        data: view(event, face, replaced),
        sealed: event.sealed,
        prev: event.prev,
        hash: event.hash,
      }) as Event;

/** What is told of an event that the reader may not know of: enough to see that the chain has no gap. */
const placeOf = ({ id, stream, revision, position, at, prev, hash }: Recorded) => ({
  id,
  stream,
  revision: Number(revision),
  position: Number(position),
  type: WITHHELD,
  at,
  actor: null,
  data: {},
  sealed: null,
  prev,
  hash,
});

export const auditQueryHandlers = [ListRoomEventsHandler];
