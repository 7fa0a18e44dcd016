import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Rejection, reject } from '@verbatim/domain';
import { Limits } from '../../limits/limits.js';
import { Rooms } from '../../write-side/entities.js';
import { RoomPasswords } from './room-passwords.js';

/** A proof of a room's password, accepted by `JoinRoom`. */
export interface ProvenRoomPassword {
  readonly passwordId: string;
}

/**
 * Checks the password of a room for a person who has no account yet, so that nothing is stored for those who do not know
 * it. Rejects with `WrongPassword`, also if the room has no password, or `TooSoon` after too many attempts from this
 * address.
 */
export class ProveRoomPasswordCommand extends Command<ProvenRoomPassword | Rejection> {
  constructor(
    readonly roomId: string,
    readonly password: string,
    readonly address: string,
  ) {
    super();
  }
}

@CommandHandler(ProveRoomPasswordCommand)
export class ProveRoomPasswordHandler implements ICommandHandler<ProveRoomPasswordCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly passwords: RoomPasswords,
    private readonly limits: Limits,
  ) {}

  async execute({ roomId, password, address }: ProveRoomPasswordCommand): Promise<ProvenRoomPassword | Rejection> {
    const tooSoon = this.limits.guess(address, roomId);
    if (tooSoon) return tooSoon;
    const { passwordId } = (await this.rooms.newest(roomId)).state;
    const matches = await this.passwords.matches(passwordId, password);
    return matches && passwordId !== null ? { passwordId } : wrong;
  }
}

const wrong = reject('WrongPassword', 'The password of the room is incorrect.');
