import type { z } from 'zod';
import * as accounts from './accounts.js';
import { type ErrorCode, errorCodes, errors } from './errors.js';
import { storedEventListSchema } from './events.js';
import { idempotencyKey, positionHeader } from './fields.js';
import * as messages from './messages.js';
import { aboutSchema, documentSchema, healthSchema, metricsSchema } from './operation.js';
import * as rooms from './rooms.js';

/** One call of the REST API. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Parameters stand in braces: `/v1/rooms/{id}`. */
  readonly path: `/${string}`;
  readonly tag: Tag;
  /** Whose credential it takes; rights within a room are up to the room. */
  readonly auth: 'none' | 'user' | 'admin';
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** The body of each answer that is not an error, or null where there is none. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  /** `application/json`, if absent. */
  readonly mediaType?: string;
  /** The errors that are particular to this call; `errorsOf` tells all. */
  readonly errors: readonly ErrorCode[];
  readonly headers: Headers;
}

export type Tag = 'Accounts' | 'Rooms' | 'Messages' | 'Events' | 'Operation';

/** Headers of requests and answers, keyed by name; those of answers may be absent. */
interface Headers {
  readonly request: Readonly<Record<string, z.ZodType>>;
  readonly answer: Readonly<Record<string, z.ZodType>>;
}

const none: Headers = { request: {}, answer: {} };
const read: Headers = { request: { 'Verbatim-Position': positionHeader }, answer: {} };
const write: Headers = {
  request: { 'Idempotency-Key': idempotencyKey },
  answer: { 'Verbatim-Position': positionHeader },
};
/** Writes that start or end a session, or make an account, are not repeated by a key. */
const sessionWrite: Headers = { request: {}, answer: write.answer };

