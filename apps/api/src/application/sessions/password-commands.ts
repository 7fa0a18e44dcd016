import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, type Rejection, reject, shutOutSince } from '@verbatim/domain';
import { passwordProblem } from '../../storage/vault/common-passwords.js';
import { Credentials, type Replaced } from '../../storage/vault/credentials.js';
import { Sessions, type Which } from '../../storage/vault/sessions.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import type { Identity } from '../accounts/authentication.js';
import { Proving } from './proving.js';
import { type Ended, RevokeSessionsCommand, RevokeSessionsHandler } from './session-commands.js';

/** Changes the caller's password, which ends the other sessions. */
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

/** Sets the password of whoever got this token from an administrator, which ends all sessions. */
export class ResetPasswordCommand extends Command<Ended | null | Rejection> {
  constructor(
    readonly token: string,
    readonly newPassword: string,
    readonly context: Context,
  ) {
    super();
  }
}

/** Hands out a token with which a person can choose a password. */
export class IssuePasswordResetCommand extends Command<string | Rejection> {
  constructor(
    readonly userId: string,
    readonly actor: Actor,
    readonly context: Context,
  ) {
    super();
  }
}

/** What both ways to another password have in common: it was set, and now sessions end and it is told. */
class PasswordNews {
  constructor(
    private readonly users: Users,
    private readonly credentials: Credentials,
    private readonly sessions: Sessions,
    private readonly end: RevokeSessionsHandler,
  ) {}

  /** The account decides whether the change counts: if it has been shut out meanwhile, the old password is put back. */
  async tell(
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
    const told = await this.users.send(userId, change, context);
    if (isRejection(told)) {
      if (told.rejected !== 'Unavailable') await this.credentials.putBack(replaced);
      return told;
    }
    await this.sessions.told(sessionIds);
    const more = await this.end.execute(new RevokeSessionsCommand(userId, which, actor, 'password', context));
    return isRejection(more) ? more : { sessions: sessionIds.length + more.sessions };
  }
}

@CommandHandler(ChangePasswordCommand)
export class ChangePasswordHandler implements ICommandHandler<ChangePasswordCommand> {
  private readonly news: PasswordNews;

  constructor(
    private readonly users: Users,
    private readonly credentials: Credentials,
    private readonly sessions: Sessions,
    private readonly proving: Proving,
    end: RevokeSessionsHandler,
  ) {
    this.news = new PasswordNews(users, credentials, sessions, end);
  }

  async execute({
    identity,
    currentPassword,
    newPassword,
    context,
  }: ChangePasswordCommand): Promise<Ended | Rejection> {
    const { actor, sessionId } = identity;
    const { state, revision } = await this.users.newest(actor.id);
    const problem = await passwordProblem(newPassword, state.username);
    if (problem) return reject('Invalid', `The password ${problem}.`);
    const rightHash = await this.proving.byPassword(actor.id, currentPassword);
    if (!rightHash) return reject('WrongPassword', 'The current password is another.');
    const replaced = await this.credentials.replace(actor.id, rightHash, newPassword);
    if (!replaced) return reject('WrongPassword', 'The password has just been changed.');
    await this.sessions.noteProof(sessionId);
    return this.news.tell(replaced, revision, actor, { except: sessionId }, context);
  }
}

@CommandHandler(ResetPasswordCommand)
export class ResetPasswordHandler implements ICommandHandler<ResetPasswordCommand> {
  private readonly news: PasswordNews;

  constructor(
    private readonly users: Users,
    private readonly credentials: Credentials,
    sessions: Sessions,
    end: RevokeSessionsHandler,
  ) {
    this.news = new PasswordNews(users, credentials, sessions, end);
  }

  async execute({ token, newPassword, context }: ResetPasswordCommand): Promise<Ended | null | Rejection> {
    const reset = await this.credentials.resetFor(token);
    if (!reset) return null;
    const { userId, issuedAt } = reset;
    const { state } = await this.users.newest(userId);
    if (shutOutSince(state, issuedAt)) return null;
    const problem = await passwordProblem(newPassword, state.username);
    if (problem) return reject('Invalid', `The password ${problem}.`);
    const replaced = await this.credentials.reset(token, newPassword);
    return replaced && this.news.tell(replaced, issuedAt, null, 'all', context);
  }
}

@CommandHandler(IssuePasswordResetCommand)
export class IssuePasswordResetHandler implements ICommandHandler<IssuePasswordResetCommand> {
  constructor(
    private readonly users: Users,
    private readonly credentials: Credentials,
  ) {}

  async execute({ userId, actor, context }: IssuePasswordResetCommand): Promise<string | Rejection> {
    const issued = await this.users.send(userId, { type: 'IssuePasswordReset', actor }, context);
    return isRejection(issued) ? issued : this.credentials.issueReset(userId, issued.revision);
  }
}

export const passwordCommandHandlers = [ChangePasswordHandler, ResetPasswordHandler, IssuePasswordResetHandler];
