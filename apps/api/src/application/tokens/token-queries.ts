import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import type { Rejection, UserState } from '@verbatim/domain';
import { botsIn, keepOf, type Page, type PageRequest, withEach } from '@verbatim/projections';
import { ReadModels } from '../../storage/read-models.js';
import { type NamedToken, PersonalTokens } from '../../storage/vault/personal-tokens.js';
import { Users } from '../../write-side/entities.js';
import { unknownUser } from '../sessions/unknown-user.js';

/** The personal tokens of a user. */
export class ListTokensQuery extends Query<NamedToken[] | Rejection> {
  constructor(readonly userId: string) {
    super();
  }
}

@QueryHandler(ListTokensQuery)
export class ListTokensHandler implements IQueryHandler<ListTokensQuery> {
  constructor(
    private readonly users: Users,
    private readonly tokens: PersonalTokens,
  ) {}

  async execute({ userId }: ListTokensQuery): Promise<NamedToken[] | Rejection> {
    const { state } = await this.users.newest(userId);
    const unknown = unknownUser(state);
    if (unknown) return unknown;
    const tokens = await this.tokens.of(userId);
    return tokens.filter(({ id }) => state.tokens.includes(id));
  }
}

/** A personal token with the account it belongs to. */
export interface OwnedToken {
  readonly token: NamedToken;
  readonly owner: UserState;
}

/** The personal tokens of everybody, of one user, or of bots (or people) only. */
export class ListAllTokensQuery extends Query<Page<OwnedToken>> {
  constructor(
    readonly wanted: { readonly user?: string; readonly bot?: boolean },
    readonly page: PageRequest,
  ) {
    super();
  }
}

@QueryHandler(ListAllTokensQuery)
export class ListAllTokensHandler implements IQueryHandler<ListAllTokensQuery> {
  constructor(
    private readonly users: Users,
    private readonly tokens: PersonalTokens,
    private readonly readModels: ReadModels,
  ) {}

  async execute({ wanted, page }: ListAllTokensQuery): Promise<Page<OwnedToken>> {
    const found = await this.tokens.everywhere({ ...wanted, bots: botsIn(this.readModels.db) }, page);
    const owned = await withEach(found, async (token) => ({
      token,
      owner: (await this.users.newest(token.userId)).state,
    }));
    return keepOf(owned, ({ token, owner }) => owner.tokens.includes(token.id));
  }
}

export const tokenQueryHandlers = [ListTokensHandler, ListAllTokensHandler];
