import { limits } from '@verbatim/domain';
import { z } from 'zod';
import {
  changes,
  count,
  displayName,
  email,
  id,
  instant,
  invitation,
  newPassword,
  opaque,
  parameter,
  secondFactorCode,
  seconds,
  text,
  time,
  trimmedText,
  username,
  visibleText,
} from './fields.js';
import { listOf, order, paging } from './lists.js';
import { passwordResetSchema } from './sessions.js';

export const serverRole = z.enum(['admin', 'auditor', 'user']).describe('The role on the server, not in a room.');

// Bodies and queries ------------------------------------------------------------------------------------------------

export const registerBody = z
  .object({
    username,
    password: newPassword,
    displayName: displayName.optional().describe('Default: the username.'),
    email: email.optional(),
    invitation,
  })
  .meta({ examples: [{ username: 'ada', password: 'correct horse battery', displayName: 'Ada Lovelace' }] });

/** Does not reveal whether such a username or password could exist: an incorrect one is simply incorrect. */
export const loginBody = z
  .object({
    username: text(1, 254).toLowerCase(),
    password: text(1, 1_000),
    code: secondFactorCode.optional(),
  })
  .meta({ examples: [{ username: 'ada', password: 'correct horse battery' }] });

export const refreshBody = z.object({ refreshToken: opaque });

export const changeMeBody = changes({ displayName });

export const changeUserBody = changes({
  role: serverRole,
  suspended: z.boolean().describe('`true` suspends the account immediately, `false` reinstates it.'),
  reason: visibleText(0, limits.reason)
    .nullable()
    .describe('Why the person is suspended; only together with `suspended: true`. Recorded in the account.'),
  deactivated: z.boolean().describe('`true` deactivates the account immediately, `false` reactivates it.'),
  displayName,
  email: email.nullable().describe('The address that identifies the person at single sign-on; null removes it.'),
}).refine(({ reason, suspended }) => reason === undefined || reason === null || suspended === true, {
  path: ['reason'],
  error: 'may only be given together with suspended: true',
});

export const createUserBody = z
  .object({
    username,
    displayName: displayName.optional().describe('Default: the username.'),
    email: email.optional(),
    role: serverRole.default('user'),
  })
  .meta({ examples: [{ username: 'grace', displayName: 'Grace Hopper', role: 'auditor' }] });

const moment = parameter(instant.optional());
const yesOrNo = parameter(z.enum(['true', 'false']).optional());

const usernames = parameter(
  z
    .string()
    .regex(
      /^[A-Za-z0-9_.-]{3,32}(,[A-Za-z0-9_.-]{3,32}){0,99}$/,
      'must be at most 100 usernames with commas between them',
    )
    .toLowerCase()
    .optional(),
);

const uuid = '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
const ids = parameter(
  z
    .string()
    .regex(new RegExp(`^${uuid}(,${uuid}){0,99}$`), 'must be at most 100 ids with commas between them')
    .toLowerCase()
    .optional(),
);

/** Which people are wanted. */
const wanted = {
  q: parameter(trimmedText(200).optional()).describe(
    'Parts of a username or display name, in any order, all of which must be there. Capital letters, accents, apostrophes and ' +
      'the way a letter is written make no difference: `lukasz obrien` finds `Łukasz O’Brien`. For administrators also parts of ' +
      'an e-mail address, of 3 characters or more.',
  ),
  usernames: usernames.describe('Only the people with these usernames: at most 100, separated by commas.'),
  ids: ids.describe('Only the people with these ids: at most 100, separated by commas.'),
  role: parameter(serverRole.optional()).describe('Only people with this role on the server.'),
  status: parameter(z.enum(['active', 'suspended', 'deactivated']).optional()).describe(
    'Only people whose account has this status.',
  ),
  bot: yesOrNo.describe('Only bots, or only people. The bots of incoming webhooks are in neither list.'),
  createdFrom: moment.describe('Only accounts created at this time or later.'),
  createdBefore: moment.describe('Only accounts created before this time.'),
  secondFactor: yesOrNo.describe('Only people with, or without, a second factor. For administrators and auditors.'),
  signedInFrom: moment.describe('Only people who signed in at this time or later. For administrators and auditors.'),
  signedInBefore: moment.describe(
    'Only people who have not signed in since this time, or never. For administrators and auditors.',
  ),
};

export const exportUsersQuery = z.object(wanted);

export const usersQuery = z.object({
  ...wanted,
  sort: parameter(z.enum(['username', 'createdAt']).default('username')),
  order: parameter(order.default('asc')),
  ...paging,
});

export const roomsOfUserQuery = z.object(paging);

export const ofUser = z.object({ id: id.describe('The user.') });
export const ofUsername = z.object({ username });

// Answers -----------------------------------------------------------------------------------------------------------

export const userSchema = z.object({
  id,
  username: z.string(),
  displayName: z.string().nullable().describe('Null once the person has been forgotten.'),
  role: serverRole,
  suspended: z.boolean(),
  bot: z.literal(true).optional().describe('Present only for bots: accounts of programs.'),
  guest: z
    .literal(true)
    .optional()
    .describe('Present only for guests: people with a bare name, who came through the door of an older chat system.'),
  status: z
    .enum(['active', 'suspended', 'deactivated'])
    .describe('`suspended` by an administrator, or `deactivated`; an account that is both is `deactivated`.'),
  createdAt: time,
  email: z.string().nullable().optional().describe('Visible to the person and administrators only; null if unknown.'),
  secondFactor: z
    .boolean()
    .optional()
    .describe(
      'Whether signing in requires a second factor. Visible to administrators and auditors only, in reads only.',
    ),
  signedInAt: time
    .nullable()
    .optional()
    .describe('When the person last signed in, null if never. Visible like `secondFactor`.'),
  messages: count
    .optional()
    .describe(
      'How many messages the person has posted in all rooms, including redacted ones. Visible like `secondFactor`, in ' +
        '`GET /v1/users/{id}` alone.',
    ),
});
export type User = z.output<typeof userSchema>;

export const newUserSchema = z.object({
  user: userSchema,
  passwordReset: passwordResetSchema.describe('For choosing a password: `POST /v1/auth/reset`.'),
});
export type NewUser = z.output<typeof newUserSchema>;

export const preferencesSchema = z
  .object({
    preferences: text(0, 16_384).describe('Text in a format of the application; empty if nothing was stored.'),
  })
  .meta({ examples: [{ preferences: '{"theme":"dark"}' }] });
export type Preferences = z.output<typeof preferencesSchema>;

export const userListSchema = listOf(userSchema);

export const sessionSchema = z.object({
  user: userSchema,
  accessToken: z.string().describe('Send it as `Authorization: Bearer ...` with every call.'),
  expiresIn: seconds.describe('Lifetime of the access token in seconds.'),
  refreshToken: opaque.describe('Works once, in `POST /v1/auth/refresh`, which returns its successor.'),
});
export type Session = z.output<typeof sessionSchema>;

export const ticketSchema = z.object({
  ticket: opaque.describe('For `GET /v1/ws?ticket=...`; opens one WebSocket.'),
  expiresIn: seconds.describe('Lifetime of the ticket in seconds.'),
});
export type Ticket = z.output<typeof ticketSchema>;
