import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  type Actor,
  type InvitationState,
  type InvitedTo,
  invitingProblem,
  isGood,
  isRejection,
  nameKey,
  type Rejection,
  reject,
  type UserState,
} from '@verbatim/domain';
import { derivedId } from '../../derived-id.js';
import { newId } from '../../new-id.js';
import { InvitationCodes } from '../../storage/invitations/invitation-codes.js';
import { Credentials } from '../../storage/vault/credentials.js';
import { Names } from '../../storage/vault/names.js';
import { Invitations, Rooms } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';
import { AccountOpener, type NewAccount } from '../accounts/account-opener.js';
import { Standing } from '../accounts/standing.js';
import { Redeeming } from './redeeming.js';

/** An invitation whose code is returned once and never again. */
export interface CreatedInvitation extends Decided<InvitationState> {
  readonly id: string;
  readonly code: string;
}

/** Creates an invitation to the server, which is up to administrators, or to a room, which its rules decide. */
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

  /** An invitation outlives the request, so it is revoked again if its creator was shut out in the meantime. */
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
    // A code without an invitation opens nothing, so it is stored first.
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

/**
 * The id of an account registered with an invitation. It derives from both, so that a repeated registration uses the
 * invitation up only once.
 */
export const invitedUserId = (code: string, username: string): string => derivedId('invited', code, nameKey(username));

/** Registers somebody who has an invitation to the server. */
export class RegisterInvitedUserCommand extends Command<Decided<UserState> | Rejection> {
  constructor(
    readonly userId: string,
    readonly code: string,
    readonly account: NewAccount & { readonly password: string },
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(RegisterInvitedUserCommand)
export class RegisterInvitedUserHandler implements ICommandHandler<RegisterInvitedUserCommand> {
  constructor(
    private readonly redeeming: Redeeming,
    private readonly names: Names,
    private readonly credentials: Credentials,
    private readonly accounts: AccountOpener,
  ) {}

  async execute({
    userId,
    code,
    account,
    context,
  }: RegisterInvitedUserCommand): Promise<Decided<UserState> | Rejection> {
    const found = await this.redeeming.find(code, null);
    const usable = found?.state.redeemedBy.has(userId) || (found && isGood(found.state, this.redeeming.now()));
    if (!found || !usable) return notValid;
    const refused = this.accounts.refusal(account.origin, null) ?? this.accounts.problemOf(account);
    if (refused) return refused;
    // The name is claimed first, so that one that is taken does not use up the invitation.
    if (!(await this.names.claim('user', nameKey(account.username), userId))) return nameTaken;
    const redeemed = await this.redeeming.redeem(found.id, userId, null, context);
    if (isRejection(redeemed)) return redeemed.rejected === 'Unavailable' ? redeemed : notValid;
    const opened = await this.accounts.open(userId, account, context);
    if (isRejection(opened)) return opened;
    // Others may have the same code. So that nobody gets into another person's account, only the attempt that opened it
    // succeeds, and only with the password that was stored, which may be that of another attempt.
    const isTheirs = opened.events > 0 && (await this.credentials.check(userId, account.password)) !== null;
    return isTheirs ? opened : nameTaken;
  }
}

export const notValid = reject('NotAllowed', 'This invitation is not valid, or no longer valid.');
const nameTaken = reject('NameTaken', 'This username is taken.');

export const invitationCommandHandlers = [
  CreateInvitationHandler,
  RevokeInvitationHandler,
  RegisterInvitedUserHandler,
  Redeeming,
];
