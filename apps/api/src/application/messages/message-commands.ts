import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, onlyReads, type Rejection, reject } from '@verbatim/domain';
import { markRead } from '@verbatim/projections';
import { ReadModels } from '../../storage/read-models.js';
import { RoomAccess } from '../rooms/room-access.js';

/** Stores how far a person has read a room. This is private and not an event. */
export class MarkReadCommand extends Command<{ readonly marked: true } | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly revision: bigint,
  ) {
    super();
  }
}

@CommandHandler(MarkReadCommand)
export class MarkReadHandler implements ICommandHandler<MarkReadCommand> {
  constructor(
    private readonly access: RoomAccess,
    private readonly readModels: ReadModels,
  ) {}

  async execute({ roomId, actor, revision }: MarkReadCommand): Promise<{ marked: true } | Rejection> {
    const state = await this.access.toSee(roomId, actor);
    if (isRejection(state)) return state;
    if (actor.role === 'auditor') return onlyReads;
    if (!state.members.has(actor.id)) return reject('NotAMember', 'Only members have read marks.');
    const mark = revision < state.revision ? revision : state.revision;
    await markRead(this.readModels.db, actor.id, roomId, mark);
    return { marked: true };
  }
}

export const messageCommandHandlers = [MarkReadHandler];
