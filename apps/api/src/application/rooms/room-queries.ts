import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Actor, holdsName, mutedUntil, nameKey, type Rejection, type RoomState, reject } from '@verbatim/domain';
import {
  type Counted,
  getRoom,
  isNameOfRoom,
  listRooms,
  type MemberOfRoom,
  mapPage,
  membersFrom,
  membersOf,
  membersOfRooms,
  type Page,
  type PageRequest,
  type Room,
  type RoomMember,
  type RoomsFromQuery,
  type RoomsQuery,
  roomsFrom,
  type Stretch,
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

/** The rooms that a user may know about. */
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
    return this.readModels.list((db) => listRooms(db, { viewer: actor.id, admin: actor.role !== 'user', ...query }));
  }
}

/** A room with some of its members. */
export interface RoomWithMembers extends Room {
  readonly members: readonly MemberOfRoom[];
}

/**
 * The open rooms that a user may know about, from the start of the list, each with at most `mostMembers` members. For
 * rooms whose members they may not see, only the owners.
 */
export class ListRoomsFromQuery extends Query<Counted<RoomWithMembers>> {
  constructor(
    readonly actor: Actor,
    readonly wanted: Omit<RoomsFromQuery, 'viewer' | 'admin'> & { readonly mostMembers: number },
  ) {
    super();
  }
}

@QueryHandler(ListRoomsFromQuery)
export class ListRoomsFromHandler implements IQueryHandler<ListRoomsFromQuery> {
  constructor(private readonly readModels: ReadModels) {}

  async execute({ actor, wanted }: ListRoomsFromQuery): Promise<Counted<RoomWithMembers>> {
    const { db } = this.readModels;
    const { mostMembers: most, ...query } = wanted;
    const { items, total } = await roomsFrom(db, { viewer: actor.id, admin: actor.role !== 'user', ...query });
    const members = await membersOfRooms(db, { rooms: items.map(({ id }) => id), viewer: actor.id, most });
    const byRoom = new Map<string, MemberOfRoom[]>(items.map(({ id }) => [id, []]));
    for (const member of members) byRoom.get(member.roomId)?.push(member);
    return { items: items.map((room) => ({ ...room, members: byRoom.get(room.id) ?? [] })), total };
  }
}

/** A room as of now, for those who may know that it exists. */
export class GetRoomStateQuery extends Query<RoomState | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
  ) {
    super();
  }
}

@QueryHandler(GetRoomStateQuery)
export class GetRoomStateHandler implements IQueryHandler<GetRoomStateQuery> {
  constructor(private readonly access: RoomAccess) {}

  execute({ roomId, actor }: GetRoomStateQuery): Promise<RoomState | Rejection> {
    return this.access.toSee(roomId, actor);
  }
}

/** Whether any open room has this name, including hidden ones: for administrators, who see all of them. */
export class IsRoomNamedQuery extends Query<boolean> {
  constructor(readonly name: string) {
    super();
  }
}

@QueryHandler(IsRoomNamedQuery)
export class IsRoomNamedHandler implements IQueryHandler<IsRoomNamedQuery> {
  constructor(private readonly readModels: ReadModels) {}

  execute({ name }: IsRoomNamedQuery): Promise<boolean> {
    return isNameOfRoom(this.readModels.db, name);
  }
}

/** A member as of now: `mutedUntil` is null once a mute has expired. */
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

  /** Everyone may list the members of public rooms; for other rooms, only those who may read them. */
  execute({ roomId, actor, purpose, page }: ListMembersQuery): Promise<Page<CurrentMember> | Rejection> {
    const list = async () => {
      const now = this.time.now().toISOString();
      return mapPage(await this.readModels.list((db) => membersOf(db, roomId, page)), (member) => asOf(member, now));
    };
    return this.access.seeing(roomId, actor, ({ visibility }) =>
      visibility === 'public' ? list() : this.access.reading(roomId, actor, 'members', purpose, list),
    );
  }
}

/** Members of a room from the start of the list; like `ListMembersQuery`. */
export class ListMembersFromQuery extends Query<Counted<RoomMember> | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly purpose: Purpose,
    readonly stretch: Stretch,
  ) {
    super();
  }
}

@QueryHandler(ListMembersFromQuery)
export class ListMembersFromHandler implements IQueryHandler<ListMembersFromQuery> {
  constructor(
    private readonly access: RoomAccess,
    private readonly readModels: ReadModels,
  ) {}

  execute({ roomId, actor, purpose, stretch }: ListMembersFromQuery): Promise<Counted<RoomMember> | Rejection> {
    const list = () => this.readModels.list((db) => membersFrom(db, roomId, stretch));
    return this.access.seeing(roomId, actor, ({ visibility }) =>
      visibility === 'public' ? list() : this.access.reading(roomId, actor, 'members', purpose, list),
    );
  }
}

const asOf = (member: RoomMember, now: string): CurrentMember =>
  member.mutedUntil !== null && member.mutedUntil <= now ? { ...member, mutedUntil: null } : member;

/** One member from the room's own state, for a person who has just changed it. */
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
 * The current state of a room, for a door that needs it to present the room to its clients. The other queries decide what
 * a person may see or read.
 */
export class GetRoomStateUncheckedQuery extends Query<RoomState> {
  constructor(readonly roomId: string) {
    super();
  }
}

@QueryHandler(GetRoomStateUncheckedQuery)
export class GetRoomStateUncheckedHandler implements IQueryHandler<GetRoomStateUncheckedQuery> {
  constructor(private readonly rooms: Rooms) {}

  async execute({ roomId }: GetRoomStateUncheckedQuery): Promise<RoomState> {
    return (await this.rooms.newest(roomId)).state;
  }
}

/** The id of the open public or private room with this name, ignoring case; null if there is none. */
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
  GetRoomStateUncheckedHandler,
  FindRoomByNameHandler,
  GetRoomHandler,
  GetRoomStateHandler,
  IsRoomNamedHandler,
  ListRoomsHandler,
  ListRoomsFromHandler,
  ListMembersHandler,
  ListMembersFromHandler,
  GetMemberHandler,
];
