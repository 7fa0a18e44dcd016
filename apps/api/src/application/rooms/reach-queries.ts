import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { nameKey, type Rejection, type RoomState, reject } from '@verbatim/domain';
import {
  closedRoomHadName,
  hasLeft,
  newestTexts,
  type RoomWithinReach,
  roomsWithinReach,
  type SaidInRoom,
} from '@verbatim/projections';
import { ReadModels } from '../../storage/read-models.js';
import { Names } from '../../storage/vault/names.js';
import { Rooms } from '../../write-side/entities.js';

/** Milliseconds that queries wait for the read models to catch up. */
const PATIENCE_MS = 2_000;

/** The rooms that a user is in or could enter at any time: see `roomsWithinReach`. */
export class RoomsWithinReachQuery extends Query<RoomWithinReach[] | Rejection> {
  constructor(
    /** Null: a user who has never been here. */
    readonly userId: string | null,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(RoomsWithinReachQuery)
export class RoomsWithinReachHandler implements IQueryHandler<RoomsWithinReachQuery> {
  constructor(private readonly readModels: ReadModels) {}

  async execute({ userId, limit }: RoomsWithinReachQuery): Promise<RoomWithinReach[] | Rejection> {
    return (await upToDate(this.readModels)) ?? roomsWithinReach(this.readModels.db, userId, limit);
  }
}

/** Whether a user was in a room and has left it, as of now. */
export class HasLeftQuery extends Query<{ readonly hasLeft: boolean } | Rejection> {
  constructor(
    readonly roomId: string,
    readonly userId: string,
  ) {
    super();
  }
}

@QueryHandler(HasLeftQuery)
export class HasLeftHandler implements IQueryHandler<HasLeftQuery> {
  constructor(private readonly readModels: ReadModels) {}

  async execute({ roomId, userId }: HasLeftQuery): Promise<{ hasLeft: boolean } | Rejection> {
    const { db } = this.readModels;
    return (await upToDate(this.readModels)) ?? { hasLeft: await hasLeft(db, roomId, userId) };
  }
}

/** Rooms within reach, with the latest messages of each. */
export interface HeardLast {
  readonly rooms: readonly RoomWithinReach[];
  readonly texts: readonly SaidInRoom[];
}

/** The latest messages in the rooms within a user's reach, including everything stored before the query. */
export class HeardLastQuery extends Query<HeardLast | Rejection> {
  constructor(
    readonly userId: string | null,
    readonly most: { readonly rooms: number; readonly textsPerRoom: number; readonly textBytes: number },
  ) {
    super();
  }
}

@QueryHandler(HeardLastQuery)
export class HeardLastHandler implements IQueryHandler<HeardLastQuery> {
  constructor(private readonly readModels: ReadModels) {}

  /** Reads again if events were stored meanwhile: clients receive those live, and replace them by this answer. */
  async execute({ userId, most }: HeardLastQuery): Promise<HeardLast | Rejection> {
    const { db } = this.readModels;
    for (let again = true; ; again = false) {
      const behind = await upToDate(this.readModels);
      if (behind) return behind;
      const before = await this.readModels.head();
      const rooms = await roomsWithinReach(db, userId, most.rooms);
      const texts = await newestTexts(db, rooms, { perRoom: most.textsPerRoom, bytes: most.textBytes });
      if (!again || (await this.readModels.head()) === before) return { rooms, texts };
    }
  }
}

/** What determines whether a user receives a room's messages, as far as this process knows. */
export interface RoomAtHand extends Pick<RoomState, 'name' | 'visibility' | 'status'> {
  readonly isMember: boolean;
  /** Whether anyone may enter without a password or an invitation. */
  readonly isOpenToAll: boolean;
}

/** A room regardless of who may know about it: for a door's own decisions, not to be shown. */
export class RoomAtHandQuery extends Query<RoomAtHand> {
  constructor(
    readonly roomId: string,
    readonly userId: string,
  ) {
    super();
  }
}

@QueryHandler(RoomAtHandQuery)
export class RoomAtHandHandler implements IQueryHandler<RoomAtHandQuery> {
  constructor(private readonly rooms: Rooms) {}

  async execute({ roomId, userId }: RoomAtHandQuery): Promise<RoomAtHand> {
    const { name, visibility, status, passwordId, members } = (await this.rooms.current(roomId)).state;
    const isOpenToAll = status === 'open' && visibility === 'public' && passwordId === null;
    return { name, visibility, status, isMember: members.has(userId), isOpenToAll };
  }
}

/** The open room with a name, or none; `was` says whether a closed room had it. */
export type RoomOfName = { readonly roomId: string } | { readonly roomId: null; readonly was: boolean };

/** Finds the room with a name, ignoring case. Hidden and direct rooms have no such name. */
export class RoomOfNameQuery extends Query<RoomOfName | Rejection> {
  constructor(readonly name: string) {
    super();
  }
}

@QueryHandler(RoomOfNameQuery)
export class RoomOfNameHandler implements IQueryHandler<RoomOfNameQuery> {
  constructor(
    private readonly names: Names,
    private readonly rooms: Rooms,
    private readonly readModels: ReadModels,
  ) {}

  async execute({ name }: RoomOfNameQuery): Promise<RoomOfName | Rejection> {
    const roomId = await this.names.ownerOf('room', nameKey(name));
    if (roomId && (await this.isOpen(roomId))) return { roomId };
    const behind = await upToDate(this.readModels);
    if (behind) return behind;
    return { roomId: null, was: await closedRoomHadName(this.readModels.db, name) };
  }

  private async isOpen(roomId: string): Promise<boolean> {
    const { status } = (await this.rooms.current(roomId)).state;
    return status === 'open' || (status === 'unborn' && (await this.rooms.newest(roomId)).state.status === 'open');
  }
}

/** Waits until the read models show everything stored so far. Rejects with `Unavailable` if that takes too long. */
async function upToDate(readModels: ReadModels): Promise<Rejection | null> {
  const reached = await readModels.reached(await readModels.head(), PATIENCE_MS);
  return reached ? null : reject('Unavailable', 'The read models have not caught up yet.');
}

export const reachQueryHandlers = [
  RoomsWithinReachHandler,
  HasLeftHandler,
  HeardLastHandler,
  RoomAtHandHandler,
  RoomOfNameHandler,
];
