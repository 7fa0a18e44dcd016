import { Controller } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type {
  LiveSession,
  NewTotp,
  OwnedSession,
  PasswordReset,
  PublicKeys,
  RecoveryCodes,
  TotpStatus,
} from '@verbatim/protocol';
import type { Identity } from '../../../application/sessions/authentication.js';
import {
  ChangePasswordCommand,
  IssuePasswordResetCommand,
  ResetPasswordCommand,
} from '../../../application/sessions/password-commands.js';
import {
  BeginTotpCommand,
  DisableTotpCommand,
  DisableTotpOfUserCommand,
  EnableTotpCommand,
  IssueRecoveryCodesCommand,
} from '../../../application/sessions/second-factor-commands.js';
import { RevokeSessionsCommand, StepUpCommand } from '../../../application/sessions/session-commands.js';
import {
  GetSecondFactorQuery,
  ListAllSessionsQuery,
  ListPublicKeysQuery,
  ListSessionsQuery,
} from '../../../application/sessions/session-queries.js';
import type { Context } from '../../../write-side/mailbox.js';
import { accepted } from '../../refusal.js';
import { By, Call, Input, type InputOf, Trace } from '../call.js';
import { type ListOf, listAnswer } from '../list-answer.js';

@Controller()
export class SessionController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  // Sessions --------------------------------------------------------------------------------------------------------

  @Call('listMySessions')
  async listMySessions(
    @Input('listMySessions') { query }: InputOf<'listMySessions'>,
    @By() { actor, sessionId }: Identity,
  ): Promise<ListOf<'listMySessions'>> {
    const page = accepted(await this.queries.execute(new ListSessionsQuery(actor.id, query, 'my sessions')));
    return listAnswer(page, (session): LiveSession => ({ ...session, current: session.id === sessionId }));
  }

  @Call('endMySession')
  async endMySession(
    @Input('endMySession') { params }: InputOf<'endMySession'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
  ): Promise<void> {
    accepted(await this.commands.execute(new RevokeSessionsCommand(actor.id, { only: params.id }, actor, context)));
  }

  @Call('endMyOtherSessions')
  async endMyOtherSessions(@By() { actor, sessionId }: Identity, @Trace() context: Context): Promise<void> {
    accepted(await this.commands.execute(new RevokeSessionsCommand(actor.id, { except: sessionId }, actor, context)));
  }

  @Call('listSessions')
  async listSessions(
    @Input('listSessions') { params, query }: InputOf<'listSessions'>,
    @By() { sessionId }: Identity,
  ): Promise<ListOf<'listSessions'>> {
    const page = accepted(await this.queries.execute(new ListSessionsQuery(params.id, query, 'sessions')));
    return listAnswer(page, (session): LiveSession => ({ ...session, current: session.id === sessionId }));
  }

  @Call('listAllSessions')
  async listAllSessions(
    @Input('listAllSessions') { query }: InputOf<'listAllSessions'>,
    @By() { sessionId }: Identity,
  ): Promise<ListOf<'listAllSessions'>> {
    const page = await this.queries.execute(new ListAllSessionsQuery(query.user ?? null, query));
    return listAnswer(
      page,
      ({ userId: _, person, ...session }): OwnedSession => ({
        ...session,
        user: person,
        current: session.id === sessionId,
      }),
    );
  }

  @Call('endSession')
  async endSession(
    @Input('endSession') { params }: InputOf<'endSession'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
  ): Promise<void> {
    const which = { only: params.sessionId };
    accepted(await this.commands.execute(new RevokeSessionsCommand(params.id, which, actor, context)));
  }

  @Call('endSessions')
  async endSessions(
    @Input('endSessions') { params }: InputOf<'endSessions'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
  ): Promise<void> {
    accepted(await this.commands.execute(new RevokeSessionsCommand(params.id, 'all', actor, context)));
  }

  // Passwords -------------------------------------------------------------------------------------------------------

  @Call('changePassword')
  async changePassword(
    @Input('changePassword') { body }: InputOf<'changePassword'>,
    @By() identity: Identity,
    @Trace() context: Context,
  ): Promise<void> {
    const { currentPassword, newPassword } = body;
    accepted(await this.commands.execute(new ChangePasswordCommand(identity, currentPassword, newPassword, context)));
  }

  @Call('issuePasswordReset')
  async issuePasswordReset(
    @Input('issuePasswordReset') { params }: InputOf<'issuePasswordReset'>,
    @By() identity: Identity,
    @Trace() context: Context,
  ): Promise<PasswordReset> {
    return accepted(await this.commands.execute(new IssuePasswordResetCommand(params.id, identity, context)));
  }

  @Call('resetPassword')
  async resetPassword(
    @Input('resetPassword') { body }: InputOf<'resetPassword'>,
    @Trace() context: Context,
  ): Promise<void> {
    accepted(await this.commands.execute(new ResetPasswordCommand(body.token, body.newPassword, context)));
  }

  // Second factor ---------------------------------------------------------------------------------------------------

  @Call('getTotp')
  getTotp(@By() { actor }: Identity): Promise<TotpStatus> {
    return this.queries.execute(new GetSecondFactorQuery(actor.id));
  }

  @Call('beginTotp')
  async beginTotp(@By() identity: Identity): Promise<NewTotp> {
    const { secret, uri } = accepted(await this.commands.execute(new BeginTotpCommand(identity)));
    return { secret, uri };
  }

  @Call('confirmTotp')
  async confirmTotp(
    @Input('confirmTotp') { body }: InputOf<'confirmTotp'>,
    @By() identity: Identity,
    @Trace() context: Context,
  ): Promise<RecoveryCodes> {
    return accepted(await this.commands.execute(new EnableTotpCommand(identity, body.code, context)));
  }

  @Call('removeTotp')
  async removeTotp(
    @Input('removeTotp') { body }: InputOf<'removeTotp'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
  ): Promise<void> {
    accepted(await this.commands.execute(new DisableTotpCommand(actor, body, context)));
  }

  @Call('removeTotpOf')
  async removeTotpOf(
    @Input('removeTotpOf') { params }: InputOf<'removeTotpOf'>,
    @By() identity: Identity,
    @Trace() context: Context,
  ): Promise<void> {
    accepted(await this.commands.execute(new DisableTotpOfUserCommand(params.id, identity, context)));
  }

  @Call('renewRecoveryCodes')
  async renewRecoveryCodes(@By() identity: Identity, @Trace() context: Context): Promise<RecoveryCodes> {
    return accepted(await this.commands.execute(new IssueRecoveryCodesCommand(identity, context)));
  }

  @Call('stepUp')
  async stepUp(
    @Input('stepUp') { body }: InputOf<'stepUp'>,
    @By() identity: Identity,
    @Trace() context: Context,
  ): Promise<void> {
    accepted(await this.commands.execute(new StepUpCommand(identity, body, context)));
  }

  // Keys ------------------------------------------------------------------------------------------------------------

  @Call('listPublicKeys')
  async listPublicKeys(): Promise<PublicKeys> {
    return { keys: await this.queries.execute(new ListPublicKeysQuery()) };
  }
}
