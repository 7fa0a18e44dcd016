import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, type Rejection, reject } from '@verbatim/domain';
import type { Identity } from '../accounts/authentication.js';
import { Users } from '../mailbox/entities.js';
import type { Context } from '../mailbox/mailbox.js';
import { passwordProblem } from '../vault/common-passwords.js';
import { Credentials } from '../vault/credentials.js';
import { Sessions, type Which } from '../vault/sessions.js';
import { Proving } from './proving.js';
import { type Ended, EndSessions, EndSessionsHandler } from './session-commands.js';

/** Changes the caller's password, which ends the other sessions. */
export class ChangePassword extends Command<Ended | Rejection> {
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
export class ResetPassword extends Command<Ended | null | Rejection> {
  constructor(
    readonly token: string,
    readonly newPassword: string,
    readonly context: Context,
  ) {
    super();
  }
}

/** Hands out a token with which a person can choose a password. */
export class IssuePasswordReset extends Command<string | Rejection> {
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
    private readonly sessions: Sessions,
    private readonly end: EndSessionsHandler,
  ) {}

  async tell(
    userId: string,
    actor: Actor | null,
    how: 'change' | 'reset',
    which: Which,
    context: Context,
  ): Promise<Ended | Rejection> {
    const sessionIds = await this.sessions.revoke(userId, which);
    const told = await this.users.send(userId, { type: 'ChangePassword', actor, how, sessionIds }, context);
    if (isRejection(told)) return told;
    await this.sessions.told(sessionIds);
    const more = await this.end.execute(new EndSessions(userId, which, actor, 'password', context));
    return isRejection(more) ? more : { sessions: sessionIds.length + more.sessions };
  }
}

@CommandHandler(ChangePassword)
export class ChangePasswordHandler implements ICommandHandler<ChangePassword> {
  private readonly news: PasswordNews;

  constructor(
    private readonly users: Users,
    private readonly credentials: Credentials,
    private readonly sessions: Sessions,
    private readonly proving: Proving,
    end: EndSessionsHandler,
  ) {
    this.news = new PasswordNews(users, sessions, end);
  }

  async execute({ identity, currentPassword, newPassword, context }: ChangePassword): Promise<Ended | Rejection> {
    const { actor, sessionId } = identity;
    const { state } = await this.users.newest(actor.id);
    const problem = await passwordProblem(newPassword, state.username);
    if (problem) return reject('Invalid', `The password ${problem}.`);
    const rightHash = await this.proving.byPassword(actor.id, currentPassword);
    if (!rightHash) return reject('WrongPassword', 'The current password is another.');
    if (!(await this.credentials.replace(actor.id, rightHash, newPassword)))
      return reject('WrongPassword', 'The password has just been changed.');
    await this.sessions.noteProof(sessionId);
    return this.news.tell(actor.id, actor, 'change', { except: sessionId }, context);
  }
}

@CommandHandler(ResetPassword)
export class ResetPasswordHandler implements ICommandHandler<ResetPassword> {
  private readonly news: PasswordNews;

  constructor(
    private readonly users: Users,
    private readonly credentials: Credentials,
    sessions: Sessions,
    end: EndSessionsHandler,
  ) {
    this.news = new PasswordNews(users, sessions, end);
  }

  async execute({ token, newPassword, context }: ResetPassword): Promise<Ended | null | Rejection> {
    const userId = await this.credentials.resetFor(token);
    if (!userId) return null;
    const { state } = await this.users.newest(userId);
    const problem = await passwordProblem(newPassword, state.username);
    if (problem) return reject('Invalid', `The password ${problem}.`);
    if (!(await this.credentials.reset(token, newPassword))) return null;
    return this.news.tell(userId, null, 'reset', 'all', context);
  }
}

@CommandHandler(IssuePasswordReset)
export class IssuePasswordResetHandler implements ICommandHandler<IssuePasswordReset> {
  constructor(
    private readonly users: Users,
    private readonly credentials: Credentials,
  ) {}

  async execute({ userId, actor, context }: IssuePasswordReset): Promise<string | Rejection> {
    const issued = await this.users.send(userId, { type: 'IssuePasswordReset', actor }, context);
    return isRejection(issued) ? issued : this.credentials.issueReset(userId);
  }
}

export const passwordCommandHandlers = [ChangePasswordHandler, ResetPasswordHandler, IssuePasswordResetHandler];
