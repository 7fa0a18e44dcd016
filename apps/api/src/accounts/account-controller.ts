import { Controller, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { Actor } from '@verbatim/domain';
import type { AnswerOf, Session, Ticket, User } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import { Users } from '../mailbox/entities.js';
import type { Context } from '../mailbox/mailbox.js';
import { newId } from '../new-id.js';
import { By, Call, Input, type InputOf, Trace } from '../rest/call.js';
import { listAnswer } from '../rest/list-answer.js';
import { ReadYourWrites } from '../rest/read-your-writes.js';
import { accepted, Refusal } from '../rest/refusal.js';
import { Sessions, TICKET_SECONDS } from '../vault/sessions.js';
import {
  EndSession,
  OpenAccount,
  RenewSession,
  ReviseAccount,
  type SignedIn,
  SignIn,
  StartSession,
} from './account-commands.js';
import { FindUsers, GetUser } from './account-queries.js';
import type { Identity } from './authentication.js';
import { maySeeEmail, userAnswer, userRowAnswer } from './user-answer.js';

/** Who may make an account for themselves. */
export class Registration {
  constructor(readonly mode: 'open' | 'invite' | 'closed') {}
}

@Controller()
export class AccountController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly users: Users,
    private readonly sessions: Sessions,
    private readonly readYourWrites: ReadYourWrites,
    private readonly registration: Registration,
  ) {}

  @Call('register')
  async register(
    @Input('register') { body }: InputOf<'register'>,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    if (this.registration.mode !== 'open')
      throw new Refusal('forbidden', 'Nobody can make an account here at present.');
    const { username, password, displayName = username, email = null } = body;
    const userId = newId();
    const account = { username, password, displayName, email, role: 'user', origin: 'registration' } as const;
    accepted(await this.commands.execute(new OpenAccount(userId, account, context)));
    return this.session(accepted(await this.commands.execute(new StartSession(userId, context))), reply);
  }

  @Call('login')
  async login(
    @Input('login') { body }: InputOf<'login'>,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    const signedIn = await this.commands.execute(new SignIn(body.username, body.password, context));
    if (!signedIn) throw new Refusal('unauthenticated', 'The username or the password is wrong.');
    return this.session(accepted(signedIn), reply);
  }

  @Call('refresh')
  async refresh(
    @Input('refresh') { body }: InputOf<'refresh'>,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    const renewed = await this.commands.execute(new RenewSession(body.refreshToken, context));
    if (!renewed) throw new Refusal('unauthenticated', 'The refresh token is not good any more. Sign in again.');
    return this.session(renewed, reply);
  }

  @Call('logout')
  async logout(@By() { actor, sessionId }: Identity, @Trace() context: Context): Promise<void> {
    accepted(await this.commands.execute(new EndSession(actor.id, sessionId, actor, 'logout', context)));
  }

  @Call('makeTicket')
  async makeTicket(@By() { actor, sessionId }: Identity): Promise<Ticket> {
    const ticket = await this.sessions.issueTicket({ userId: actor.id, sessionId });
    return { ticket, expiresIn: TICKET_SECONDS };
  }

  @Call('getMe')
  async getMe(@By() { actor }: Identity): Promise<User> {
    const { state } = await this.users.newest(actor.id);
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

  @Call('listUsers')
  async listUsers(
    @Input('listUsers') { query }: InputOf<'listUsers'>,
    @By() { actor }: Identity,
  ): Promise<AnswerOf<'listUsers'>> {
    const { limit, cursor, status, ...rest } = query;
    const suspended = status && status === 'suspended';
    const found = await this.queries.execute(new FindUsers({ ...rest, suspended, page: { limit, cursor } }));
    return listAnswer(found, (user) => userRowAnswer(user, maySeeEmail(actor, user.id)));
  }

  @Call('getUser')
  async getUser(@Input('getUser') { params }: InputOf<'getUser'>, @By() { actor }: Identity): Promise<User> {
    const user = await this.queries.execute(new GetUser(params.id));
    if (!user) throw new Refusal('not_found', 'There is no such user.');
    return userRowAnswer(user, maySeeEmail(actor, user.id));
  }

  @Call('changeUser')
  changeUser(
    @Input('changeUser') { params, body }: InputOf<'changeUser'>,
    @By() { actor }: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<User> {
    return this.change(params.id, actor, body, context, reply);
  }

  private async change(
    userId: string,
    actor: Actor,
    wishes: Partial<InputOf<'changeUser'>['body']>,
    context: Context,
    reply: FastifyReply,
  ): Promise<User> {
    const changed = accepted(await this.commands.execute(new ReviseAccount(userId, actor, wishes, context)));
    await this.readYourWrites.written(changed.position, reply);
    return userAnswer(userId, changed.state, true);
  }

  private async session({ userId, state, position, ...tokens }: SignedIn, reply: FastifyReply): Promise<Session> {
    await this.readYourWrites.written(position, reply);
    return { user: userAnswer(userId, state, true), ...tokens };
  }
}
