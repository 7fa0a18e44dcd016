import type { Actor, Decision, Erasable, Happened } from '../decider.js';
import { reject } from '../rejection.js';
import { limits, visibleTextProblem } from '../text.js';

/** Tokens per account, including expired ones that were not revoked. */
export const MOST_TOKENS = 50;

export type TokenScope = 'read' | 'post' | 'manage';

// Events ------------------------------------------------------------------------------------------------------------

/** A personal token was created; its scopes never change. The token itself is in no event. */
export type TokenCreated = Happened<
  'TokenCreated',
  {
    readonly tokenId: string;
    readonly name: Erasable;
    readonly scopes: readonly TokenScope[];
    /** RFC 3339; null: never, for bots only. */
    readonly expiresAt: string | null;
  }
>;
export type TokenRevoked = Happened<'TokenRevoked', { readonly tokenId: string }>;
export type TokenEvent = TokenCreated | TokenRevoked;

// State -------------------------------------------------------------------------------------------------------------

/** What tokens depend on. */
export interface TokenHolder {
  /** A program's account: it cannot sign in and uses tokens only. */
  readonly bot: boolean;
  readonly webhookBot: boolean;
  readonly guest: boolean;
  /** Ids of the personal tokens that were not revoked; some may have expired. */
  readonly tokens: readonly string[];
}

export function evolveTokens(tokens: readonly string[], { type, data }: TokenEvent): readonly string[] {
  return type === 'TokenCreated' ? [...tokens, data.tokenId] : tokens.filter((id) => id !== data.tokenId);
}

// Commands ----------------------------------------------------------------------------------------------------------

/** By the person, or for a bot by an administrator. */
export type CreateToken = {
  readonly type: 'CreateToken';
  readonly actor: Actor;
  readonly userId: string;
  readonly tokenId: string;
  readonly name: string;
  readonly scopes: readonly TokenScope[];
  readonly expiresAt: string | null;
};
/** By the person or an administrator. */
export type RevokeToken = {
  readonly type: 'RevokeToken';
  readonly actor: Actor;
  readonly userId: string;
  readonly tokenId: string;
};
export type TokenCommand = CreateToken | RevokeToken;

// Decisions ---------------------------------------------------------------------------------------------------------

export function createToken(command: CreateToken, state: TokenHolder): Decision<TokenEvent> {
  const { actor, userId, tokenId, name, scopes, expiresAt } = command;
  if (state.bot ? actor.role !== 'admin' : actor.id !== userId) {
    return reject('NotAllowed', 'Only you can create tokens for your account, and only administrators for bots.');
  }
  if (state.webhookBot)
    return reject('NotAllowed', 'The bot of a webhook has no tokens; it posts through its address.');
  if (state.guest) return reject('NotAllowed', 'Guests have no tokens.');
  if (state.tokens.includes(tokenId)) return { events: [] };
  if (state.tokens.length >= MOST_TOKENS) {
    return reject('Conflict', `The account already has ${MOST_TOKENS} tokens. Revoke one first.`);
  }
  if (expiresAt === null && !state.bot) return reject('Invalid', 'Tokens of people must expire.');
  const problem = visibleTextProblem(name, 1, limits.tokenName);
  if (problem) return reject('Invalid', `The name ${problem}.`);
  return { events: [{ type: 'TokenCreated', data: { tokenId, name, scopes, expiresAt } }] };
}

export function revokeToken({ actor, userId, tokenId }: RevokeToken, state: TokenHolder): Decision<TokenEvent> {
  if (actor.id !== userId && actor.role !== 'admin') return reject('NotAllowed', 'Only administrators may do this.');
  if (!state.tokens.includes(tokenId)) return { events: [] };
  return { events: [{ type: 'TokenRevoked', data: { tokenId } }] };
}
