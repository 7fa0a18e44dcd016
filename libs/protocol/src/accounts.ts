import { z } from 'zod';
import {
  changes,
  displayName,
  email,
  id,
  invitation,
  newPassword,
  opaque,
  parameter,
  seconds,
  text,
  time,
  trimmedText,
  username,
} from './fields.js';
import { listOf, order, paging } from './lists.js';

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
    code: text(6, 40)
      .optional()
      .describe('Six digits of the authenticator, or a recovery code, where there is a second factor.'),
  })
  .meta({ examples: [{ username: 'ada', password: 'correct horse battery' }] });

export const refreshBody = z.object({ refreshToken: opaque });

export const changeMeBody = changes({ displayName });

export const changeUserBody = changes({
  role: serverRole,
  suspended: z.boolean().describe('True locks the account out at once, false lets it in again.'),
  deactivated: z.boolean().describe('True ends the use of the account at once, false gives it back to its holder.'),
  displayName,
});

export const usersQuery = z.object({
  q: parameter(trimmedText(200).optional()).describe('Part of a username or display name.'),
  role: parameter(serverRole.optional()).describe('Only people with this role on the service.'),
  status: parameter(z.enum(['active', 'suspended']).optional()).describe('Only people who are suspended, or are not.'),
  sort: parameter(z.enum(['username', 'createdAt']).default('username')),
  order: parameter(order.default('asc')),
  ...paging,
});

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
});
export type User = z.output<typeof userSchema>;

/** The few fields by which other answers name a person. */
export const personSchema = z.object({ id, username: z.string() });
export type Person = z.output<typeof personSchema>;

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
