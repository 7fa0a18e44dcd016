import { Controller } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type {
  LiveSession,
  NewTotp,
  OwnedSession,
  PasswordReset,
  PublicKeys,
  RecoveryCodes,
  TotpStatus,
} from '@verbatim/protocol';
import type { Identity } from '../../../application/accounts/authentication.js';
import {
  ChangePasswordCommand,
  IssuePasswordResetCommand,
  ResetPasswordCommand,
} from '../../../application/sessions/password-commands.js';
import { Proving } from '../../../application/sessions/proving.js';
import {
  BeginTotpCommand,
  DisableTotpCommand,
  DisableTotpOfUserCommand,
  EnableTotpCommand,
  IssueRecoveryCodesCommand,
} from '../../../application/sessions/second-factor-commands.js';
import { SecondFactorPolicy } from '../../../application/sessions/second-factor-policy.js';
import { noSuchSession, RevokeSessionsCommand } from '../../../application/sessions/session-commands.js';
import { Directory } from '../../../storage/directory.js';
import { AccessTokens } from '../../../storage/vault/access-tokens.js';
import { RESET_SECONDS } from '../../../storage/vault/credentials.js';
import { SecondFactors } from '../../../storage/vault/second-factors.js';
import { Sessions } from '../../../storage/vault/sessions.js';
import { Users } from '../../../write-side/entities.js';
import type { Context } from '../../../write-side/mailbox.js';
import { accepted, Refusal } from '../../refusal.js';
import { By, Call, Input, type InputOf, Trace } from '../call.js';
import { type ListOf, listAnswer } from '../list-answer.js';

@Controller()
export class SessionController {
  constructor(
    private readonly commands: CommandBus,
    private readonly users: Users,
    private readonly sessions: Sessions,
    private readonly directory: Directory,
    private readonly factors: SecondFactors,
    private readonly tokens: AccessTokens,
    private readonly proving: Proving,
    private readonly policy: SecondFactorPolicy,
  ) {}

  // Sessions --------------------------------------------------------------------------------------------------------

  @Call('listMySessions')
  async listMySessions(
    @Input('listMySessions') { query }: InputOf<'listMySessions'>,
    @By() { actor, sessionId }: Identity,
  ): Promise<ListOf<'listMySessions'>> {
    const page = await this.sessions.live(actor.id, query, 'my sessions');
    return listAnswer(page, (session): LiveSession => ({ ...session, current: session.id === sessionId }));
  }

  @Call('endMySession')
  async endMySession(
    @Input('endMySession') { params }: InputOf<'endMySession'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
  ): Promise<void> {
    const end = new RevokeSessionsCommand(actor.id, { only: params.id }, actor, 'revoked', context);
    if (accepted(await this.commands.execute(end)).sessions === 0) throw Refusal.of(noSuchSession);
  }

  @Call('endMyOtherSessions')
  async endMyOtherSessions(@By() { actor, sessionId }: Identity, @Trace() context: Context): Promise<void> {
    accepted(
      await this.commands.execute(
        new RevokeSessionsCommand(actor.id, { except: sessionId }, actor, 'revoked', context),
      ),
    );
  }

  @Call('listSessions')
  async listSessions(
    @Input('listSessions') { params, query }: InputOf<'listSessions'>,
    @By() { sessionId }: Identity,
  ): Promise<ListOf<'listSessions'>> {
    await this.demandUser(params.id);
    const page = await this.sessions.live(params.id, query, 'sessions');
    return listAnswer(page, (session): LiveSession => ({ ...session, current: session.id === sessionId }));
  }

  @Call('listAllSessions')
  async listAllSessions(
    @Input('listAllSessions') { query }: InputOf<'listAllSessions'>,
    @By() { sessionId }: Identity,
  ): Promise<ListOf<'listAllSessions'>> {
    const page = await this.sessions.everywhere(query.user ?? null, query);
    const people = await this.directory.people(page.items.map(({ userId }) => userId));
    return listAnswer(page, ({ userId, ...session }): OwnedSession => {
      const user = people.get(userId) ?? { id: userId, username: '' };
      return { ...session, user, current: session.id === sessionId };
    });
  }

