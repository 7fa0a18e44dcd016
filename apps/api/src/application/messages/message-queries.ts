import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import type { Actor } from '@verbatim/domain';
import {
  type InboxEntry,
  inbox,
  type Message,
  message,
  type Page,
  type PageRequest,
  searchMessages,
  timeline,
} from '@verbatim/projections';
import { ReadModels } from '../../storage/read-models.js';
import type { Purpose } from '../../write-side/inspections.js';
import { RoomAccess } from '../rooms/room-access.js';

export class GetTimelineQuery extends Query<Page<Message>> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly purpose: Purpose,
    readonly order: 'newest' | 'oldest',
    /** A revision, or an instant. */
    readonly from: bigint | string | undefined,
    readonly page: PageRequest,
  ) {
    super();
  }
}

@QueryHandler(GetTimelineQuery)
export class GetTimelineHandler implements IQueryHandler<GetTimelineQuery> {
  constructor(
    private readonly access: RoomAccess,
    private readonly readModels: ReadModels,
  ) {}

  async execute({ roomId, actor, purpose, order, from, page }: GetTimelineQuery): Promise<Page<Message>> {
    return this.access.reading(roomId, actor, 'messages', purpose, (reader) =>
      timeline(this.readModels.db, {
        room: roomId,
        order,
        from,
        visibleFrom: reader.from,
        viewer: actor.id,
        page,
      }),
    );
  }
}

/** One message as its reader sees it; null when it is not there, or not yet. */
export class GetMessageQuery extends Query<Message | null> {
  constructor(
    readonly roomId: string,
    readonly messageId: string,
    readonly actor: Actor,
  ) {
    super();
  }
}

@QueryHandler(GetMessageQuery)
export class GetMessageHandler implements IQueryHandler<GetMessageQuery> {
  constructor(private readonly readModels: ReadModels) {}

  execute({ roomId, messageId, actor }: GetMessageQuery): Promise<Message | null> {
    return message(this.readModels.db, roomId, messageId, actor.id);
  }
}

export class GetInboxQuery extends Query<Page<InboxEntry>> {
  constructor(
    readonly actor: Actor,
    readonly page: PageRequest,
  ) {
    super();
  }
}

@QueryHandler(GetInboxQuery)
export class GetInboxHandler implements IQueryHandler<GetInboxQuery> {
  constructor(private readonly readModels: ReadModels) {}

  execute({ actor, page }: GetInboxQuery): Promise<Page<InboxEntry>> {
    return inbox(this.readModels.db, actor.id, page);
  }
}

/** Messages that contain all the words of `q` and none of `without`, in rooms the person is in, or in one that they may read. */
export class SearchMessagesQuery extends Query<Page<Message>> {
  constructor(
    readonly actor: Actor,
    readonly words: { readonly q: string; readonly without?: string },
    readonly roomId: string | undefined,
    readonly purpose: Purpose,
    readonly page: PageRequest,
  ) {
    super();
  }
}

@QueryHandler(SearchMessagesQuery)
export class SearchMessagesHandler implements IQueryHandler<SearchMessagesQuery> {
  constructor(
    private readonly access: RoomAccess,
    private readonly readModels: ReadModels,
  ) {}

  async execute({ actor, words, roomId, purpose, page }: SearchMessagesQuery): Promise<Page<Message>> {
    const { db } = this.readModels;
    if (roomId === undefined) return searchMessages(db, { viewer: actor.id, ...words, page });
    return this.access.reading(roomId, actor, 'search', purpose, (reader) =>
      searchMessages(db, { viewer: actor.id, ...words, room: { id: roomId, visibleFrom: reader.from }, page }),
    );
  }
}

export const messageQueryHandlers = [GetTimelineHandler, GetMessageHandler, GetInboxHandler, SearchMessagesHandler];
