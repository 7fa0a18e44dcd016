import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  type Actor,
  type InvitationState,
  type InvitedTo,
  invitingProblem,
  isRejection,
  type Rejection,
  reject,
} from '@verbatim/domain';
import { newId } from '../../new-id.js';
import { InvitationCodes } from '../../storage/invitations/invitation-codes.js';
import { Invitations, Rooms } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';
import { Standing } from '../accounts/standing.js';
import { Redeeming } from './redeeming.js';

/** An invitation with its code, which is returned only once. */
export interface CreatedInvitation extends Decided<InvitationState> {
  readonly id: string;
  readonly code: string;
}

/** Creates an invitation to the server (administrators only) or to a room (according to its rules). */
export class CreateInvitationCommand extends Command<CreatedInvitation | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly to: InvitedTo,
    readonly terms: { readonly uses: number | null; readonly expiresInSeconds: number },
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(CreateInvitationCommand)
export class CreateInvitationHandler implements ICommandHandler<CreateInvitationCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly invitations: Invitations,
    private readonly codes: InvitationCodes,
    private readonly redeeming: Redeeming,
    private readonly standing: Standing,
  ) {}

  /** An invitation outlives the request, so it is revoked if its creator lost access meanwhile. */
  execute(command: CreateInvitationCommand): Promise<CreatedInvitation | Rejection> {
    const { actor, context } = command;
    return this.standing.whileIn(
      actor,
      () => this.create(command),
      ({ id }) => this.invitations.send(id, { type: 'RevokeInvitation', actor }, context),
    );
  }

  private async create({ actor, to, terms, context }: CreateInvitationCommand): Promise<CreatedInvitation | Rejection> {
    if (to.kind === 'room') {
      const { state } = await this.rooms.newest(to.roomId);
      const problem = invitingProblem(actor, state);
      if (problem) return problem;
      if (state.status === 'closed') return reject('RoomClosed', 'The room is closed.');
    }
    const id = newId();
    const now = this.redeeming.now();
    const expiresAt = new Date(Date.parse(now) + terms.expiresInSeconds * 1_000).toISOString();
    // A code without an invitation is useless, so it is stored first.
    const code = await this.codes.create(id, to.kind === 'room' ? to.roomId : null);
    const { uses } = terms;
    const create = { type: 'CreateInvitation', actor, to, uses, expiresAt, now } as const;
    const created = await this.invitations.send(id, create, context);
    return isRejection(created) ? created : { ...created, id, code };
  }
}

/** Revokes an invitation to the server (`roomId` is null) or to a room. */
export class RevokeInvitationCommand extends Command<Decided<InvitationState> | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly invitationId: string,
    readonly roomId: string | null,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(RevokeInvitationCommand)
export class RevokeInvitationHandler implements ICommandHandler<RevokeInvitationCommand> {
  constructor(
    private readonly rooms: Rooms,
    private readonly invitations: Invitations,
  ) {}

  async execute({ actor, invitationId, roomId, context }: RevokeInvitationCommand) {
    if (roomId !== null) {
      const problem = invitingProblem(actor, (await this.rooms.newest(roomId)).state);
      if (problem) return problem;
    }
    const { state } = await this.invitations.newest(invitationId);
    const place = state.to.kind === 'room' ? state.to.roomId : null;
    if (place !== roomId) return reject('NotFound', 'There is no such invitation.');
    return this.invitations.send(invitationId, { type: 'RevokeInvitation', actor }, context);
  }
}

export const notValid = reject('NotAllowed', 'This invitation is not valid, or no longer valid.');

export const invitationCommandHandlers = [CreateInvitationHandler, RevokeInvitationHandler, Redeeming];
