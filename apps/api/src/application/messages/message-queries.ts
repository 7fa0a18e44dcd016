import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Actor, type PostMessage, type Rejection, reject } from '@verbatim/domain';
import {
  type Counted,
  type InboxEntry,
  inbox,
  type Message,
  message,
  messagesFrom,
  type Page,
  type PageRequest,
  type Stretch,
  searchMessages,
  timeline,
} from '@verbatim/projections';
import { ReadModels } from '../../storage/read-models.js';
import { Rooms, Users } from '../../write-side/entities.js';
import type { Purpose } from '../../write-side/inspections.js';
import { RoomAccess } from '../rooms/room-access.js';

export class GetTimelineQuery extends Query<Page<Message> | Rejection> {
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

  async execute({ roomId, actor, purpose, order, from, page }: GetTimelineQuery): Promise<Page<Message> | Rejection> {
    return this.access.reading(roomId, actor, 'messages', purpose, (reader) =>
      this.readModels.list((db) =>
        timeline(db, {
          room: roomId,
          order,
          from,
          visibleFrom: reader.from,
          viewer: actor.id,
          page,
        }),
      ),
    );
  }
}

/** Messages of a room from its start, as many of the requested number as fit into a page. */
export class ListMessagesFromQuery extends Query<Counted<Message> | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly purpose: Purpose,
    readonly stretch: Stretch,
  ) {
    super();
  }
}

@QueryHandler(ListMessagesFromQuery)
export class ListMessagesFromHandler implements IQueryHandler<ListMessagesFromQuery> {
  constructor(
    private readonly access: RoomAccess,
    private readonly readModels: ReadModels,
  ) {}

  execute({ roomId, actor, purpose, stretch }: ListMessagesFromQuery): Promise<Counted<Message> | Rejection> {
    return this.access.reading(roomId, actor, 'messages', purpose, ({ from }) =>
      this.readModels.list((db) => messagesFrom(db, { room: roomId, visibleFrom: from, viewer: actor.id, ...stretch })),
    );
  }
}

/**
 * The newest messages of a public room without a password, for a person without an account at a door that accepts bare
 * names: they could join and read all of it anyway.
 */
export class GetPublicTimelineQuery extends Query<Page<Message> | Rejection> {
  constructor(
    readonly roomId: string,
    readonly page: PageRequest,
  ) {
    super();
  }
}

@QueryHandler(GetPublicTimelineQuery)
export class GetPublicTimelineHandler implements IQueryHandler<GetPublicTimelineQuery> {
  constructor(
    private readonly rooms: Rooms,
    private readonly readModels: ReadModels,
  ) {}

  async execute({ roomId, page }: GetPublicTimelineQuery): Promise<Page<Message> | Rejection> {
    const { state } = await this.rooms.newest(roomId);
    if (state.status !== 'open' || state.visibility !== 'public')
      return reject('NotFound', 'There is no such public room.');
    if (state.passwordId !== null) return reject('NotAMember', 'Only members of the room may read it.');
    return this.readModels.list((db) =>
      timeline(db, { room: roomId, order: 'newest', visibleFrom: 0n, viewer: '', page }),
    );
  }
}

/** One message from the read models, for a person who has just posted or changed it. */
export class GetMessageQuery extends Query<Message | Rejection> {
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

  async execute({ roomId, messageId, actor }: GetMessageQuery): Promise<Message | Rejection> {
    const found = await message(this.readModels.db, roomId, messageId, actor.id);
    return found ?? reject('Unavailable', 'The message is stored, but the read models do not show it yet.');
  }
}

/** Builds a message that was just posted, in case the read models do not show it yet. */
export class GetPostedMessageQuery extends Query<Message> {
  constructor(
    readonly roomId: string,
    readonly post: PostMessage,
    readonly posted: { readonly revision: bigint; readonly at: string },
  ) {
    super();
  }
}

@QueryHandler(GetPostedMessageQuery)
export class GetPostedMessageHandler implements IQueryHandler<GetPostedMessageQuery> {
  constructor(private readonly users: Users) {}

  async execute({ roomId, post, posted }: GetPostedMessageQuery): Promise<Message> {
    const { username, displayName } = (await this.users.current(post.actor.id)).state;
    return {
      id: post.messageId,
      roomId,
      revision: posted.revision,
      author: { id: post.actor.id, username, displayName },
      kind: post.kind,
      text: post.text,
      replyTo: post.replyTo,
      postedAt: posted.at,
      editedAt: null,
      redactedAt: null,
      reactions: [],
    };
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
    return this.readModels.list((db) => inbox(db, actor.id, page));
  }
}

/** Messages with all the words of `q` and none of `without`: in the user's rooms, or in one room that they may read. */
export class SearchMessagesQuery extends Query<Page<Message> | Rejection> {
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

  async execute({ actor, words, roomId, purpose, page }: SearchMessagesQuery): Promise<Page<Message> | Rejection> {
    const search = (room?: { readonly id: string; readonly visibleFrom: bigint }) =>
      this.readModels.list((db) => searchMessages(db, { viewer: actor.id, ...words, room, page }));
    if (roomId === undefined) return search();
    return this.access.reading(roomId, actor, 'search', purpose, ({ from }) =>
      search({ id: roomId, visibleFrom: from }),
    );
  }
}

export const messageQueryHandlers = [
  GetTimelineHandler,
  GetPublicTimelineHandler,
  ListMessagesFromHandler,
  GetMessageHandler,
  GetPostedMessageHandler,
  GetInboxHandler,
  SearchMessagesHandler,
];
