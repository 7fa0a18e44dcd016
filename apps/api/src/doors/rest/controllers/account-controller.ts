import type { IncomingMessage } from 'node:http';
import { Controller, Res, StreamableFile } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { Rejection, UserState } from '@verbatim/domain';
import type { PageRequest } from '@verbatim/projections';
import type { AnswerOf, NewUser, QueryOf, Session, Ticket, User } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import {
  ChangeProfileCommand,
  ChangeUserCommand,
  CreateUserCommand,
  DeactivateUserCommand,
  KeepPreferencesCommand,
} from '../../../application/accounts/account-commands.js';
import {
  GetAccountQuery,
  GetPreferencesQuery,
  GetUserQuery,
  ListRoomsOfUserQuery,
  ListUsersQuery,
} from '../../../application/accounts/account-queries.js';
import { RegisterUserCommand } from '../../../application/registration/register-user.js';
import type { Identity } from '../../../application/sessions/authentication.js';
import {
  IssueTicketCommand,
  RenewSessionCommand,
  SignOutCommand,
} from '../../../application/sessions/session-commands.js';
import type { SignedIn } from '../../../application/sessions/session-starter.js';
import { SignInCommand } from '../../../application/sessions/sign-in.js';
import { Proxies } from '../../../host/proxies.js';
import { Reads } from '../../../limits/reads.js';
import { roomRowAnswerFor } from '../../../wire/room-answer.js';
import { userAnswer, userRowAnswer } from '../../../wire/user-answer.js';
import type { Context, Decided } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted } from '../../refusal.js';
import { By, Call, From, Input, type InputOf, Trace } from '../call.js';
import { type ListOf, listAnswer } from '../list-answer.js';
import { usersFile } from './users-file.js';

