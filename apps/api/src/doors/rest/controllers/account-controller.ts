import type { IncomingMessage } from 'node:http';
import { Controller, Res, StreamableFile } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { Actor } from '@verbatim/domain';
import type { PageRequest, WantedUsers } from '@verbatim/projections';
import type { AnswerOf, NewUser, QueryOf, Session, Ticket, User } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import {
  ChangeUserCommand,
  DeactivateUserCommand,
  LockOutSignInCommand,
  RegisterUserCommand,
  RenewSessionCommand,
  type SignedIn,
  SignInCommand,
  StartSessionCommand,
} from '../../../application/accounts/account-commands.js';
import { GetUserQuery, ListRoomsOfUserQuery, ListUsersQuery } from '../../../application/accounts/account-queries.js';
import type { Identity } from '../../../application/accounts/authentication.js';
import { Registration } from '../../../application/accounts/registration.js';
import { invitedUserId, RegisterInvitedUserCommand } from '../../../application/invitations/invitation-commands.js';
import { IssuePasswordResetCommand } from '../../../application/sessions/password-commands.js';
import { Proving } from '../../../application/sessions/proving.js';
import { RevokeSessionsCommand } from '../../../application/sessions/session-commands.js';
import { Proxies } from '../../../host/proxies.js';
import { Reads } from '../../../limits/reads.js';
import { newId } from '../../../new-id.js';
import { Preferences } from '../../../storage/desk/preferences.js';
import { Attempts } from '../../../storage/limits/attempts.js';
import { RESET_SECONDS } from '../../../storage/vault/credentials.js';
import { Sessions, TICKET_SECONDS } from '../../../storage/vault/sessions.js';
import { roomRowAnswerFor } from '../../../wire/room-answer.js';
import { userAnswer, userRowAnswer } from '../../../wire/user-answer.js';
import { Users } from '../../../write-side/entities.js';
import type { Context } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted, Refusal } from '../../refusal.js';
import { By, Call, From, Input, type InputOf, Trace } from '../call.js';
import { type ListOf, listAnswer } from '../list-answer.js';
import { usersFile } from './users-file.js';

