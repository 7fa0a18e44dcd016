import * as accounts from './accounts.js';
import { type Call, noHeaders, readHeaders, sessionHeaders, writeHeaders } from './call.js';

/** People and their sessions. */
export const accountCalls = {
  register: {
    method: 'POST',
    path: '/v1/auth/register',
    tag: 'Accounts',
    auth: 'none',
    summary: 'Make an account and sign in',
    description:
      'Answers `forbidden` where the operator has closed registration. Names differ by more than capital letters: ' +
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
    summary: 'Sign in',
    description:
      'A wrong name and a wrong password are both `unauthenticated`, so that nobody learns which names exist. ' +
      'A suspended account is `forbidden`, which only its right password brings to light.',
    body: accounts.loginBody,
    answers: { 200: accounts.sessionSchema },
    errors: ['unauthenticated', 'forbidden'],
    headers: sessionHeaders,
  },
  refresh: {
    method: 'POST',
    path: '/v1/auth/refresh',
    tag: 'Accounts',
    auth: 'none',
    summary: 'Exchange a refresh token for fresh tokens',
    description:
      'Each refresh token is good once. Using an old one again is taken for theft: it revokes the whole session, and ' +
      'its WebSockets are closed.',
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
    summary: 'Revoke the session',
    description: 'All its tokens stop working and its WebSockets are closed. Other sessions of the person go on.',
    answers: { 204: null },
    errors: [],
    headers: sessionHeaders,
  },
  makeTicket: {
    method: 'POST',
    path: '/v1/auth/ticket',
    tag: 'Accounts',
    auth: 'user',
    summary: 'Get a ticket that opens one WebSocket',
    description:
      'For browsers, which cannot send an `Authorization` header with a WebSocket. A ticket is good once, for 30 ' +
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
    summary: 'The caller',
    answers: { 200: accounts.userSchema },
    errors: [],
    headers: readHeaders,
  },
  changeMe: {
    method: 'PATCH',
    path: '/v1/me',
    tag: 'Accounts',
    auth: 'user',
    summary: 'Change the caller',
    body: accounts.changeMeBody,
    answers: { 200: accounts.userSchema },
    errors: [],
    headers: writeHeaders,
  },
  listUsers: {
    method: 'GET',
    path: '/v1/users',
    tag: 'Accounts',
    auth: 'user',
    summary: 'Find people',
    description: 'E-mail addresses are told to administrators only.',
    query: accounts.usersQuery,
    answers: { 200: accounts.userListSchema },
    errors: [],
    headers: readHeaders,
  },
  getUser: {
    method: 'GET',
    path: '/v1/users/{id}',
    tag: 'Accounts',
    auth: 'user',
    summary: 'A person',
    description: 'The e-mail address is told to the person and to administrators only.',
    params: accounts.ofUser,
    answers: { 200: accounts.userSchema },
    errors: ['not_found'],
    headers: readHeaders,
  },
  changeUser: {
    method: 'PATCH',
    path: '/v1/users/{id}',
    tag: 'Accounts',
    auth: 'admin',
    summary: 'Change, suspend or reinstate a person',
    description:
      'Suspending ends all sessions of the person at once. Administrators can neither suspend themselves nor change ' +
      'their own role: `conflict`.',
    params: accounts.ofUser,
    body: accounts.changeUserBody,
    answers: { 200: accounts.userSchema },
    errors: ['not_found', 'conflict'],
    headers: writeHeaders,
  },
} as const satisfies Record<string, Call>;
