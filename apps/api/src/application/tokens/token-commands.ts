import { Injectable } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, type Rejection, reject, type TokenScope } from '@verbatim/domain';
import { Time } from '../../clock.js';
import { newId } from '../../new-id.js';
import { type NamedToken, PersonalTokens } from '../../storage/vault/personal-tokens.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import { Standing } from '../accounts/standing.js';
import type { Identity } from '../sessions/authentication.js';
import { Proving } from '../sessions/proving.js';

const DAY_MS = 86_400_000;

export interface NewToken {
  readonly token: NamedToken;
  /** The token itself, which can be shown only now. */
  readonly text: string;
  readonly position: bigint;
}

/** Revokes personal tokens. */
@Injectable()
export class TokenRevoker {
  constructor(
    private readonly users: Users,
    private readonly tokens: PersonalTokens,
  ) {}

  async revoke(
    userId: string,
    tokenId: string,
    actor: Actor,
    context: Context,
  ): Promise<{ position: bigint } | Rejection> {
    const { state } = await this.users.newest(userId);
    if (!state.tokens.includes(tokenId)) return reject('NotFound', 'There is no such token.');
    const revoked = await this.users.send(userId, { type: 'RevokeToken', actor, userId, tokenId }, context);
    if (!isRejection(revoked)) await this.tokens.remove(tokenId);
    return revoked;
  }
}

/** Revokes a token for good, at every door of every replica. */
export class RevokeTokenCommand extends Command<{ readonly position: bigint } | Rejection> {
  constructor(
    readonly userId: string,
    readonly tokenId: string,
    readonly actor: Actor,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(RevokeTokenCommand)
export class RevokeTokenHandler implements ICommandHandler<RevokeTokenCommand> {
  constructor(private readonly revoker: TokenRevoker) {}

  execute({ userId, tokenId, actor, context }: RevokeTokenCommand): Promise<{ position: bigint } | Rejection> {
    return this.revoker.revoke(userId, tokenId, actor, context);
  }
}

/** Creates a personal token of the caller or of a bot. Requires a recent proof of identity. */
export class CreateTokenCommand extends Command<NewToken | Rejection> {
  constructor(
    readonly userId: string,
    readonly identity: Identity,
    readonly wanted: {
      readonly name: string;
      readonly scopes: readonly TokenScope[];
      readonly expiresInDays: number | null;
    },
    readonly context: Context,
  ) {
    super();
  }
}

/** The token is stored first and works once the event is recorded: an interruption leaves nothing that works. */
@CommandHandler(CreateTokenCommand)
export class CreateTokenHandler implements ICommandHandler<CreateTokenCommand> {
  constructor(
    private readonly users: Users,
    private readonly tokens: PersonalTokens,
    private readonly time: Time,
    private readonly standing: Standing,
    private readonly revoker: TokenRevoker,
    private readonly proving: Proving,
  ) {}

  async execute(command: CreateTokenCommand): Promise<NewToken | Rejection> {
    const { userId, identity, context } = command;
    const { actor } = identity;
    const unproved = await this.proving.demandProof(identity);
    if (unproved) return unproved;
    // An account checks its own standing; it cannot check that of an administrator who creates a token for a bot.
    if (actor.id === userId) return this.create(command);
    return this.standing.whileIn(
      actor,
      () => this.create(command),
      ({ token }) => this.revoker.revoke(userId, token.id, actor, context),
    );
  }

  private async create({ userId, identity, wanted, context }: CreateTokenCommand): Promise<NewToken | Rejection> {
    const { actor } = identity;
    const { name, scopes, expiresInDays } = wanted;
    const id = newId();
    const expiresAt = expiresInDays === null ? null : new Date(this.time.now().getTime() + expiresInDays * DAY_MS);
    const issued = await this.tokens.issue({ id, userId, name, scopes, expiresAt });
    const command = { type: 'CreateToken', actor, userId, tokenId: id, name, scopes } as const;
    const created = await this.users.send(userId, { ...command, expiresAt: expiresAt?.toISOString() ?? null }, context);
    // If the outcome is unknown, nobody has the token, and its owner can revoke it.
    if (!isRejection(created)) return { ...issued, position: created.position };
    if (created.rejected !== 'Unavailable') await this.tokens.remove(id);
    return created;
  }
}

export const tokenCommandHandlers = [TokenRevoker, CreateTokenHandler, RevokeTokenHandler];