/** Every call of the REST API. */
export const calls = {
  // Accounts --------------------------------------------------------------------------------------------------------

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
    headers: sessionWrite,
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
    headers: sessionWrite,
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
    headers: sessionWrite,
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
    headers: sessionWrite,
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
    headers: none,
  },
  getMe: {
    method: 'GET',
    path: '/v1/me',
    tag: 'Accounts',
    auth: 'user',
    summary: 'The caller',
    answers: { 200: accounts.userSchema },
    errors: [],
    headers: read,
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
    headers: write,
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
    headers: read,
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
    headers: write,
  },

  // Rooms -----------------------------------------------------------------------------------------------------------

  createRoom: {
    method: 'POST',
    path: '/v1/rooms',
    tag: 'Rooms',
    auth: 'user',
    summary: 'Create a room',
    description:
      'The creator is its owner. Names are unique among open rooms that are public or private, whatever their capital ' +
      'letters; closing a room sets its name free. The names of hidden rooms need not be unique.',
    body: rooms.createRoomBody,
    answers: { 201: rooms.roomSchema },
    errors: ['name_taken'],
    headers: write,
  },
  listRooms: {
    method: 'GET',
    path: '/v1/rooms',
    tag: 'Rooms',
    auth: 'user',
    summary: 'Find rooms',
    description: 'Public rooms and those that the caller is in; all rooms for administrators.',
    query: rooms.roomsQuery,
    answers: { 200: rooms.roomListSchema },
    errors: [],
    headers: read,
  },
  getRoom: {
    method: 'GET',
    path: '/v1/rooms/{id}',
    tag: 'Rooms',
    auth: 'user',
    summary: 'A room',
    description: 'Hidden and direct rooms are `not_found` to those who are not in them.',
    params: rooms.inRoom,
    answers: { 200: rooms.roomSchema },
    errors: ['not_found'],
    headers: read,
  },
  changeRoom: {
    method: 'PATCH',
    path: '/v1/rooms/{id}',
    tag: 'Rooms',
    auth: 'user',
    summary: 'Change a room',
    description: 'For owners of the room and administrators. Direct rooms have no settings.',
    params: rooms.inRoom,
    body: rooms.changeRoomBody,
    answers: { 200: rooms.roomSchema },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed', 'name_taken'],
    headers: write,
  },
  closeRoom: {
    method: 'POST',
    path: '/v1/rooms/{id}/close',
    tag: 'Rooms',
    auth: 'user',
    summary: 'Close a room for good',
    description:
      'For owners of the room and administrators. Posting and joining then answer `room_closed`; the history stays ' +
      'readable, members may leave or be removed, and messages may still be redacted. Closing a closed room changes nothing.',
    params: rooms.inRoom,
    body: rooms.closeRoomBody.prefault({}),
    answers: { 200: rooms.roomSchema },
    errors: ['not_found', 'not_a_member', 'forbidden'],
    headers: write,
  },
  addMember: {
    method: 'POST',
    path: '/v1/rooms/{id}/members',
    tag: 'Rooms',
    auth: 'user',
    summary: 'Join a room, or add a person to it',
    description:
      'Without `userId` the caller joins: a public room freely, or with its password if it has one; a private or hidden ' +
      'room with its password. A private or hidden room without password takes only people who are added. A wrong ' +
      'password is `forbidden`; for a hidden room it is `not_found`, as if there were no such room. With `userId` an ' +
      'owner or moderator adds that person: owners in any role, moderators in one below their own. 201 for a new member; 200, changing ' +
      'nothing, for a person who is in the room already.',
    params: rooms.inRoom,
    body: rooms.addMemberBody.prefault({}),
    answers: { 201: rooms.memberSchema, 200: rooms.memberSchema },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed'],
    headers: write,
  },
  listMembers: {
    method: 'GET',
    path: '/v1/rooms/{id}/members',
    tag: 'Rooms',
    auth: 'user',
    summary: 'The members of a room',
    params: rooms.inRoom,
    query: rooms.membersQuery,
    answers: { 200: rooms.memberListSchema },
    errors: ['not_found', 'not_a_member'],
    headers: read,
  },
  changeMember: {
    method: 'PATCH',
    path: '/v1/rooms/{id}/members/{userId}',
    tag: 'Rooms',
    auth: 'user',
    summary: 'Change the role of a member',
    description:
      'Owners of the room and administrators give and take any role; moderators only roles below their own, of members ' +
      'below them.',
    params: rooms.ofMember,
    body: rooms.changeMemberBody,
    answers: { 200: rooms.memberSchema },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed'],
    headers: write,
  },
  removeMember: {
    method: 'DELETE',
    path: '/v1/rooms/{id}/members/{userId}',
    tag: 'Rooms',
    auth: 'user',
    summary: 'Leave a room, or remove a person from it',
    description: 'Everybody may leave, also a closed room. Moderators remove those below them, owners everybody.',
    params: rooms.ofMemberOrMe,
    answers: { 204: null },
    errors: ['not_found', 'not_a_member', 'forbidden'],
    headers: write,
  },
  openDirect: {
    method: 'PUT',
    path: '/v1/direct/{username}',
    tag: 'Rooms',
    auth: 'user',
    summary: 'The direct room of the caller and another person',
    description:
      '201 if this call made it, 200 if it was there. Two people have one direct room for good: nobody else joins it, ' +
      'and it is never closed.',
    params: accounts.ofUsername,
    answers: { 201: rooms.roomSchema, 200: rooms.roomSchema },
    errors: ['not_found'],
    headers: write,
  },

  // Messages --------------------------------------------------------------------------------------------------------

  postMessage: {
    method: 'POST',
    path: '/v1/rooms/{id}/messages',
    tag: 'Messages',
    auth: 'user',
    summary: 'Post a message',
    description:
      'Choose the `id` yourself and repeat the request with it as often as needed: the message is posted once. 201 for ' +
      'the first time; 200 with the first result when the same content comes again; `duplicate_id` for other content.',
    params: rooms.inRoom,
    body: messages.postMessageBody,
    answers: { 201: messages.messageSchema, 200: messages.messageSchema },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed', 'duplicate_id'],
    headers: write,
  },
  listMessages: {
    method: 'GET',
    path: '/v1/rooms/{id}/messages',
    tag: 'Messages',
    auth: 'user',
    summary: 'The messages of a room',
    description:
      'In the order in which they were posted, from either end or from a revision. Redacted messages are in the list, ' +
      'without their text.',
    params: rooms.inRoom,
    query: messages.messagesQuery,
    answers: { 200: messages.messageListSchema },
    errors: ['not_found', 'not_a_member'],
    headers: read,
  },
  editMessage: {
    method: 'PATCH',
    path: '/v1/rooms/{id}/messages/{messageId}',
    tag: 'Messages',
    auth: 'user',
    summary: 'Edit a message',
    description: 'For its author only. A redacted message cannot be edited: `conflict`.',
    params: messages.ofMessage,
    body: messages.editMessageBody,
    answers: { 200: messages.messageSchema },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed', 'conflict'],
    headers: write,
  },
  redactMessage: {
    method: 'DELETE',
    path: '/v1/rooms/{id}/messages/{messageId}',
    tag: 'Messages',
    auth: 'user',
    summary: 'Redact a message',
    description:
      'Takes the text away from all readers and leaves the place where it was. For its author, moderators and owners of ' +
      'the room, and administrators. Redacting a redacted message changes nothing.',
    params: messages.ofMessage,
    body: messages.redactMessageBody.prefault({}),
    answers: { 200: messages.messageSchema },
    errors: ['not_found', 'not_a_member', 'forbidden'],
    headers: write,
  },
  addReaction: {
    method: 'PUT',
    path: '/v1/rooms/{id}/messages/{messageId}/reactions/{emoji}',
    tag: 'Messages',
    auth: 'user',
    summary: 'React to a message',
    description:
      'The emoji is percent-encoded UTF-8. Reacting twice in the same way changes nothing. A redacted message takes no ' +
      'new reactions: `conflict`.',
    params: messages.ofReaction,
    answers: { 204: null },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed', 'conflict'],
    headers: write,
  },
  removeReaction: {
    method: 'DELETE',
    path: '/v1/rooms/{id}/messages/{messageId}/reactions/{emoji}',
    tag: 'Messages',
    auth: 'user',
    summary: 'Take a reaction back',
    description: 'Taking back what is not there changes nothing.',
    params: messages.ofReaction,
    answers: { 204: null },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed'],
    headers: write,
  },
  markRead: {
    method: 'PUT',
    path: '/v1/rooms/{id}/read',
    tag: 'Messages',
    auth: 'user',
    summary: 'Tell how far the caller has read',
    description: 'Read marks are private: nobody else sees them, and they are not events.',
    params: rooms.inRoom,
    body: messages.markReadBody,
    answers: { 204: null },
    errors: ['not_found', 'not_a_member'],
    headers: write,
  },
  getInbox: {
    method: 'GET',
    path: '/v1/inbox',
    tag: 'Messages',
    auth: 'user',
    summary: 'The rooms of the caller, latest first',
    query: messages.inboxQuery,
    answers: { 200: messages.inboxSchema },
    errors: [],
    headers: read,
  },
  searchMessages: {
    method: 'GET',
    path: '/v1/search',
    tag: 'Messages',
    auth: 'user',
    summary: 'Find messages',
    description:
      'In rooms that the caller is in, as far back as the caller may read. New messages can take a moment to be found.',
    query: messages.searchQuery,
    answers: { 200: messages.messageListSchema },
    errors: ['not_found', 'not_a_member'],
    headers: read,
  },

  // Events ----------------------------------------------------------------------------------------------------------

  listEvents: {
    method: 'GET',
    path: '/v1/rooms/{id}/events',
    tag: 'Events',
    auth: 'user',
    summary: 'Everything that happened in a room',
    description:
      'In order of revision. For members of the room, and for administrators and auditors in all rooms. `data` is cut to ' +
      'what the reader may see: a text that was edited or redacted since is null in it, except for administrators and ' +
      'auditors. `sealed` is the same for everybody; `hash` is the SHA-256 of its UTF-8 bytes, and `prev` the hash of ' +
      'the event before, so that each reader can check that nothing was changed or left out.',
    params: rooms.inRoom,
    query: rooms.eventsQuery,
    answers: { 200: storedEventListSchema },
    errors: ['not_found', 'not_a_member'],
    headers: read,
  },

  // Operation -------------------------------------------------------------------------------------------------------

  getLiveness: {
    method: 'GET',
    path: '/health/live',
    tag: 'Operation',
    auth: 'none',
    summary: 'Whether the process runs',
    answers: { 200: healthSchema },
    errors: [],
    headers: none,
  },
  getReadiness: {
    method: 'GET',
    path: '/health/ready',
    tag: 'Operation',
    auth: 'none',
    summary: 'Whether the process can serve',
    description: '`unavailable` until event store, database and feed are up and the read models have caught up.',
    answers: { 200: healthSchema },
    errors: ['unavailable'],
    headers: none,
  },
  getMetrics: {
    method: 'GET',
    path: '/metrics',
    tag: 'Operation',
    auth: 'none',
    summary: 'Figures for Prometheus',
    answers: { 200: metricsSchema },
    mediaType: 'text/plain',
    errors: [],
    headers: none,
  },
  getAbout: {
    method: 'GET',
    path: '/v1/about',
    tag: 'Operation',
    auth: 'none',
    summary: 'What answers here',
    answers: { 200: aboutSchema },
    errors: [],
    headers: none,
  },
  getOpenApi: {
    method: 'GET',
    path: '/openapi.json',
    tag: 'Operation',
    auth: 'none',
    summary: 'This document',
    answers: { 200: documentSchema },
    errors: [],
    headers: none,
  },
  getAsyncApi: {
    method: 'GET',
    path: '/asyncapi.json',
    tag: 'Operation',
    auth: 'none',
    summary: 'The WebSocket, described in AsyncAPI',
    answers: { 200: documentSchema },
    errors: [],
    headers: none,
  },
} as const satisfies Record<string, Call>;