@Controller()
export class AccountController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly users: Users,
    private readonly sessions: Sessions,
    private readonly readYourWrites: ReadYourWrites,
    private readonly registration: Registration,
    private readonly attempts: Attempts,
    private readonly proxies: Proxies,
    private readonly proving: Proving,
    private readonly preferences: Preferences,
    private readonly reads: Reads,
  ) {}

  @Call('register')
  async register(
    @Input('register') { body }: InputOf<'register'>,
    @From() request: IncomingMessage,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    const { mode } = this.registration;
    if (mode === 'closed') throw new Refusal('forbidden', 'Nobody can make an account here at present.');
    if (mode === 'invite' && body.invitation === undefined)
      throw new Refusal('forbidden', 'Making an account here takes an invitation.');
    await this.attempts.registration(this.proxies.addressOf(request));
    const { username, password, displayName = username, email = null, invitation } = body;
    const userId = invitation === undefined ? newId() : invitedUserId(invitation, username);
    const account = { username, password, displayName, email, role: 'user', origin: 'registration' } as const;
    const open =
      invitation === undefined
        ? new RegisterUserCommand(userId, account, context)
        : new RegisterInvitedUserCommand(userId, invitation, account, context);
    accepted(await this.commands.execute(open));
    const session = { userId, how: 'registration', device: this.proxies.deviceOf(request) } as const;
    return this.session(accepted(await this.commands.execute(new StartSessionCommand(session, context))), reply);
  }

  @Call('login')
  async login(
    @Input('login') { body }: InputOf<'login'>,
    @From() request: IncomingMessage,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    const attempt = await this.attempts.signIn(body.username, this.proxies.addressOf(request));
    const recognized = await this.commands.execute(new SignInCommand(body, this.proxies.deviceOf(request), context));
    if (!recognized) {
      // Not waited for: how long the answer takes must not tell whether there is such an account.
      if (attempt.last) void this.commands.execute(new LockOutSignInCommand(body.username, context));
      throw new Refusal('unauthenticated', 'The username, the password or the code is wrong.');
    }
    // The right password alone is no success where a second factor is needed.
    const signedIn = accepted(recognized);
    await attempt.succeeded();
    return this.session(signedIn, reply);
  }

  @Call('refresh')
  async refresh(
    @Input('refresh') { body }: InputOf<'refresh'>,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    const renewed = await this.commands.execute(new RenewSessionCommand(body.refreshToken, context));
    if (!renewed) throw new Refusal('unauthenticated', 'The refresh token is not good any more. Sign in again.');
    return this.session(renewed, reply);
  }

  @Call('logout')
  async logout(@By() { actor, sessionId }: Identity, @Trace() context: Context): Promise<void> {
    accepted(
      await this.commands.execute(new RevokeSessionsCommand(actor.id, { only: sessionId }, actor, 'logout', context)),
    );
  }

  @Call('makeTicket')
  async makeTicket(@By() { actor, sessionId, token }: Identity): Promise<Ticket> {
    const ticket = await this.sessions.issueTicket({ userId: actor.id, sessionId, tokenId: token?.id });
    return { ticket, expiresIn: TICKET_SECONDS };
  }

  @Call('getMe')
  async getMe(@By() { actor }: Identity): Promise<User> {
    const { state } = await this.users.newestKnown(actor.id);
    return userAnswer(actor.id, state, true);
  }

  @Call('changeMe')
  changeMe(
    @Input('changeMe') { body }: InputOf<'changeMe'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<User> {
    return this.change(actor.id, actor, body, context, reply);
  }

  @Call('getPreferences')
  async getPreferences(@By() { actor }: Identity): Promise<AnswerOf<'getPreferences'>> {
    return { preferences: await this.preferences.of(actor.id) };
  }

  @Call('keepPreferences')
  async keepPreferences(
    @Input('keepPreferences') { body }: InputOf<'keepPreferences'>,
    @By() { actor }: Identity,
  ): Promise<void> {
    await this.preferences.keep(actor.id, body.preferences);
  }

  @Call('giveUpAccount')
  async giveUpAccount(
    @Input('giveUpAccount') { body }: InputOf<'giveUpAccount'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    if (!(await this.proving.by(actor.id, body, context))) throw new Refusal('forbidden', 'This is not right.');
    const { position } = accepted(await this.commands.execute(new DeactivateUserCommand(actor, context)));
    await this.readYourWrites.written(position, reply);
  }

  @Call('listUsers')
  async listUsers(
    @Input('listUsers') { query }: InputOf<'listUsers'>,
    @By() { actor }: Identity,
  ): Promise<ListOf<'listUsers'>> {
    const { limit, cursor, sort, order, ...wanted } = query;
    const page = { limit, cursor };
    const found = await this.queries.execute(new ListUsersQuery({ ...usersWanted(actor, wanted), sort, order, page }));
    return listAnswer(found, (user) => userRowAnswer(actor, user));
  }

  @Call('createUser')
  async createUser(
    @Input('createUser') { body }: InputOf<'createUser'>,
    @By() identity: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<NewUser> {
    const { username, displayName = username, email = null, role } = body;
    if (role !== 'user') await this.proving.demandProof(identity);
    const userId = newId();
    const account = { username, displayName, email, role, origin: 'admin', password: null } as const;
    const { actor } = identity;
    const made = accepted(await this.commands.execute(new RegisterUserCommand(userId, account, context, actor)));
    const token = await this.commands.execute(new IssuePasswordResetCommand(userId, actor, context));
    if (typeof token !== 'string') throw Refusal.of(token);
    await this.readYourWrites.written(made.position, reply);
    return { user: userAnswer(userId, made.state, true), passwordReset: { token, expiresIn: RESET_SECONDS } };
  }

  @Call('exportUsers')
  async exportUsers(
    @Input('exportUsers') { query }: InputOf<'exportUsers'>,
    @By() { actor }: Identity,
  ): Promise<StreamableFile> {
    const wanted = usersWanted(actor, query);
    const reader = this.reads.account(actor.id);
    const page = (page: PageRequest) =>
      this.reads.part(reader, () => this.queries.execute(new ListUsersQuery({ ...wanted, sort: 'createdAt', page })));
    return new StreamableFile(usersFile(page, actor), {
      type: 'text/csv; charset=utf-8',
      disposition: 'attachment; filename="people.csv"',
    });
  }

  @Call('getUser')
  async getUser(@Input('getUser') { params }: InputOf<'getUser'>, @By() { actor }: Identity): Promise<User> {
    const user = await this.queries.execute(new GetUserQuery(params.id, actor.role !== 'user'));
    if (!user) throw new Refusal('not_found', 'There is no such user.');
    return userRowAnswer(actor, user);
  }

  @Call('listRoomsOf')
  async listRoomsOf(
    @Input('listRoomsOf') { params, query }: InputOf<'listRoomsOf'>,
    @By() { actor }: Identity,
  ): Promise<ListOf<'listRoomsOf'>> {
    const found = await this.queries.execute(new ListRoomsOfUserQuery(params.id, query));
    if (!found) throw new Refusal('not_found', 'There is no such user.');
    return listAnswer(found, ({ room, ...membership }) => ({ room: roomRowAnswerFor(actor, room), ...membership }));
  }

  @Call('changeUser')
  async changeUser(
    @Input('changeUser') { params, body }: InputOf<'changeUser'>,
    @By() identity: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<User> {
    // Whoever may give an account an address may give it to themselves, by single sign-on.
    if (body.role !== undefined || body.email !== undefined) await this.proving.demandFresh(identity);
    return this.change(params.id, identity.actor, body, context, reply);
  }

  private async change(
    userId: string,
    actor: Actor,
    wishes: Partial<InputOf<'changeUser'>['body']>,
    context: Context,
    reply: FastifyReply,
  ): Promise<User> {
    const changed = accepted(await this.commands.execute(new ChangeUserCommand(userId, actor, wishes, context)));
    await this.readYourWrites.written(changed.position, reply);
    return userAnswer(userId, changed.state, true);
  }

  private async session({ userId, state, position, ...tokens }: SignedIn, reply: FastifyReply): Promise<Session> {
    await this.readYourWrites.written(position, reply);
    return { user: userAnswer(userId, state, true), ...tokens };
  }
}

/** What only administrators, or those who watch over all accounts, are told, others may not look for either. */
function usersWanted({ role }: Actor, query: QueryOf<'exportUsers'>): WantedUsers {
  const { ids, usernames, bot, secondFactor, ...rest } = query;
  const aboutSigningIn = secondFactor !== undefined || rest.signedInFrom || rest.signedInBefore;
  if (role === 'user' && aboutSigningIn)
    throw new Refusal('forbidden', 'Only administrators and auditors may look for how people sign in.');
  return {
    ...rest,
    byEmail: role === 'admin',
    ids: ids?.split(','),
    usernames: usernames?.split(','),
    bot: bot && bot === 'true',
    secondFactor: secondFactor && secondFactor === 'true',
  };
}
