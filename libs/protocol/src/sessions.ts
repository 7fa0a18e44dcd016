import { z } from 'zod';
import { changes, count, id, newPassword, opaque, parameter, secondFactorCode, seconds, text, time } from './fields.js';
import { listOf, paging } from './lists.js';
import { personSchema } from './person.js';

/** A password to verify. Does not reveal whether it could exist at all. */
const password = text(1, 1_000);

// Bodies and queries ------------------------------------------------------------------------------------------------

export const sessionsQuery = z.object(paging);
export const allSessionsQuery = z.object({
  user: parameter(id.optional()).describe('Only those of this person.'),
  ...paging,
});

export const ofSession = z.object({ id: id.describe('The session.') });
export const ofUsersSession = z.object({
  id: id.describe('The user.'),
  sessionId: id.describe('One of their sessions.'),
});

export const changePasswordBody = z.object({ currentPassword: password, newPassword });

export const resetPasswordBody = z.object({
  token: opaque.describe('What an administrator got from `POST /v1/users/{id}/password-reset`.'),
  newPassword,
});

export const confirmTotpBody = z.object({ code: secondFactorCode });

/** One of the two, at least. */
export const proofBody = changes({ password, code: secondFactorCode });

// Answers -----------------------------------------------------------------------------------------------------------

export const liveSessionSchema = z.object({
  id,
  how: z.enum(['registration', 'password', 'sso']).describe('How the person signed in.'),
  createdAt: time,
  lastUsedAt: time.describe('When tokens were last made for it; ten minutes of use may follow.'),
  current: z.boolean().describe('Whether it is the one that asks.'),
  address: z.string().nullable().describe('The network address of the signing in, as the service saw it.'),
  userAgent: z.string().nullable().describe('What the program that signed in calls itself.'),
});
export type LiveSession = z.output<typeof liveSessionSchema>;
export const liveSessionListSchema = listOf(liveSessionSchema);

export const ownedSessionSchema = liveSessionSchema.extend({ user: personSchema.describe('Who is signed in.') });
export type OwnedSession = z.output<typeof ownedSessionSchema>;
export const ownedSessionListSchema = listOf(ownedSessionSchema);

export const passwordResetSchema = z.object({
  token: opaque.describe('Give it to the person, by a way that nobody else reads. It is shown only now.'),
  expiresIn: seconds.describe('Seconds for which it is good.'),
});
export type PasswordReset = z.output<typeof passwordResetSchema>;

export const totpStatusSchema = z.object({
  enabled: z.boolean(),
  required: z
    .boolean()
    .describe(
      'Whether the role of the caller demands one. Until it is set up, only the calls that set it up are answered.',
    ),
  recoveryCodesLeft: count,
});
export type TotpStatus = z.output<typeof totpStatusSchema>;

export const newTotpSchema = z.object({
  secret: z.string().describe('In base32, for typing in. It is shown only now.'),
  uri: z.string().describe('`otpauth://totp/...`, for a QR code.'),
});
export type NewTotp = z.output<typeof newTotpSchema>;

export const recoveryCodesSchema = z.object({
  recoveryCodes: z.array(z.string()).describe('Ten codes; each works once in place of six digits. Shown only once.'),
});
export type RecoveryCodes = z.output<typeof recoveryCodesSchema>;

export const publicKeysSchema = z.object({
  keys: z.array(
    z.object({
      kty: z.literal('OKP'),
      crv: z.literal('Ed25519'),
      x: z.string().describe('The public key, 32 bytes in base64url.'),
      kid: z.string().describe('The `kid` in the header of tokens that this key checks.'),
      use: z.literal('sig'),
      alg: z.literal('EdDSA'),
    }),
  ),
});
export type PublicKeys = z.output<typeof publicKeysSchema>;
