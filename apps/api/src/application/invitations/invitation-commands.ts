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
import { Names } from '../../storage/vault/names.js';
import { passwordMatches } from '../../storage/vault/passwords.js';
import { VaultSql } from '../../storage/vault/vault-sql.js';
import { Invitations, Rooms } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';
import { AccountOpener, type NewAccount } from '../accounts/account-opener.js';
import { Standing } from '../accounts/standing.js';
import { Redeeming } from './redeeming.js';

export interface MadeInvitation extends Decided<InvitationState> {
  readonly id: string;
  readonly code: string;
}

/** Makes an invitation to the server, which is up to administrators, or to a room, which its rules decide. */
export class CreateInvitationCommand extends Command<MadeInvitation | Rejection> {
  constructor(
    readonly actor: Actor,
    readonly to: InvitedTo,
    readonly wishes: { readonly uses: number | null; readonly expiresInSeconds: number },
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

  /** An invitation outlives the role of the person who made it, so nobody may make one who has been shut out. */
  execute(command: CreateInvitationCommand): Promise<MadeInvitation | Rejection> {
    const { actor, context } = command;
    return this.standing.whileIn(
      actor,
      () => this.make(command),
      ({ id }) => this.invitations.send(id, { type: 'RevokeInvitation', actor }, context),
    );
  }

  private async make({ actor, to, wishes, context }: CreateInvitationCommand): Promise<MadeInvitation | Rejection> {
    if (to.kind === 'room') {
      const { state } = await this.rooms.newest(to.roomId);
      const problem = invitingProblem(actor, state);
      if (problem) return problem;
      if (state.status === 'closed') return reject('RoomClosed', 'The room is closed.');
    }
    const id = newId();
    const now = this.redeeming.now();
    const expiresAt = new Date(Date.parse(now) + wishes.expiresInSeconds * 1_000).toISOString();
    // A code without an invitation opens nothing, so it may come first.
    const code = await this.codes.make(id, to.kind === 'room' ? to.roomId : null);
    const { uses } = wishes;
    const create = { type: 'CreateInvitation', actor, to, uses, expiresAt, now } as const;
    const made = await this.invitations.send(id, create, context);
    return isRejection(made) ? made : { ...made, id, code };
  }
}

/** Makes an invitation to the server, or to this room, good for nobody any more. */
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
 * The id of an account that an invitation leads to: the same again when the registration is repeated, so that what was cut
 * short uses the invitation up once.
 */
export const invitedUserId = (code: string, username: string): string => derivedId('invited', code, nameKey(username));

/** Makes an account for somebody who has an invitation to the server. */
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
    private readonly vault: VaultSql,
    private readonly opener: AccountOpener,
  ) {}

  async execute({
    userId,
    code,
    account,
    context,
  }: RegisterInvitedUserCommand): Promise<Decided<UserState> | Rejection> {
    const found = await this.redeeming.find(code, null);
    const open = found?.state.redeemedBy.has(userId) || (found && isGood(found.state, this.redeeming.now()));
    if (!found || !open) return notGood;
    const refused = this.opener.refusal(account.origin, null) ?? this.opener.problemOf(account);
    if (refused) return refused;
    // A name that is taken uses nothing up.
    if (!(await this.names.claim('user', nameKey(account.username), userId))) return nameTaken;
    const redeemed = await this.redeeming.redeem(found.id, userId, null, context);
    if (isRejection(redeemed)) return redeemed.rejected === 'Unavailable' ? redeemed : notGood;
    const opened = await this.opener.open(userId, account, context);
    if (isRejection(opened)) return opened;
    // Others may have the same code. So that nobody comes into another's account, only the attempt that made it goes on,
    // and only with the password that was kept, which may be that of another attempt.
    return opened.events > 0 && (await this.passwordIs(userId, account.password)) ? opened : nameTaken;
  }

  private async passwordIs(userId: string, password: string): Promise<boolean> {
    const [credential] = await this.vault.sql<{ password_hash: string }[]>`
      select password_hash from vault.credentials where user_id = ${userId}`;
    return passwordMatches(password, credential?.password_hash ?? null);
  }
}

export const notGood = reject('NotAllowed', 'This invitation is not good, or not any more.');
const nameTaken = reject('NameTaken', 'This username is taken.');

export const invitationCommandHandlers = [CreateInvitationHandler, RevokeInvitationHandler, RegisterInvitedUserHandler];
