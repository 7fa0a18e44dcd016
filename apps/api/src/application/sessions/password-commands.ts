import { Injectable } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, type Rejection, reject, shutOutSince } from '@verbatim/domain';
import { passwordProblem } from '../../storage/vault/common-passwords.js';
import { Credentials, type Replaced } from '../../storage/vault/credentials.js';
import { Sessions, type Which } from '../../storage/vault/sessions.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import type { Identity } from './authentication.js';
import { type IssuedReset, PasswordResetIssuer } from './password-reset-issuer.js';
import { Proving } from './proving.js';
import { type Ended, SessionRevoker } from './session-revoker.js';

/** Records that a password was replaced, and ends sessions. */
@Injectable()
export class PasswordChangeRecorder {
  constructor(
    private readonly users: Users,
    private readonly credentials: Credentials,
    private readonly sessions: Sessions,
    private readonly revoker: SessionRevoker,
  ) {}

  /** If the account rejects the change because it has just lost access, the old password is restored. */
  async record(
    replaced: Replaced,
    allowedAt: bigint | number,
    actor: Actor | null,
    which: Which,
    context: Context,
  ): Promise<Ended | Rejection> {
    const { userId } = replaced;
    const how = actor === null ? 'reset' : 'change';
    const sessionIds = await this.sessions.revoke(userId, which);
    const change = { type: 'ChangePassword', actor, how, allowedAt, sessionIds } as const;
    const changed = await this.users.send(userId, change, context);
    if (isRejection(changed)) {
      if (changed.rejected !== 'Unavailable') await this.credentials.putBack(replaced);
      return changed;
    }
    await this.sessions.markRecorded(sessionIds);
    const more = await this.revoker.revoke(userId, which, actor, 'password', context);
    return isRejection(more) ? more : { sessions: sessionIds.length + more.sessions };
  }
}

/** Changes the caller's password and ends their other sessions. */
export class ChangePasswordCommand extends Command<Ended | Rejection> {
  constructor(
    readonly identity: Identity,
    readonly currentPassword: string,
    readonly newPassword: string,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(ChangePasswordCommand)
export class ChangePasswordHandler implements ICommandHandler<ChangePasswordCommand> {
  constructor(
    private readonly users: Users,
    private readonly credentials: Credentials,
    private readonly sessions: Sessions,
    private readonly proving: Proving,
    private readonly recorder: PasswordChangeRecorder,
  ) {}

  async execute({
    identity,
    currentPassword,
    newPassword,
    context,
  }: ChangePasswordCommand): Promise<Ended | Rejection> {
    const unproved = await this.proving.demandFresh(identity);
    if (unproved) return unproved;
    const { actor, sessionId } = identity;
    const { state, revision } = await this.users.newest(actor.id);
    const problem = await passwordProblem(newPassword, state.username);
    if (problem) return reject('Invalid', `The password ${problem}.`);
    const currentHash = await this.proving.checkPassword(actor.id, currentPassword);
    if (typeof currentHash !== 'string') return currentHash;
    const replaced = await this.credentials.replace(actor.id, currentHash, newPassword);
    if (!replaced) return reject('WrongPassword', 'The password has just been changed.');
    await this.sessions.noteProof(sessionId);
    return this.recorder.record(replaced, revision, actor, { except: sessionId }, context);
  }
}

/** Sets the password of the user with this reset token, and ends all their sessions. */
export class ResetPasswordCommand extends Command<Ended | Rejection> {
  constructor(
    readonly token: string,
    readonly newPassword: string,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(ResetPasswordCommand)
export class ResetPasswordHandler implements ICommandHandler<ResetPasswordCommand> {
  constructor(
    private readonly users: Users,
    private readonly credentials: Credentials,
    private readonly recorder: PasswordChangeRecorder,
  ) {}

  async execute({ token, newPassword, context }: ResetPasswordCommand): Promise<Ended | Rejection> {
    const reset = await this.credentials.resetFor(token);
    if (!reset) return spent;
    const { userId, issuedAt } = reset;
    const { state } = await this.users.newest(userId);
    if (shutOutSince(state, issuedAt)) return spent;
    const problem = await passwordProblem(newPassword, state.username);
    if (problem) return reject('Invalid', `The password ${problem}.`);
    const replaced = await this.credentials.reset(token, newPassword);
    return replaced ? this.recorder.record(replaced, issuedAt, null, 'all', context) : spent;
  }
}

const spent = reject('Unauthenticated', 'The token is no longer valid. Ask an administrator for a new one.');

/** Issues a token for choosing a password. Requires a recent second factor, if the caller has one. */
export class IssuePasswordResetCommand extends Command<IssuedReset | Rejection> {
  constructor(
    readonly userId: string,
    readonly identity: Identity,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(IssuePasswordResetCommand)
export class IssuePasswordResetHandler implements ICommandHandler<IssuePasswordResetCommand> {
  constructor(
    private readonly proving: Proving,
    private readonly issuer: PasswordResetIssuer,
  ) {}

  async execute({ userId, identity, context }: IssuePasswordResetCommand): Promise<IssuedReset | Rejection> {
    return (await this.proving.demandFresh(identity)) ?? this.issuer.issue(userId, identity.actor, context);
  }
}

export const passwordCommandHandlers = [
  PasswordResetIssuer,
  PasswordChangeRecorder,
  ChangePasswordHandler,
  ResetPasswordHandler,
  IssuePasswordResetHandler,
];