@Controller()
export class AccountController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readYourWrites: ReadYourWrites,
    private readonly proxies: Proxies,
    private readonly reads: Reads,
  ) {}

  @Call('register')
  async register(
    @Input('register') { body }: InputOf<'register'>,
    @From() request: IncomingMessage,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    const register = new RegisterUserCommand(body, this.proxies.clientOf(request), context);
    return this.session(await this.commands.execute(register), reply);
  }

  @Call('login')
  async login(
    @Input('login') { body }: InputOf<'login'>,
    @From() request: IncomingMessage,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    const signIn = new SignInCommand(body, this.proxies.clientOf(request), context);
    return this.session(await this.commands.execute(signIn), reply);
  }

  @Call('refresh')
  async refresh(
    @Input('refresh') { body }: InputOf<'refresh'>,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    return this.session(await this.commands.execute(new RenewSessionCommand(body.refreshToken, context)), reply);
  }

  @Call('logout')
  async logout(@By() identity: Identity, @Trace() context: Context): Promise<void> {
    accepted(await this.commands.execute(new SignOutCommand(identity, context)));
  }

  @Call('makeTicket')
  makeTicket(@By() identity: Identity): Promise<Ticket> {
    return this.commands.execute(new IssueTicketCommand(identity));
  }

  @Call('getMe')
  async getMe(@By() { actor }: Identity): Promise<User> {
    return userAnswer(actor.id, await this.queries.execute(new GetAccountQuery(actor.id)), true);
  }

  @Call('changeMe')
  async changeMe(
    @Input('changeMe') { body }: InputOf<'changeMe'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<User> {
    const changed = await this.commands.execute(new ChangeProfileCommand(actor, body, context));
    return this.changed(actor.id, changed, reply);
  }

  @Call('getPreferences')
  async getPreferences(@By() { actor }: Identity): Promise<AnswerOf<'getPreferences'>> {
    return { preferences: await this.queries.execute(new GetPreferencesQuery(actor.id)) };
  }

  @Call('keepPreferences')
  async keepPreferences(
    @Input('keepPreferences') { body }: InputOf<'keepPreferences'>,
    @By() { actor }: Identity,
  ): Promise<void> {
    await this.commands.execute(new KeepPreferencesCommand(actor.id, body.preferences));
  }

  @Call('giveUpAccount')
  async giveUpAccount(
    @Input('giveUpAccount') { body }: InputOf<'giveUpAccount'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { position } = accepted(await this.commands.execute(new DeactivateUserCommand(actor, body, context)));
    await this.readYourWrites.written(position, reply);
  }

  @Call('listUsers')
  async listUsers(
    @Input('listUsers') { query }: InputOf<'listUsers'>,
    @By() { actor }: Identity,
  ): Promise<ListOf<'listUsers'>> {
    const { limit, cursor, sort, order, ...wanted } = query;
    const list = new ListUsersQuery(actor, { ...usersWanted(wanted), sort, order, page: { limit, cursor } });
    return listAnswer(accepted(await this.queries.execute(list)), (user) => userRowAnswer(actor, user));
  }

  @Call('createUser')
  async createUser(
    @Input('createUser') { body }: InputOf<'createUser'>,
    @By() identity: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<NewUser> {
    const { username, displayName = username, email = null, role } = body;
    const create = new CreateUserCommand(identity, { username, displayName, email, role }, context);
    const { userId, state, position, reset } = accepted(await this.commands.execute(create));
    await this.readYourWrites.written(position, reply);
    return { user: userAnswer(userId, state, true), passwordReset: reset };
  }

  @Call('exportUsers')
  async exportUsers(
    @Input('exportUsers') { query }: InputOf<'exportUsers'>,
    @By() { actor }: Identity,
  ): Promise<StreamableFile> {
    const wanted = usersWanted(query);
    const reader = this.reads.account(actor.id);
    const page = (page: PageRequest) =>
      this.reads.part(reader, async () =>
        accepted(await this.queries.execute(new ListUsersQuery(actor, { ...wanted, sort: 'createdAt', page }))),
      );
    return new StreamableFile(usersFile(page, actor), {
      type: 'text/csv; charset=utf-8',
      disposition: 'attachment; filename="people.csv"',
    });
  }

  @Call('getUser')
  async getUser(@Input('getUser') { params }: InputOf<'getUser'>, @By() { actor }: Identity): Promise<User> {
    return userRowAnswer(actor, accepted(await this.queries.execute(new GetUserQuery(params.id, actor))));
  }

  @Call('listRoomsOf')
  async listRoomsOf(
    @Input('listRoomsOf') { params, query }: InputOf<'listRoomsOf'>,
    @By() { actor }: Identity,
  ): Promise<ListOf<'listRoomsOf'>> {
    const found = accepted(await this.queries.execute(new ListRoomsOfUserQuery(params.id, query)));
    return listAnswer(found, ({ room, ...membership }) => ({ room: roomRowAnswerFor(actor, room), ...membership }));
  }

  @Call('changeUser')
  async changeUser(
    @Input('changeUser') { params, body }: InputOf<'changeUser'>,
    @By() identity: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<User> {
    const changed = await this.commands.execute(new ChangeUserCommand(params.id, identity, body, context));
    return this.changed(params.id, changed, reply);
  }

  private async changed(userId: string, outcome: Decided<UserState> | Rejection, reply: FastifyReply): Promise<User> {
    const { state, position } = accepted(outcome);
    await this.readYourWrites.written(position, reply);
    return userAnswer(userId, state, true);
  }

  private async session(outcome: SignedIn | Rejection, reply: FastifyReply): Promise<Session> {
    const { userId, state, position, accessToken, expiresIn, refreshToken } = accepted(outcome);
    await this.readYourWrites.written(position, reply);
    return { user: userAnswer(userId, state, true), accessToken, expiresIn, refreshToken };
  }
}

/** The filters of a list of users, parsed from the query. */
function usersWanted({ ids, usernames, bot, secondFactor, ...rest }: QueryOf<'exportUsers'>) {
  return {
    ...rest,
    ids: ids?.split(','),
    usernames: usernames?.split(','),
    bot: bot && bot === 'true',
    secondFactor: secondFactor && secondFactor === 'true',
  };
}
