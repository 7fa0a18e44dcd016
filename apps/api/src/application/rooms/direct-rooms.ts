import { Command, CommandHandler, type ICommandHandler, type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, nameKey, type Rejection, type RoomState, reject } from '@verbatim/domain';
import { getRoom } from '@verbatim/projections';
import { derivedId } from '../../derived-id.js';
import { ReadModels } from '../../storage/read-models.js';
import { Names } from '../../storage/vault/names.js';
import { Rooms, Users } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';

/** The same two people always get the same room. */
export const directRoomId = (one: string, other: string): string => derivedId('direct room', ...[one, other].sort());

/** The room of two people. */
export interface DirectRoom extends Decided<RoomState> {
  readonly roomId: string;
  /** False if the room already existed. */
  readonly created: boolean;
}

/** Opens the direct room with the person of this username, creating it the first time. */
export class CreateDirectRoomCommand extends Command<DirectRoom | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly username: string,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(CreateDirectRoomCommand)
export class CreateDirectRoomHandler implements ICommandHandler<CreateDirectRoomCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly users: Users,
    private readonly names: Names,
  ) {}

  async execute({ actor, username, context }: CreateDirectRoomCommand): Promise<DirectRoom | Rejection> {
    const peer = await this.find(username);
    if (!peer) return reject('NotFound', 'There is no such user.');
    const roomId = directRoomId(actor.id, peer.id);
    const command = { type: 'CreateDirectRoom', actor, peerId: peer.id, ...(peer.gone && { peerGone: true }) } as const;
    const opened = await this.rooms.send(roomId, command, context);
    if (isRejection(opened)) return opened;
    // Events that do not begin the stream add a person to an existing room again.
    return { ...opened, roomId, created: opened.events > 0 && opened.revision < BigInt(opened.events) };
  }

  /** Excludes the bots of webhooks: no one would read messages to them. */
  private async find(username: string): Promise<{ readonly id: string; readonly gone: boolean } | null> {
    const id = await this.names.ownerOf('user', nameKey(username));
    if (!id) return null;
    let { state } = await this.users.current(id);
    // The account may have been opened through a replica whose events have not arrived here yet.
    if (state.status === 'unborn') state = (await this.users.newest(id)).state;
    const { status, webhookBot } = state;
    return status === 'unborn' || status === 'abandoned' || webhookBot ? null : { id, gone: status === 'deactivated' };
  }
}

/** The people of a direct room, including those who have left it; null if it is not a direct room. */
export class GetPairQuery extends Query<readonly string[] | null> {
  constructor(readonly roomId: string) {
    super();
  }
}

@QueryHandler(GetPairQuery)
export class GetPairHandler implements IQueryHandler<GetPairQuery> {
  constructor(
    private readonly rooms: Rooms,
    private readonly readModels: ReadModels,
  ) {}

  /** The read models rule out most rooms, so that their states need not be loaded. */
  async execute({ roomId }: GetPairQuery): Promise<readonly string[] | null> {
    const known = this.rooms.known(roomId);
    if (known) return pairOf(known);
    const room = await getRoom(this.readModels.db, roomId);
    if (room && room.visibility !== 'direct') return null;
    return pairOf((await this.rooms.current(roomId)).state);
  }
}

const pairOf = ({ visibility, pair }: RoomState): readonly string[] | null => (visibility === 'direct' ? pair : null);
