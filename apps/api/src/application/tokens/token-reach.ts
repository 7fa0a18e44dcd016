import type { PersonalToken } from '../../storage/vault/personal-tokens.js';

/**
 * The tokens of a person whose values the holder of `holder` may see, and which they may revoke: that one, those created
 * with it and, if it may manage the account, those that allow no more and end no later. All of them for a session
 * (`undefined`).
 */
export function withinReach<Token extends PersonalToken>(
  tokens: readonly Token[],
  holder: PersonalToken | undefined,
): Token[] {
  if (!holder) return [...tokens];
  const parents = new Map(tokens.map(({ id, parentId }) => [id, parentId]));
  const createdWith = (id: string | null): boolean =>
    id !== null && (id === holder.id || createdWith(parents.get(id) ?? null));
  return tokens.filter(
    (token) => createdWith(token.id) || (holder.scopes.has('manage') && allowsNoMore(token, holder)),
  );
}

const allowsNoMore = (token: PersonalToken, than: PersonalToken): boolean =>
  [...token.scopes].every((scope) => than.scopes.has(scope)) &&
  (than.expiresAt === null || (token.expiresAt !== null && token.expiresAt <= than.expiresAt));
