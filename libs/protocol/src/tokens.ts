import { limits } from '@verbatim/domain';
import { z } from 'zod';
import { displayName, id, parameter, time, trimmedText, username, whole } from './fields.js';
import { listOf, paging } from './lists.js';
import { personSchema } from './person.js';
import { scope, scopes } from './scopes.js';

const tokenScopes = z
  .array(scope)
  .min(1, 'must name at least one scope')
  .max(scopes.length, 'must name each scope once')
  .refine((named) => new Set(named).size === named.length, 'must name each scope once')
  .describe('What the token allows; no scope includes another.');

export const createTokenBody = z
  .object({
    name: trimmedText(limits.tokenName).describe('For people: what the token is used for.'),
    scopes: tokenScopes,
    expiresInDays: whole(1, 365)
      .nullable()
      .default(90)
      .describe('Days until it expires; null for never, which only bots have.'),
  })
  .meta({ examples: [{ name: 'build server', scopes: ['read', 'post'], expiresInDays: 30 }] });

export const createBotBody = z
  .object({ username, displayName: displayName.optional().describe('Default: the username.') })
  .meta({ examples: [{ username: 'build-bot', displayName: 'Build' }] });

export const allTokensQuery = z.object({
  user: parameter(id.optional()).describe('Only those of this person or bot.'),
  bot: parameter(z.enum(['true', 'false']).optional()).describe('Only those of bots, or only those of people.'),
  ...paging,
});

export const ofUsersToken = z.object({ id: id.describe('The user.'), tokenId: id.describe('The token.') });
/** For paths that name the token alone. */
export const ofOwnToken = z.object({ id: id.describe('The token.') });

export const tokenSchema = z.object({
  id,
  name: z.string(),
  scopes: z.array(scope),
  createdAt: time,
  expiresAt: time.nullable().describe('Null: never.'),
  lastUsedAt: time.nullable().describe('When it was last used, exact to a minute or so; null: not yet.'),
});
export type Token = z.output<typeof tokenSchema>;

export const newTokenSchema = tokenSchema.extend({
  token: z
    .string()
    .describe(
      'Send it as `Authorization: Bearer ...`. Shown only once: `vbt_`, 256 random bits and a checksum of 32 bits in base64url.',
    ),
});
export type NewToken = z.output<typeof newTokenSchema>;

export const tokenListSchema = listOf(tokenSchema);

export const ownedTokenSchema = tokenSchema.extend({
  user: personSchema.describe('For whom it speaks.'),
  bot: z.boolean().describe('Whether that is a bot.'),
});
export type OwnedToken = z.output<typeof ownedTokenSchema>;
export const ownedTokenListSchema = listOf(ownedTokenSchema);
