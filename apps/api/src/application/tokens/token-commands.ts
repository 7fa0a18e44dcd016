import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Actor, isRejection, type Rejection, reject } from '@verbatim/domain';
import type { Scope } from '@verbatim/protocol';
import { Time } from '../../clock.js';
import { newId } from '../../new-id.js';
import { type NamedToken, PersonalTokens } from '../../storage/vault/personal-tokens.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import { Standing } from '../accounts/standing.js';

const DAY = 86_400_000;

export interface NewToken {
  readonly token: NamedToken;
  /** The token itself, told once. */
  readonly text: string;
  readonly position: bigint;
}

/** Ends a token for good, at every door of every replica. */
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
  constructor(
    private readonly users: Users,
    private readonly tokens: PersonalTokens,
  ) {}

  async execute({ userId, tokenId, actor, context }: RevokeTokenCommand): Promise<{ position: bigint } | Rejection> {
    const { state } = await this.users.newest(userId);
    if (!state.tokens.includes(tokenId)) return reject('NotFound', 'There is no such token.');
    const revoked = await this.users.send(userId, { type: 'RevokeToken', actor, userId, tokenId }, context);
    if (!isRejection(revoked)) await this.tokens.remove(tokenId);
    return revoked;
  }
}

/** Makes a personal token, of oneself or of a bot. */
export class CreateTokenCommand extends Command<NewToken | Rejection> {
  constructor(
    readonly userId: string,
    readonly actor: Actor,
    readonly wish: { readonly name: string; readonly scopes: readonly Scope[]; readonly expiresInDays: number | null },
    readonly context: Context,
  ) {
    super();
  }
}

/** The vault has the token first, and it is good once the event is there: what dies in between leaves nothing that works. */
@CommandHandler(CreateTokenCommand)
export class CreateTokenHandler implements ICommandHandler<CreateTokenCommand> {
  constructor(
    private readonly users: Users,
    private readonly tokens: PersonalTokens,
    private readonly time: Time,
    private readonly standing: Standing,
    private readonly revoke: RevokeTokenHandler,
  ) {}

  execute(command: CreateTokenCommand): Promise<NewToken | Rejection> {
    const { userId, actor, context } = command;
    // The account decides for itself; of the administrator who makes a token for a bot it knows nothing.
    if (actor.id === userId) return this.create(command);
    return this.standing.whileIn(
      actor,
      () => this.create(command),
      ({ token }) => this.revoke.execute(new RevokeTokenCommand(userId, token.id, actor, context)),
    );
  }

  private async create({ userId, actor, wish, context }: CreateTokenCommand): Promise<NewToken | Rejection> {
    const { name, scopes, expiresInDays } = wish;
    const id = newId();
    const expiresAt = expiresInDays === null ? null : new Date(this.time.now().getTime() + expiresInDays * DAY);
    const issued = await this.tokens.issue({ id, userId, name, scopes, expiresAt });
    const command = { type: 'CreateToken', actor, userId, tokenId: id, name, scopes } as const;
    const created = await this.users.send(userId, { ...command, expiresAt: expiresAt?.toISOString() ?? null }, context);
    // Where nobody knows what came of it, the token was told to nobody, and its holder can revoke it.
    if (!isRejection(created)) return { ...issued, position: created.position };
    if (created.rejected !== 'Unavailable') await this.tokens.remove(id);
    return created;
  }
}

export const tokenCommandHandlers = [CreateTokenHandler, RevokeTokenHandler];
