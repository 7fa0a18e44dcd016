import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import type { Actor } from '@verbatim/domain';
import {
  getRoom,
  listRooms,
  membersOf,
  type Page,
  type PageRequest,
  type Room,
  type RoomMember,
  type RoomsQuery,
} from '@verbatim/projections';
import { ReadModels } from '../read-models/read-models.js';
import { Refusal } from '../rest/refusal.js';
import { RoomAccess } from './room-access.js';

export class GetRoom extends Query<Room> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
  ) {
    super();
  }
}

@QueryHandler(GetRoom)
export class GetRoomHandler implements IQueryHandler<GetRoom> {
  constructor(
    private readonly access: RoomAccess,
    private readonly readModels: ReadModels,
  ) {}

  async execute({ roomId, actor }: GetRoom): Promise<Room> {
    await this.access.toSee(roomId, actor);
    const room = await getRoom(this.readModels.db, roomId);
    if (!room) throw new Refusal('unavailable', 'The room has not reached the read models yet.');
    return room;
  }
}

export class ListRooms extends Query<Page<Room>> {
  constructor(
    readonly actor: Actor,
    readonly query: Omit<RoomsQuery, 'viewer' | 'admin'>,
  ) {
    super();
  }
}

@QueryHandler(ListRooms)
export class ListRoomsHandler implements IQueryHandler<ListRooms> {
  constructor(private readonly readModels: ReadModels) {}

  execute({ actor, query }: ListRooms): Promise<Page<Room>> {
    return listRooms(this.readModels.db, { viewer: actor.id, admin: actor.role !== 'user', ...query });
  }
}

export class ListMembers extends Query<Page<RoomMember>> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly page: PageRequest,
  ) {
    super();
  }
}

@QueryHandler(ListMembers)
export class ListMembersHandler implements IQueryHandler<ListMembers> {
  constructor(
    private readonly access: RoomAccess,
    private readonly readModels: ReadModels,
  ) {}

  async execute({ roomId, actor, page }: ListMembers): Promise<Page<RoomMember>> {
    const { visibility } = await this.access.toSee(roomId, actor);
    // Who is in a room that one cannot simply enter is for those who are in it.
    if (visibility !== 'public') await this.access.toRead(roomId, actor);
    return membersOf(this.readModels.db, roomId, page);
  }
}

export const roomQueryHandlers = [GetRoomHandler, ListRoomsHandler, ListMembersHandler];
