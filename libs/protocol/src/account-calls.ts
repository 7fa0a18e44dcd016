import { z } from 'zod';
import * as accounts from './accounts.js';
import { type Call, noHeaders, readHeaders, secretHeaders, sessionHeaders, writeHeaders } from './call.js';
import { membershipListSchema } from './rooms.js';
import { proofBody } from './sessions.js';

/** People and their sessions. */
export const accountCalls = {
  register: {
    method: 'POST',
    path: '/v1/auth/register',
    tag: 'Accounts',
    auth: 'none',
    summary: 'Create an account and sign in',
    description:
      'Answers `forbidden` where the operator has closed registration, where it takes an invitation, and where the ' +
      'invitation is not good. Names differ by more than capital letters: ' +
      '`Ada` is taken once there is an `ada`.',
    body: accounts.registerBody,
    answers: { 201: accounts.sessionSchema },
    errors: ['forbidden', 'name_taken'],
    headers: sessionHeaders,
  },
  login: {
    method: 'POST',
    path: '/v1/auth/login',
    tag: 'Accounts',
    auth: 'none',
    inMaintenance: true,
    summary: 'Sign in',
    description:
      'An unknown username and an incorrect password both return `unauthenticated`, so that nobody learns which usernames exist. ' +
      'With the correct password, a suspended or deactivated account returns `forbidden`, and an account with a second factor ' +
      '`mfa_required` if `code` is missing. An incorrect code returns `unauthenticated`.',
    body: accounts.loginBody,
    answers: { 200: accounts.sessionSchema },
    errors: ['unauthenticated', 'mfa_required', 'forbidden'],
    headers: sessionHeaders,
  },
  refresh: {
    method: 'POST',
    path: '/v1/auth/refresh',
    tag: 'Accounts',
    auth: 'none',
    inMaintenance: true,
    summary: 'Exchange a refresh token for new tokens',
    description:
      'Each refresh token works once. Using an old one again is treated as theft: it revokes the whole session, and ' +
      'its WebSockets are closed. Only for 10 seconds, and until its successor is used, the same token gives the same ' +
      'successor once more, in case the answer was lost.',
    body: accounts.refreshBody,
    answers: { 200: accounts.sessionSchema },
    errors: ['unauthenticated'],
    headers: sessionHeaders,
  },
  logout: {
    method: 'POST',
    path: '/v1/auth/logout',
    tag: 'Accounts',
    auth: 'user',
    scope: 'session',
    beforeSecondFactor: true,
    inMaintenance: true,
    summary: 'Revoke the session',
    description: 'All its tokens stop working and its WebSockets are closed. Other sessions of the person continue.',
    answers: { 204: null },
    errors: [],
    headers: sessionHeaders,
  },
  makeTicket: {
    method: 'POST',
    path: '/v1/auth/ticket',
    tag: 'Accounts',
    auth: 'user',
    scope: 'read',
    inMaintenance: true,
    summary: 'Get a ticket that opens one WebSocket',
    description:
      'For browsers, which cannot send an `Authorization` header with a WebSocket. A ticket works once, for 30 ' +
      'seconds. The WebSocket at `GET /v1/ws` is described in `/asyncapi.json`.',
    answers: { 201: accounts.ticketSchema },
    errors: [],
    headers: noHeaders,
  },
  getMe: {
    method: 'GET',
    path: '/v1/me',
    tag: 'Accounts',
    auth: 'user',
    scope: 'read',
    beforeSecondFactor: true,
    summary: 'Your account',
    answers: { 200: accounts.userSchema },
    errors: [],
    headers: readHeaders,
  },
  changeMe: {
    method: 'PATCH',
    path: '/v1/me',
    tag: 'Accounts',
    auth: 'user',
    scope: 'manage',
    summary: 'Change your account',
    body: accounts.changeMeBody,
    answers: { 200: accounts.userSchema },
    errors: [],
    headers: writeHeaders,
  },
  getPreferences: {
    method: 'GET',
    path: '/v1/me/preferences',
    tag: 'Accounts',
    auth: 'user',
    scope: 'session',
    summary: 'Your stored preferences',
    description:
      'For applications; the dashboard stores columns and saved filters here. Private, and not recorded as an event.',
    answers: { 200: accounts.preferencesSchema },
    errors: [],
    headers: readHeaders,
  },
  keepPreferences: {
    method: 'PUT',
    path: '/v1/me/preferences',
    tag: 'Accounts',
    auth: 'user',
    scope: 'session',
    inMaintenance: true,
    summary: 'Store preferences',
    description: 'Replaces everything that was stored.',
    body: accounts.preferencesSchema,
    answers: { 204: null },
    errors: [],
    headers: writeHeaders,
  },
  giveUpAccount: {
    method: 'POST',
    path: '/v1/me/deactivate',
    tag: 'Accounts',
    auth: 'user',
    scope: 'session',
    summary: 'Deactivate your account',
    description:
      'Requires the password or a code of the second factor; an incorrect one returns `forbidden`. All sessions end, nobody can ' +
      'sign in to the account, and the username stays reserved. Messages stay. Only an administrator can undo it. The last ' +
      'administrator cannot leave: `conflict`.',
    body: proofBody,
    answers: { 204: null },
    errors: ['forbidden', 'conflict'],
    headers: writeHeaders,
  },
  listUsers: {
    method: 'GET',
    path: '/v1/users',
    tag: 'Accounts',
    auth: 'user',
    scope: 'read',
    summary: 'List people',
    description: 'Only administrators see e-mail addresses.',
    query: accounts.usersQuery,
    answers: { 200: accounts.userListSchema },
    errors: [],
    headers: readHeaders,
  },
  createUser: {
    method: 'POST',
    path: '/v1/users',
    tag: 'Accounts',
    auth: 'admin',
    scope: 'session',
    summary: 'Create an account for a person',
    description:
      'The account has no password yet: the answer contains a token for choosing one. It works once, for one day, and is shown only ' +
      'once. Works even if registration is closed. A role other than `user` requires a confirmation from the last 15 ' +
      'minutes, otherwise `mfa_required`.',
    body: accounts.createUserBody,
    answers: { 201: accounts.newUserSchema },
    errors: ['name_taken', 'mfa_required'],
    headers: secretHeaders,
  },
  exportUsers: {
    method: 'GET',
    path: '/v1/users/export',
    tag: 'Accounts',
    auth: 'auditor',
    scope: 'read',
    spends: 'search',
    summary: 'Export people',
    description:
      'Comma-separated values (RFC 4180) in UTF-8 with a byte order mark and a line of names, the oldest accounts first, ' +
      'streamed. Only administrators get e-mail addresses. A cell that a spreadsheet would take for a formula begins ' +
      'with an apostrophe; the import of the dashboard takes it off again. Counts as a search.',
    query: accounts.exportUsersQuery,
    answers: { 200: z.string().describe('One line for each person.') },
    mediaType: 'text/csv',
    errors: ['forbidden'],
    headers: readHeaders,
  },
  getUser: {
    method: 'GET',
    path: '/v1/users/{id}',
    tag: 'Accounts',
    auth: 'user',
    scope: 'read',
    summary: 'Get a person',
    description: 'Only the person and administrators see the e-mail address.',
    params: accounts.ofUser,
    answers: { 200: accounts.userSchema },
    errors: ['not_found'],
    headers: readHeaders,
  },
  listRoomsOf: {
    method: 'GET',
    path: '/v1/users/{id}/rooms',
    tag: 'Accounts',
    auth: 'auditor',
    scope: 'read',
    summary: 'Rooms of a person',
    description: 'Most recent activity first.',
    params: accounts.ofUser,
    query: accounts.roomsOfUserQuery,
    answers: { 200: membershipListSchema },
    errors: ['forbidden', 'not_found'],
    headers: readHeaders,
  },
  changeUser: {
    method: 'PATCH',
    path: '/v1/users/{id}',
    tag: 'Accounts',
    auth: 'admin',
    scope: 'manage',
    summary: 'Change, suspend or deactivate a person, or undo it',
    description:
      'An e-mail address set by an administrator counts as confirmed: whoever signs in with it at the identity provider gets ' +
      'this account. Administrators who have a second factor need a confirmation from the last 15 minutes to change it (`mfa_required`). ' +
      'Suspending and deactivating end all sessions of the person immediately. Administrators cannot suspend themselves or ' +
      'change their own role, and nobody can remove the last administrator (`conflict`).',
    params: accounts.ofUser,
    body: accounts.changeUserBody,
    answers: { 200: accounts.userSchema },
    errors: ['not_found', 'conflict'],
    headers: writeHeaders,
  },
} as const satisfies Record<string, Call>;