  @Call('endSession')
  async endSession(
    @Input('endSession') { params }: InputOf<'endSession'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
  ): Promise<void> {
    const end = new RevokeSessionsCommand(params.id, { only: params.sessionId }, actor, 'revoked', context);
    if (accepted(await this.commands.execute(end)).sessions === 0) throw Refusal.of(noSuchSession);
  }

  @Call('endSessions')
  async endSessions(
    @Input('endSessions') { params }: InputOf<'endSessions'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
  ): Promise<void> {
    await this.demandUser(params.id);
    accepted(await this.commands.execute(new RevokeSessionsCommand(params.id, 'all', actor, 'revoked', context)));
  }

  // Passwords -------------------------------------------------------------------------------------------------------

  @Call('changePassword')
  async changePassword(
    @Input('changePassword') { body }: InputOf<'changePassword'>,
    @By() identity: Identity,
    @Trace() context: Context,
  ): Promise<void> {
    await this.proving.demandFresh(identity);
    const { currentPassword, newPassword } = body;
    accepted(await this.commands.execute(new ChangePasswordCommand(identity, currentPassword, newPassword, context)));
  }

  @Call('issuePasswordReset')
  async issuePasswordReset(
    @Input('issuePasswordReset') { params }: InputOf<'issuePasswordReset'>,
    @By() identity: Identity,
    @Trace() context: Context,
  ): Promise<PasswordReset> {
    await this.proving.demandFresh(identity);
    const token = await this.commands.execute(new IssuePasswordResetCommand(params.id, identity.actor, context));
    if (typeof token !== 'string') throw Refusal.of(token);
    return { token, expiresIn: RESET_SECONDS };
  }

  @Call('resetPassword')
  async resetPassword(
    @Input('resetPassword') { body }: InputOf<'resetPassword'>,
    @Trace() context: Context,
  ): Promise<void> {
    const reset = await this.commands.execute(new ResetPasswordCommand(body.token, body.newPassword, context));
    if (!reset)
      throw new Refusal('unauthenticated', 'The token is not good any more. Ask an administrator for another.');
    accepted(reset);
  }

  // Second factor ---------------------------------------------------------------------------------------------------

  @Call('getTotp')
  async getTotp(@By() { actor }: Identity): Promise<TotpStatus> {
    const { totpId, role } = (await this.users.newest(actor.id)).state;
    const recoveryCodesLeft = totpId === null ? 0 : await this.factors.recoveryCodesLeft(totpId);
    return { enabled: totpId !== null, required: this.policy.demands(role), recoveryCodesLeft };
  }

  @Call('beginTotp')
  async beginTotp(@By() identity: Identity): Promise<NewTotp> {
    await this.proving.demandProof(identity);
    const { secret, uri } = accepted(await this.commands.execute(new BeginTotpCommand(identity.actor)));
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
    await this.proving.demandProof(identity);
    await this.demandUser(params.id);
    accepted(await this.commands.execute(new DisableTotpOfUserCommand(params.id, identity.actor, context)));
  }

  @Call('renewRecoveryCodes')
  async renewRecoveryCodes(@By() identity: Identity, @Trace() context: Context): Promise<RecoveryCodes> {
    await this.proving.demandFresh(identity);
    return accepted(await this.commands.execute(new IssueRecoveryCodesCommand(identity.actor, context)));
  }

  @Call('stepUp')
  async stepUp(
    @Input('stepUp') { body }: InputOf<'stepUp'>,
    @By() { actor, sessionId }: Identity,
    @Trace() context: Context,
  ): Promise<void> {
    if (!(await this.proving.by(actor.id, body, context))) throw new Refusal('forbidden', 'This is not right.');
    await this.sessions.noteProof(sessionId);
  }

  // Keys ------------------------------------------------------------------------------------------------------------

  @Call('listPublicKeys')
  async listPublicKeys(): Promise<PublicKeys> {
    return { keys: await this.tokens.published() };
  }

  private async demandUser(id: string): Promise<void> {
    const { status } = (await this.users.current(id)).state;
    if (status === 'unborn' || status === 'abandoned') throw new Refusal('not_found', 'There is no such user.');
  }
}
