import { Injectable } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, type Rejection, reject, type TokenScope } from '@verbatim/domain';
import { Time } from '../../clock.js';
import { newId } from '../../new-id.js';
import { type NamedToken, type PersonalToken, PersonalTokens } from '../../storage/vault/personal-tokens.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import { Standing } from '../accounts/standing.js';
import type { Identity } from '../sessions/authentication.js';
import { Proving } from '../sessions/proving.js';

const DAY_MS = 86_400_000;

export interface NewToken {
  readonly token: NamedToken;
  /** The token itself, shown only once. */
  readonly text: string;
  readonly position: bigint;
}

/** Revokes personal tokens, each after its children, so that what an interruption leaves is found again by its parent. */
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
    const ended = !state.tokens.includes(tokenId);
    // After an interruption, a token that has ended may still have live children.
    if (ended && (await this.tokens.createdWith(tokenId, userId)).length === 0)
      return reject('NotFound', 'There is no such token.');
    const refused = await this.revokeCreatedWith(userId, tokenId, actor, context);
    if (refused) return refused;
    const revoked = await this.users.send(userId, { type: 'RevokeToken', actor, userId, tokenId }, context);
    if (isRejection(revoked)) return revoked;
    // Again, for children created meanwhile; from now on there are no new ones.
    const refusedLate = await this.revokeCreatedWith(userId, tokenId, actor, context);
    if (refusedLate) return refusedLate;
    await this.tokens.remove(tokenId);
    return revoked;
  }

  /** Revokes the children of a token; returns why not, or null. */
  private async revokeCreatedWith(
    userId: string,
    tokenId: string,
    actor: Actor,
    context: Context,
  ): Promise<Rejection | null> {
    for (const child of await this.tokens.createdWith(tokenId, userId)) {
      const revoked = await this.revoke(userId, child, actor, context);
      if (!isRejection(revoked)) continue;
      if (revoked.rejected !== 'NotFound') return revoked;
      // It has ended, or was never created.
      await this.tokens.remove(child);
    }
    return null;
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

/**
 * Creates a personal token for the caller or a bot. Requires a recent proof of identity. With a personal token, a caller
 * can create one for themselves that allows no more, ends no later, and is revoked with it: no one gains access by that.
 */
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

/** The token is stored first and works once the event is recorded: an interruption leaves nothing usable. */
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
    const refused = identity.token && actor.id === userId ? beyond(identity.token, command) : null;
    const unproved = identity.token && actor.id === userId ? refused : await this.proving.demandProof(identity);
    if (unproved) return unproved;
    // An account checks its own standing, but not that of an administrator who creates a token for a bot.
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
    const parent = identity.token;
    const wantedEnd = expiresInDays === null ? null : new Date(this.time.now().getTime() + expiresInDays * DAY_MS);
    const expiresAt = earlier(wantedEnd, parent?.expiresAt ?? null);
    const issued = await this.tokens.issue({ id, userId, name, scopes, expiresAt, parentId: parent?.id ?? null });
    const command = { type: 'CreateToken', actor, userId, tokenId: id, name, scopes } as const;
    const created = await this.users.send(userId, { ...command, expiresAt: expiresAt?.toISOString() ?? null }, context);
    // If the outcome is unknown, no one has the token, and its owner can revoke it.
    if (!isRejection(created)) {
      if (!parent || created.state.tokens.includes(parent.id)) return { ...issued, position: created.position };
      await this.revoker.revoke(userId, id, actor, context);
      return reject('Unauthenticated', 'The token with which this one was to be created has just been revoked.');
    }
    if (created.rejected !== 'Unavailable') await this.tokens.remove(id);
    return created;
  }
}

/** Why a token may not create this one, or null. */
function beyond(token: PersonalToken, { wanted: { scopes } }: CreateTokenCommand): Rejection | null {
  return scopes.every((scope) => token.scopes.has(scope))
    ? null
    : reject('NotAllowed', 'A token can only create tokens that allow no more than it does.');
}

const earlier = (one: Date | null, other: Date | null): Date | null =>
  one === null || (other !== null && other < one) ? other : one;

export const tokenCommandHandlers = [TokenRevoker, CreateTokenHandler, RevokeTokenHandler];
