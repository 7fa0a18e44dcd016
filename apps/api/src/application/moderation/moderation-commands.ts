import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  type BanMember,
  type MuteMember,
  maySee,
  type Rejection,
  type RoomState,
  reject,
  type UnbanMember,
  type UnmuteMember,
} from '@verbatim/domain';
import { Rooms, Users } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';

/** Bans or mutes a person, or ends that. They must exist but need not be in the room. */
export class RestrainMemberCommand extends Command<Decided<RoomState> | Rejection> {
  constructor(
    readonly roomId: string,
    readonly command: BanMember | UnbanMember | MuteMember | UnmuteMember,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(RestrainMemberCommand)
export class RestrainMemberHandler implements ICommandHandler<RestrainMemberCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly users: Users,
  ) {}

  async execute({ roomId, command, context }: RestrainMemberCommand): Promise<Decided<RoomState> | Rejection> {
    const { state } = await this.rooms.current(roomId);
    const { status } = (await this.users.current(command.userId)).state;
    const unknown = status === 'unborn' || status === 'abandoned';
    if (unknown && maySee(state, command.actor)) return reject('NotFound', 'There is no such user.');
    return this.rooms.send(roomId, command, context);
  }
}

export const moderationCommandHandlers = [RestrainMemberHandler];
