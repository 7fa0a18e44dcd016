import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Actor, holdsName, mutedUntil, nameKey, type Rejection, type RoomState, reject } from '@verbatim/domain';
import {
  getRoom,
  listRooms,
  mapPage,
  membersOf,
  type Page,
  type PageRequest,
  type Room,
  type RoomMember,
  type RoomsQuery,
} from '@verbatim/projections';
import { Time } from '../../clock.js';
import { ReadModels } from '../../storage/read-models.js';
import { Names } from '../../storage/vault/names.js';
import { Rooms, Users } from '../../write-side/entities.js';
import type { Purpose } from '../../write-side/inspections.js';
import { RoomAccess } from './room-access.js';

export class GetRoomQuery extends Query<Room | Rejection> {
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

  async execute({ roomId, actor }: GetRoomQuery): Promise<Room | Rejection> {
    const room = await this.access.seeing(roomId, actor, () => getRoom(this.readModels.db, roomId));
    return room ?? reject('Unavailable', 'The read models do not show this room yet.');
  }
}

/** The rooms that somebody may know of. */
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

/** A member as of now: `mutedUntil` is null once a mute has ended. */
export type CurrentMember = Omit<RoomMember, 'joinedRevision'>;

export class ListMembersQuery extends Query<Page<CurrentMember> | Rejection> {
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

  /** Members of a public room are listed for everybody, those of other rooms for people who may read them. */
  execute({ roomId, actor, purpose, page }: ListMembersQuery): Promise<Page<CurrentMember> | Rejection> {
    const list = async () => {
      const now = this.time.now().toISOString();
      return mapPage(await membersOf(this.readModels.db, roomId, page), (member) => asOf(member, now));
    };
    return this.access.seeing(roomId, actor, ({ visibility }) =>
      visibility === 'public' ? list() : this.access.reading(roomId, actor, 'members', purpose, list),
    );
  }
}

const asOf = (member: RoomMember, now: string): CurrentMember =>
  member.mutedUntil !== null && member.mutedUntil <= now ? { ...member, mutedUntil: null } : member;

/** One member from the room's own state, for somebody who has just changed it. */
export class GetMemberQuery extends Query<CurrentMember | Rejection> {
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

  async execute({ room, userId }: GetMemberQuery): Promise<CurrentMember | Rejection> {
    const member = room.members.get(userId);
    if (!member) return reject('Conflict', 'This person has left the room in the meantime.');
    const { username, displayName } = (await this.users.current(userId)).state;
    const { role, joinedAt } = member;
    const muted = mutedUntil(userId, room, this.time.now().toISOString());
    return { user: { id: userId, username, displayName }, role, joinedAt, mutedUntil: muted };
  }
}

/**
 * The state of a room as of now, for a door that decides by it what the room is to its clients. What a person may see or read
 * of a room is decided by the other queries.
 */
export class GetRoomStateQuery extends Query<RoomState> {
  constructor(readonly roomId: string) {
    super();
  }
}

@QueryHandler(GetRoomStateQuery)
export class GetRoomStateHandler implements IQueryHandler<GetRoomStateQuery> {
  constructor(private readonly rooms: Rooms) {}

  async execute({ roomId }: GetRoomStateQuery): Promise<RoomState> {
    return (await this.rooms.newest(roomId)).state;
  }
}

/** The id of the open public or private room of this name, whatever its case; null if there is none. */
export class FindRoomByNameQuery extends Query<string | null> {
  constructor(readonly name: string) {
    super();
  }
}

@QueryHandler(FindRoomByNameQuery)
export class FindRoomByNameHandler implements IQueryHandler<FindRoomByNameQuery> {
  constructor(
    private readonly rooms: Rooms,
    private readonly names: Names,
  ) {}

  async execute({ name }: FindRoomByNameQuery): Promise<string | null> {
    const key = nameKey(name);
    const owner = key === '' ? null : await this.names.ownerOf('room', key);
    if (owner === null) return null;
    const { state } = await this.rooms.newest(owner);
    return holdsName(state) && nameKey(state.name ?? '') === key ? owner : null;
  }
}

export const roomQueryHandlers = [
  GetRoomStateHandler,
  FindRoomByNameHandler,
  GetRoomHandler,
  ListRoomsHandler,
  ListMembersHandler,
  GetMemberHandler,
];
