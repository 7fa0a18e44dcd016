import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, nameKey, type Rejection, reject } from '@verbatim/domain';
import {
  type Conversation,
  conversations,
  type DirectMessage,
  directMessages,
  type Stretch,
} from '@verbatim/projections';
import { ReadModels } from '../../storage/read-models.js';
import { Names } from '../../storage/vault/names.js';
import { Rooms, Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import { directRoomId } from '../rooms/direct-rooms.js';
import { RoomAccess } from '../rooms/room-access.js';

/** Milliseconds that a query waits until the read models show what was acknowledged before it. */
const PATIENCE_MS = 1_000;

/** The people with whom a user has exchanged direct messages, with the latest message of each conversation. */
export class ListConversationsQuery extends Query<readonly Conversation[]> {
  constructor(
    readonly actor: Actor,
    readonly stretch: Stretch,
  ) {
    super();
  }
}

@QueryHandler(ListConversationsQuery)
export class ListConversationsHandler implements IQueryHandler<ListConversationsQuery> {
  constructor(private readonly readModels: ReadModels) {}

  async execute({ actor, stretch }: ListConversationsQuery): Promise<readonly Conversation[]> {
    const head = await this.readModels.head().catch(() => -1n);
    await this.readModels.reached(head, PATIENCE_MS);
    return this.readModels.list((db) => conversations(db, actor.id, stretch));
  }
}

/** A section of a conversation, with both usernames. */
export interface Correspondence {
  readonly own: string;
  readonly peer: string;
  readonly messages: readonly DirectMessage[];
}

/**
 * The direct messages between a user and the person with this username, the newest first; none with oneself. Rejects with
 * `NotFound` if there is no such person.
 */
export class GetConversationQuery extends Query<Correspondence | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly username: string,
    readonly stretch: Stretch,
    readonly context: Context,
  ) {
    super();
  }
}

@QueryHandler(GetConversationQuery)
export class GetConversationHandler implements IQueryHandler<GetConversationQuery> {
  constructor(
    private readonly names: Names,
    private readonly users: Users,
    private readonly rooms: Rooms,
    private readonly access: RoomAccess,
    private readonly readModels: ReadModels,
  ) {}

  async execute({ actor, username, ...question }: GetConversationQuery): Promise<Correspondence | Rejection> {
    const peerId = await this.names.ownerOf('user', nameKey(username));
    const peer = peerId === null ? null : await this.usernameOf(peerId);
    if (peerId === null || peer === null) return reject('NotFound', 'There is no such user.');
    const messages = await this.messages(directRoomId(actor.id, peerId), actor, question);
    if (isRejection(messages)) return messages;
    return { own: (await this.users.current(actor.id)).state.username, peer, messages };
  }

  private async messages(
    roomId: string,
    actor: Actor,
    { stretch, context }: Pick<GetConversationQuery, 'stretch' | 'context'>,
  ): Promise<readonly DirectMessage[] | Rejection> {
    const { state, position, confirmed } = await this.rooms.newestKnown(roomId);
    // Nothing to read if the user never wrote to this person or has left their room.
    if (confirmed && !state.members.has(actor.id)) return [];
    if (confirmed) await this.readModels.reached(position, PATIENCE_MS);
    return this.access.reading(roomId, actor, 'messages', { context }, () =>
      this.readModels.list((db) => directMessages(db, roomId, stretch)),
    );
  }

  /** Null if there is no such account. */
  private async usernameOf(userId: string): Promise<string | null> {
    let { state } = await this.users.current(userId);
    // The account may have been opened through a replica whose events have not arrived here yet.
    if (state.status === 'unborn') state = (await this.users.newest(userId)).state;
    return state.status === 'unborn' || state.status === 'abandoned' ? null : state.username;
  }
}

export const conversationQueryHandlers = [ListConversationsHandler, GetConversationHandler];
