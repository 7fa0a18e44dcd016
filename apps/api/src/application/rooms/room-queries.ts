import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Actor, mutedUntil, type RoomState } from '@verbatim/domain';
import {
  getRoom,
  listRooms,
  mapPage,
  membersOf,
  type Page,
  type PageRequest,
  type Room,
  type RoomsQuery,
} from '@verbatim/projections';
import type { Member } from '@verbatim/protocol';
import { Time } from '../../clock.js';
import { Refusal } from '../../doors/refusal.js';
import { ReadModels } from '../../storage/read-models.js';
import { memberAnswer, memberRowAnswer } from '../../wire/room-answer.js';
import { Users } from '../../write-side/entities.js';
import type { Purpose } from '../../write-side/inspections.js';
import { RoomAccess } from './room-access.js';

export class GetRoomQuery extends Query<Room> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
  ) {
    super();
  }
}

@QueryHandler(GetRoomQuery)
export class GetRoomHandler implements IQueryHandler<GetRoomQuery> {
  constructor(
    private readonly access: RoomAccess,
    private readonly readModels: ReadModels,
  ) {}

  async execute({ roomId, actor }: GetRoomQuery): Promise<Room> {
    const room = await this.access.seeing(roomId, actor, () => getRoom(this.readModels.db, roomId));
    if (!room) throw new Refusal('unavailable', 'The room has not reached the read models yet.');
    return room;
  }
}

export class ListRoomsQuery extends Query<Page<Room>> {
  constructor(
    readonly actor: Actor,
    readonly query: Omit<RoomsQuery, 'viewer' | 'admin'>,
  ) {
    super();
  }
}

@QueryHandler(ListRoomsQuery)
export class ListRoomsHandler implements IQueryHandler<ListRoomsQuery> {
  constructor(private readonly readModels: ReadModels) {}

  execute({ actor, query }: ListRoomsQuery): Promise<Page<Room>> {
    return listRooms(this.readModels.db, { viewer: actor.id, admin: actor.role !== 'user', ...query });
  }
}

export class ListMembersQuery extends Query<Page<Member>> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly purpose: Purpose,
    readonly page: PageRequest,
  ) {
    super();
  }
}

@QueryHandler(ListMembersQuery)
export class ListMembersHandler implements IQueryHandler<ListMembersQuery> {
  constructor(
    private readonly access: RoomAccess,
    private readonly readModels: ReadModels,
    private readonly time: Time,
  ) {}

  async execute({ roomId, actor, purpose, page }: ListMembersQuery): Promise<Page<Member>> {
    const list = () => membersOf(this.readModels.db, roomId, page);
    // Who is in a room that one cannot simply enter is for those who are in it.
    const found = await this.access.seeing(roomId, actor, ({ visibility }) =>
      visibility === 'public' ? list() : this.access.reading(roomId, actor, 'members', purpose, list),
    );
    const now = this.time.now().toISOString();
    return mapPage(found, (row) => memberRowAnswer(row, now));
  }
}

/** One member from the room's own state, for those who have just changed it. */
export class GetMemberQuery extends Query<Member> {
  constructor(
    readonly room: RoomState,
    readonly userId: string,
  ) {
    super();
  }
}

@QueryHandler(GetMemberQuery)
export class GetMemberHandler implements IQueryHandler<GetMemberQuery> {
  constructor(
    private readonly users: Users,
    private readonly time: Time,
  ) {}

  async execute({ room, userId }: GetMemberQuery): Promise<Member> {
    const member = room.members.get(userId);
    if (!member) throw new Refusal('conflict', 'This person has left the room meanwhile.');
    const { state } = await this.users.current(userId);
    return memberAnswer(userId, member, state, mutedUntil(userId, room, this.time.now().toISOString()));
  }
}

export const roomQueryHandlers = [GetRoomHandler, ListRoomsHandler, ListMembersHandler, GetMemberHandler];
