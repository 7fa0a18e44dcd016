import { Controller, Res } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { UserState } from '@verbatim/domain';
import { botsIn, keepOf, withEach } from '@verbatim/projections';
import type { AnswerOf, BodyOf, NewToken, OwnedToken, Token, User } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import { RegisterUserCommand } from '../../../application/accounts/account-commands.js';
import type { Identity } from '../../../application/accounts/authentication.js';
import { Proving } from '../../../application/sessions/proving.js';
import { CreateTokenCommand, RevokeTokenCommand } from '../../../application/tokens/token-commands.js';
import { ReadModels } from '../../../storage/read-models.js';
import { type NamedToken, PersonalTokens } from '../../../storage/vault/personal-tokens.js';
import { userAnswer } from '../../../wire/user-answer.js';
import { Users } from '../../../write-side/entities.js';
import type { Context } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted, Refusal } from '../../refusal.js';
import { By, Call, Input, type InputOf, NewId, Trace } from '../call.js';
import { type ListOf, listAnswer } from '../list-answer.js';

/** Personal tokens and bots. */
@Controller()
export class TokenController {
  constructor(
    private readonly commands: CommandBus,
    private readonly users: Users,
    private readonly tokens: PersonalTokens,
    private readonly proving: Proving,
    private readonly readModels: ReadModels,
    private readonly readYourWrites: ReadYourWrites,
  ) {}

  @Call('createToken')
  async createToken(
    @Input('createToken') { body }: InputOf<'createToken'>,
    @By() identity: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<NewToken> {
    await this.proving.demandProof(identity);
    return this.create(identity.actor.id, identity, body, context, reply);
  }

  @Call('listTokens')
  listTokens(@By() { actor }: Identity): Promise<AnswerOf<'listTokens'>> {
    return this.list(actor.id);
  }

  @Call('revokeToken')
  revokeToken(
    @Input('revokeToken') { params }: InputOf<'revokeToken'>,
    @By() identity: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    return this.revoke(identity.actor.id, params.id, identity, context, reply);
  }

  @Call('createBot')
  async createBot(
    @Input('createBot') { body }: InputOf<'createBot'>,
    @NewId() userId: string,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<User> {
    const { username, displayName = username } = body;
    const bot = { username, displayName, email: null, role: 'user', origin: 'bot', password: null } as const;
    const made = accepted(await this.commands.execute(new RegisterUserCommand(userId, bot, context)));
    await this.readYourWrites.written(made.position, reply);
    return userAnswer(userId, made.state, true);
  }

  @Call('createTokenOf')
  async createTokenOf(
    @Input('createTokenOf') { params, body }: InputOf<'createTokenOf'>,
    @By() identity: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<NewToken> {
    await this.proving.demandProof(identity);
    return this.create(params.id, identity, body, context, reply);
  }

  @Call('listTokensOf')
  listTokensOf(@Input('listTokensOf') { params }: InputOf<'listTokensOf'>): Promise<AnswerOf<'listTokensOf'>> {
    return this.list(params.id);
  }

  @Call('listAllTokens')
  async listAllTokens(@Input('listAllTokens') { query }: InputOf<'listAllTokens'>): Promise<ListOf<'listAllTokens'>> {
    const { user, bot } = query;
    const wanted = { user, bot: bot && bot === 'true', bots: botsIn(this.readModels.db) };
    const page = await this.tokens.everywhere(wanted, query);
    const held = await withEach(page, async (token) => ({
      token,
      holder: (await this.users.newest(token.userId)).state,
    }));
    const good = keepOf(held, ({ token, holder }) => holder.tokens.includes(token.id));
    return listAnswer(good, ({ token, holder }) => ownedTokenAnswer(token, holder));
  }

  @Call('revokeTokenOf')
  revokeTokenOf(
    @Input('revokeTokenOf') { params }: InputOf<'revokeTokenOf'>,
    @By() identity: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    return this.revoke(params.id, params.tokenId, identity, context, reply);
  }

  private async create(
    userId: string,
    { actor }: Identity,
    wish: BodyOf<'createToken'>,
    context: Context,
    reply: FastifyReply,
  ): Promise<NewToken> {
    const { token, text, position } = accepted(
      await this.commands.execute(new CreateTokenCommand(userId, actor, wish, context)),
    );
    await this.readYourWrites.written(position, reply);
    return { ...tokenAnswer(token), token: text };
  }

  private async list(userId: string): Promise<AnswerOf<'listTokens'>> {
    const { state } = await this.users.newest(userId);
    if (state.status === 'unborn' || state.status === 'abandoned')
      throw new Refusal('not_found', 'There is no such user.');
    const tokens = await this.tokens.of(userId);
    return { items: tokens.filter(({ id }) => state.tokens.includes(id)).map(tokenAnswer), page: { next: null } };
  }

  private async revoke(
    userId: string,
    tokenId: string,
    { actor }: Identity,
    context: Context,
    reply: FastifyReply,
  ): Promise<void> {
    const revoked = accepted(await this.commands.execute(new RevokeTokenCommand(userId, tokenId, actor, context)));
    await this.readYourWrites.written(revoked.position, reply);
  }
}

const ownedTokenAnswer = (token: NamedToken, { username, bot }: UserState): OwnedToken => ({
  ...tokenAnswer(token),
  user: { id: token.userId, username },
  bot,
});

const tokenAnswer = ({ id, name, scopes, createdAt, expiresAt, lastUsedAt }: NamedToken): Token => ({
  id,
  name,
  scopes: [...scopes],
  createdAt: createdAt.toISOString(),
  expiresAt: expiresAt?.toISOString() ?? null,
  lastUsedAt: lastUsedAt?.toISOString() ?? null,
});
