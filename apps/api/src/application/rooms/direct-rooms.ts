import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, nameKey, type Rejection, type RoomState, reject } from '@verbatim/domain';
import { derivedId } from '../../derived-id.js';
import { Names } from '../../storage/vault/names.js';
import { Rooms, Users } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';

/** The same two people always get the same room. */
export const directRoomId = (one: string, other: string): string => derivedId('direct room', ...[one, other].sort());

/** The room of two people. */
export interface DirectRoom extends Decided<RoomState> {
  readonly roomId: string;
  /** False when the room existed before. */
  readonly created: boolean;
}

/** Opens the room that somebody has with the person of this username, and creates it the first time. */
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
    // Events that do not begin the stream add somebody to an existing room again.
    return { ...opened, roomId, created: opened.events > 0 && opened.revision < BigInt(opened.events) };
  }

  /** Bots of webhooks are left out: nobody would read what is written to them. */
  private async find(username: string): Promise<{ readonly id: string; readonly gone: boolean } | null> {
    const id = await this.names.ownerOf('user', nameKey(username));
    if (!id) return null;
    const { status, webhookBot } = (await this.users.current(id)).state;
    return status === 'unborn' || status === 'abandoned' || webhookBot ? null : { id, gone: status === 'deactivated' };
  }
}
