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

export class GetTimeline extends Query<Page<Message>> {
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

@QueryHandler(GetTimeline)
export class GetTimelineHandler implements IQueryHandler<GetTimeline> {
  constructor(
    private readonly access: RoomAccess,
    private readonly readModels: ReadModels,
  ) {}

  async execute({ roomId, actor, purpose, order, from, page }: GetTimeline): Promise<Page<Message>> {
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
export class GetMessage extends Query<Message | null> {
  constructor(
    readonly roomId: string,
    readonly messageId: string,
    readonly actor: Actor,
  ) {
    super();
  }
}

@QueryHandler(GetMessage)
export class GetMessageHandler implements IQueryHandler<GetMessage> {
  constructor(private readonly readModels: ReadModels) {}

  execute({ roomId, messageId, actor }: GetMessage): Promise<Message | null> {
    return message(this.readModels.db, roomId, messageId, actor.id);
  }
}

export class GetInbox extends Query<Page<InboxEntry>> {
  constructor(
    readonly actor: Actor,
    readonly page: PageRequest,
  ) {
    super();
  }
}

@QueryHandler(GetInbox)
export class GetInboxHandler implements IQueryHandler<GetInbox> {
  constructor(private readonly readModels: ReadModels) {}

  execute({ actor, page }: GetInbox): Promise<Page<InboxEntry>> {
    return inbox(this.readModels.db, actor.id, page);
  }
}

/** Messages that contain all the words of `q` and none of `without`, in rooms the person is in, or in one that they may read. */
export class SearchMessages extends Query<Page<Message>> {
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

@QueryHandler(SearchMessages)
export class SearchMessagesHandler implements IQueryHandler<SearchMessages> {
  constructor(
    private readonly access: RoomAccess,
    private readonly readModels: ReadModels,
  ) {}

  async execute({ actor, words, roomId, purpose, page }: SearchMessages): Promise<Page<Message>> {
    const { db } = this.readModels;
    if (roomId === undefined) return searchMessages(db, { viewer: actor.id, ...words, page });
    return this.access.reading(roomId, actor, 'search', purpose, (reader) =>
      searchMessages(db, { viewer: actor.id, ...words, room: { id: roomId, visibleFrom: reader.from }, page }),
    );
  }
}

export const messageQueryHandlers = [GetTimelineHandler, GetMessageHandler, GetInboxHandler, SearchMessagesHandler];
