import type { UserEvent } from '@verbatim/domain';
import { z } from 'zod';
import { serverRole } from './accounts.js';
import { storedEnvelopeSchema } from './events.js';
import { id, numberParameter, revision, time } from './fields.js';
import { listOf, paging } from './lists.js';
import { scopes } from './scopes.js';

const erasable = z.string().nullable();
const nothing = z.object({});
const sessionId = id.optional();

export type UserEventType = UserEvent['type'];

/** The data of each type of event of an account as readers see it. */
export const userEventData = {
  UserRegistered: z.object({
    username: z.string(),
    displayName: erasable,
    email: erasable.optional(),
    role: serverRole,
    origin: z.enum(['registration', 'setup', 'import', 'bot', 'sso', 'admin', 'webhook', 'guest']),
  }),
  UserAbandoned: nothing.describe('Creating an account with this id was abandoned.'),
  UserChanged: z.object({ displayName: erasable }),
  UserEmailChanged: z.object({
    email: erasable.optional(),
    how: z
      .enum(['administrator', 'provider', 'claimed'])
      .describe(
        'Set or cleared by an administrator; verified by the identity provider when the person signed in there; taken away because ' +
          'someone else signed in with it there.',
      ),
  }),
  UserRoleChanged: z.object({ role: serverRole }),
  UserSuspended: z.object({
    reason: erasable.optional().describe('Absent if none was given. Only for administrators and auditors.'),
  }),
  UserReinstated: nothing,
  UserDeactivated: nothing,
  UserReactivated: nothing,
  SessionStarted: z.object({ sessionId, how: z.enum(['registration', 'password', 'sso']).optional() }),
  SessionRevoked: z.object({
    sessionId,
    cause: z.enum(['logout', 'reuse', 'revoked', 'password', 'totp', 'identity', 'expired']),
  }),
  PasswordChanged: z.object({ how: z.enum(['change', 'reset', 'removed']) }),
  PasswordResetIssued: nothing,
  TotpEnabled: z.object({ totpId: id.optional() }),
  TotpDisabled: nothing,
  RecoveryCodesIssued: nothing,
  RecoveryCodeUsed: nothing,
  IdentityLinked: z.object({ identityId: id.optional() }),
  SignInLockedOut: nothing.describe('So many wrong passwords were tried that signing in has to wait.'),
  TokenCreated: z.object({
    tokenId: id.optional(),
    name: erasable.optional(),
    scopes: z.array(z.enum(scopes)),
    expiresAt: time.nullable(),
  }),
  TokenRevoked: z.object({ tokenId: id.optional() }),
} as const satisfies Record<UserEventType, z.ZodObject>;

export const userEventTypes = Object.keys(userEventData) as UserEventType[];

type Fact<T extends UserEventType> = z.ZodObject<{ type: z.ZodLiteral<T>; data: (typeof userEventData)[T] }>;
type Facts = { [T in UserEventType]: Fact<T> };

const facts = userEventTypes.map((type) => z.object({ type: z.literal(type), data: userEventData[type] }));

/** Type and data of an event of an account. */
export const userFactSchema = z.discriminatedUnion('type', facts as unknown as [Facts[UserEventType]]);

/** An event of an account as the log holds it. */
export const storedUserEventSchema = z.intersection(storedEnvelopeSchema, userFactSchema);
export const storedUserEventListSchema = listOf(storedUserEventSchema);

export const userEventsQuery = z.object({
  from: numberParameter(revision.default(0)).describe('The revision to begin with.'),
  ...paging,
});
