import type { Actor, Decision, Happened } from './decider.js';
import { reject } from './rejection.js';
import type { Erasable } from './room.js';
import { limits, visibleTextProblem } from './text.js';

/** Tokens that one person or bot may have at a time, expired ones that were not revoked included. */
export const MOST_TOKENS = 50;

export type TokenScope = 'read' | 'post' | 'manage';

// Events ------------------------------------------------------------------------------------------------------------

/** A personal token was made; what it is good for never changes. The token itself is in no event. */
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

/** What of an account its tokens depend on. */
export interface TokenHolder {
  /** A program's account: it cannot sign in and has tokens only. */
  readonly bot: boolean;
  readonly webhookBot: boolean;
  /** Ids of the personal tokens that are good, until they expire. */
  readonly tokens: readonly string[];
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
    return reject('NotAllowed', 'People make their own tokens; those of bots are made by administrators.');
  }
  if (state.webhookBot)
    return reject('NotAllowed', 'The bot of a webhook posts by its address only and has no tokens.');
  if (state.tokens.includes(tokenId)) return { events: [] };
  if (state.tokens.length >= MOST_TOKENS) {
    return reject('Conflict', `There are ${MOST_TOKENS} tokens already. Revoke one first.`);
  }
  if (expiresAt === null && !state.bot) return reject('Invalid', 'Only the tokens of bots never expire.');
  const problem = visibleTextProblem(name, 1, limits.tokenName);
  if (problem) return reject('Invalid', `The name ${problem}.`);
  return { events: [{ type: 'TokenCreated', data: { tokenId, name, scopes, expiresAt } }] };
}

export function revokeToken({ actor, userId, tokenId }: RevokeToken, state: TokenHolder): Decision<TokenEvent> {
  if (actor.id !== userId && actor.role !== 'admin') return reject('NotAllowed', 'Only administrators may do this.');
  if (!state.tokens.includes(tokenId)) return { events: [] };
  return { events: [{ type: 'TokenRevoked', data: { tokenId } }] };
}