export type CallName = keyof typeof calls;

/** The same table without the exact types, for walking through it. */
export const callList = Object.entries<Call>(calls) as [CallName, Call][];

// Types of one call -------------------------------------------------------------------------------------------------

type Table = typeof calls;
type Part<K extends CallName, P extends string> = Table[K] extends { readonly [Q in P]: infer S extends z.ZodType }
  ? S
  : z.ZodUndefined;

/** The body of a call once it was checked: `BodyOf<'postMessage'>`; undefined where there is none. */
export type BodyOf<K extends CallName> = z.output<Part<K, 'body'>>;

/** The body of a call as clients write it. */
export type BodyToSend<K extends CallName> = z.input<Part<K, 'body'>>;

/** The query of a call once it was checked. */
export type QueryOf<K extends CallName> = z.output<Part<K, 'query'>>;

/** The parameters in the path of a call once they were checked. */
export type ParamsOf<K extends CallName> = z.output<Part<K, 'params'>>;

/** The body of the answer of a call; undefined for 204. */
export type AnswerOf<K extends CallName> = AnswerBody<Table[K]['answers'][keyof Table[K]['answers']]>;
type AnswerBody<S> = S extends z.ZodType ? z.output<S> : undefined;

// Errors of one call ------------------------------------------------------------------------------------------------

/** All codes that a call may answer with, in the order of the table of errors. */
export function errorsOf(call: Call): ErrorCode[] {
  const possible = new Set<ErrorCode>([...call.errors, 'internal']);
  if (call.path.startsWith('/v1/')) possible.add('not_acceptable').add('rate_limited').add('unavailable');
  if (call.params || call.query || call.body || call.headers !== none) possible.add('invalid_request');
  if (call.body) possible.add('too_large').add('unsupported_media_type');
  if (call.auth !== 'none') possible.add('unauthenticated');
  if (call.auth === 'admin') possible.add('forbidden');
  if (call.headers.request['Idempotency-Key']) possible.add('conflict');
  return errorCodes.filter((code) => possible.has(code));
}

/** The statuses of all answers of a call, each with the codes that it may carry (none for success). */
export function statusesOf(call: Call): Map<number, ErrorCode[]> {
  const statuses = new Map<number, ErrorCode[]>(Object.keys(call.answers).map((status) => [Number(status), []]));
  for (const code of errorsOf(call)) {
    const { status } = errors[code];
    statuses.set(status, [...(statuses.get(status) ?? []), code]);
  }
  return statuses;
}
