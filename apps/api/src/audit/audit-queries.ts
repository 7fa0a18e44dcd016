import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Actor, type Face, type Recorded, roomStream, view } from '@verbatim/domain';
import { InvalidCursor } from '@verbatim/projections';
import type { AnswerOf, Person } from '@verbatim/protocol';
import { Directory } from '../accounts/directory.js';
import { OpenLog } from '../feed/open-log.js';
import { replacedTexts } from '../messages/replaced-texts.js';
import { ReadModels } from '../read-models/read-models.js';
import { RoomAccess } from '../rooms/room-access.js';

type Events = AnswerOf<'listEvents'>;

/** The events of a room as the log holds them, and as this reader may see them. */
export class ReadEvents extends Query<Events> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly query: { readonly from: number; readonly limit: number; readonly cursor?: string },
  ) {
    super();
  }
}

@QueryHandler(ReadEvents)
export class ReadEventsHandler implements IQueryHandler<ReadEvents> {
  constructor(
    private readonly access: RoomAccess,
    private readonly log: OpenLog,
    private readonly directory: Directory,
    private readonly readModels: ReadModels,
  ) {}

  async execute({ roomId, actor, query }: ReadEvents): Promise<Events> {
    const room = await this.access.toRead(roomId, actor);
    const start = query.cursor === undefined ? BigInt(query.from) : revisionIn(query.cursor);
    const from = start < room.reader.from ? room.reader.from : start;
    const read = await this.log.read(roomStream(roomId), from, query.limit + 1);
    // What has happened since may take away the right to read it.
    const events = read.filter(({ revision }) => revision <= room.state.revision);
    const shown = events.slice(0, query.limit);
    const next = events[query.limit];
    const replaced = await replacedTexts(this.readModels, roomId, room, shown);
    const people = await this.directory.people(shown.map((event) => event.actor));
    const { face } = room.reader;
    return {
      items: shown.map((event) => eventAnswer(event, face, replaced.has(event.revision), people)),
      page: { next: next ? cursorFor(next.revision) : null },
    };
  }
}

const cursorFor = (revision: bigint): string => Buffer.from(`events:${revision}`).toString('base64url');

function revisionIn(cursor: string): bigint {
  const revision = /^events:(\d{1,18})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1];
  if (revision === undefined) throw new InvalidCursor();
  return BigInt(revision);
}

/** An event as clients see it, cut to one face. */
export const eventAnswer = (event: Recorded, face: Face, replaced: boolean, people: ReadonlyMap<string, Person>) =>
  ({
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
  }) as Events['items'][number];

export const auditQueryHandlers = [ReadEventsHandler];
