import { Controller, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { AnswerOf, BodyOf, NewToken, OwnedToken, Token, User } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import { CreateBotCommand } from '../../../application/accounts/account-commands.js';
import type { Identity } from '../../../application/sessions/authentication.js';
import { CreateTokenCommand, RevokeTokenCommand } from '../../../application/tokens/token-commands.js';
import {
  type OwnedToken as FoundToken,
  ListAllTokensQuery,
  ListTokensQuery,
} from '../../../application/tokens/token-queries.js';
import type { NamedToken } from '../../../storage/vault/personal-tokens.js';
import { userAnswer } from '../../../wire/user-answer.js';
import type { Context } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted } from '../../refusal.js';
import { By, Call, Input, type InputOf, NewId, Trace } from '../call.js';
import { type ListOf, listAnswer } from '../list-answer.js';

/** Personal tokens and bots. */
@Controller()
export class TokenController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readYourWrites: ReadYourWrites,
  ) {}

  @Call('createToken')
  createToken(
    @Input('createToken') { body }: InputOf<'createToken'>,
    @By() identity: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<NewToken> {
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
    const create = new CreateBotCommand(userId, { username, displayName }, context);
    const made = accepted(await this.commands.execute(create));
    await this.readYourWrites.written(made.position, reply);
    return userAnswer(userId, made.state, true);
  }

  @Call('createTokenOf')
  createTokenOf(
    @Input('createTokenOf') { params, body }: InputOf<'createTokenOf'>,
    @By() identity: Identity,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<NewToken> {
    return this.create(params.id, identity, body, context, reply);
  }

  @Call('listTokensOf')
  listTokensOf(@Input('listTokensOf') { params }: InputOf<'listTokensOf'>): Promise<AnswerOf<'listTokensOf'>> {
    return this.list(params.id);
  }

  @Call('listAllTokens')
  async listAllTokens(@Input('listAllTokens') { query }: InputOf<'listAllTokens'>): Promise<ListOf<'listAllTokens'>> {
    const { user, bot } = query;
    const list = new ListAllTokensQuery({ user, bot: bot && bot === 'true' }, query);
    return listAnswer(await this.queries.execute(list), ownedTokenAnswer);
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
    identity: Identity,
    wanted: BodyOf<'createToken'>,
    context: Context,
    reply: FastifyReply,
  ): Promise<NewToken> {
    const { token, text, position } = accepted(
      await this.commands.execute(new CreateTokenCommand(userId, identity, wanted, context)),
    );
    await this.readYourWrites.written(position, reply);
    return { ...tokenAnswer(token), token: text };
  }

  private async list(userId: string): Promise<AnswerOf<'listTokens'>> {
    const tokens = accepted(await this.queries.execute(new ListTokensQuery(userId)));
    return { items: tokens.map(tokenAnswer), page: { next: null } };
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

const ownedTokenAnswer = ({ token, owner }: FoundToken): OwnedToken => ({
  ...tokenAnswer(token),
  user: { id: token.userId, username: owner.username },
  bot: owner.bot,
});

const tokenAnswer = ({ id, name, scopes, createdAt, expiresAt, lastUsedAt }: NamedToken): Token => ({
  id,
  name,
  scopes: [...scopes],
  createdAt: createdAt.toISOString(),
  expiresAt: expiresAt?.toISOString() ?? null,
  lastUsedAt: lastUsedAt?.toISOString() ?? null,
});
