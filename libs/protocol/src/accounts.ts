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

export const serverRole = z
  .enum(['admin', 'auditor', 'user'])
  .describe('The role on the whole service, not in a room.');

// Bodies and queries ------------------------------------------------------------------------------------------------

export const registerBody = z
  .object({
    username,
    password: newPassword,
    displayName: displayName.optional().describe('The username, if absent.'),
    email: email.optional(),
    invitation,
  })
  .meta({ examples: [{ username: 'ada', password: 'correct horse battery', displayName: 'Ada Lovelace' }] });

/** Whether such a name or password could exist at all is not told: a wrong one is simply wrong. */
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
  suspended: z.boolean().describe('True locks the account out at once, false lets it in again.'),
  reason: visibleText(0, limits.reason)
    .nullable()
    .describe('Why the person is suspended; only together with `suspended: true`. Recorded in the account.'),
  deactivated: z.boolean().describe('True ends the use of the account at once, false gives it back to its holder.'),
  displayName,
  email: email.nullable().describe('The address by which the person is recognized at single sign-on; null clears it.'),
}).refine(({ reason, suspended }) => reason === undefined || reason === null || suspended === true, {
  path: ['reason'],
  error: 'may only be given together with suspended: true',
});

export const createUserBody = z
  .object({
    username,
    displayName: displayName.optional().describe('The username, if absent.'),
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
  usernames: usernames.describe('Only the people with these usernames: at most 100, with commas between them.'),
  ids: ids.describe('Only the people with these ids: at most 100, with commas between them.'),
  role: parameter(serverRole.optional()).describe('Only people with this role on the service.'),
  status: parameter(z.enum(['active', 'suspended', 'deactivated']).optional()).describe(
    'Only people whose account is so.',
  ),
  bot: yesOrNo.describe('Only bots, or only people. The bots of incoming webhooks are in neither list.'),
  createdFrom: moment.describe('Only accounts made then or later.'),
  createdBefore: moment.describe('Only accounts made before then.'),
  secondFactor: yesOrNo.describe('Only who has a second factor, or has not. For administrators and auditors.'),
  signedInFrom: moment.describe('Only who signed in then or later. For administrators and auditors.'),
  signedInBefore: moment.describe(
    'Only who has not signed in since then, or never did. For administrators and auditors.',
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
  bot: z.literal(true).optional().describe('There only for bots: accounts of programs.'),
  status: z
    .enum(['active', 'suspended', 'deactivated'])
    .describe('Suspended by an administrator, or given up; an account that is both is `deactivated`.'),
  createdAt: time,
  email: z
    .string()
    .nullable()
    .optional()
    .describe('Only told to the person and to administrators; null if none is known.'),
  secondFactor: z
    .boolean()
    .optional()
    .describe('Whether signing in takes a second factor. Only told to administrators and auditors, and only by reads.'),
  signedInAt: time
    .nullable()
    .optional()
    .describe('When the person last signed in, null if never. Told as `secondFactor` is.'),
  messages: count
    .optional()
    .describe(
      'How many messages the person has posted in all rooms, those redacted since included. Told as `secondFactor` is, by ' +
        '`GET /v1/users/{id}` alone.',
    ),
});
export type User = z.output<typeof userSchema>;

export const newUserSchema = z.object({
  user: userSchema,
  passwordReset: passwordResetSchema.describe('With it the person chooses a password: `POST /v1/auth/reset`.'),
});
export type NewUser = z.output<typeof newUserSchema>;

export const preferencesSchema = z
  .object({
    preferences: text(0, 16_384).describe('A text that only the application understands; empty if nothing was kept.'),
  })
  .meta({ examples: [{ preferences: '{"theme":"dark"}' }] });
export type Preferences = z.output<typeof preferencesSchema>;

export const userListSchema = listOf(userSchema);

export const sessionSchema = z.object({
  user: userSchema,
  accessToken: z.string().describe('Goes into `Authorization: Bearer ...` of every call.'),
  expiresIn: seconds.describe('Seconds for which the access token is good.'),
  refreshToken: opaque.describe('Good for one `POST /v1/auth/refresh`, which answers with its successor.'),
});
export type Session = z.output<typeof sessionSchema>;

export const ticketSchema = z.object({
  ticket: opaque.describe('Goes into `GET /v1/ws?ticket=...`; opens one WebSocket.'),
  expiresIn: seconds.describe('Seconds for which the ticket is good.'),
});
export type Ticket = z.output<typeof ticketSchema>;
