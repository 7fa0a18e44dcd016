import { z } from 'zod';
import * as accounts from './accounts.js';
import * as administration from './administration.js';
import * as audit from './audit.js';
import type { Call, Tag } from './call.js';
import { callList, statusesOf } from './calls.js';
import * as erasures from './erasures.js';
import { type ErrorCode, errors, inputErrorSchema, problemMediaType, problemSchema } from './errors.js';
import * as events from './events.js';
import * as exports from './exports.js';
import * as invitations from './invitations.js';
import { type JsonSchema, jsonSchema, mayBeAbsent, namedJsonSchemas, referenceTo } from './json-schema.js';
import * as messages from './messages.js';
import * as moderation from './moderation.js';
import * as operation from './operation.js';
import { personSchema } from './person.js';
import * as rooms from './rooms.js';
import * as sessions from './sessions.js';
import { beginInvitedSignOnBody, endSignOnBody, placeOfSignOnSchema, signInOptionsSchema } from './sign-on-calls.js';
import * as tokens from './tokens.js';
import * as webhooks from './webhooks.js';

/** Builds the OpenAPI 3.1 document of the REST API. `version` is that of the release. The result is the same each time. */
export function openapi({ version }: { version: string }): JsonSchema {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Verbatim',
      version,
      description: conventions,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This service.' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    security: [{ bearer: [] }],
    paths: paths(),
    webhooks: { event: sentEvent() },
    components: {
      schemas: namedJsonSchemas(namedSchemas, 'draft-2020-12'),
      responses: errorAnswers(),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An access token or a personal token.' },
      },
    },
  };
}

const tags: Record<Tag, string> = {
  Accounts: 'People, signing in, and roles on the server.',
  Sessions: 'Sessions, passwords and second factors.',
  'Single sign-on': 'Signing in at an identity provider with OpenID Connect.',
  Tokens: 'Personal tokens for programs, and bots.',
  Rooms: 'Rooms and who is in them.',
  Invitations: 'Codes that let people create an account or join a room.',
  Messages: 'Messages, reactions, read marks and search.',
  Moderation: 'Bans, mutes, reports, and who owns a room.',
  Events: 'The log of a room or an account, from which everything else is built.',
  Audit: 'What administrators and auditors did, rooms as they were, and exports that anybody can check.',
  Erasure: 'Forgetting people, rooms and messages, rules of retention, and legal holds that forbid both.',
  Webhooks: 'Events of rooms sent to other services, and URLs at which programs post.',
  Administration: 'Configuration, status and announcements of the service.',
  Operation: 'For operators of the service.',
};

const conventions = `
Chat that you can run yourself, audit and replay. The live side, a WebSocket at \`GET /v1/ws\`, is described in \`/asyncapi.json\`.

## Formats
Bodies are JSON in UTF-8. Ids are UUIDs, in lower case in answers whatever you sent; an id in a path that is not a UUID is
\`invalid_request\`. Times are RFC 3339 in UTC with milliseconds. Numbers in the query string are plain decimal digits. Unknown fields and
query parameters are ignored; known ones of the wrong type are \`invalid_request\`. An empty query parameter (\`?q=\`) counts as
absent. Fields, error codes and event types may be added at any time: ignore those that you do not know.

## Text
Text is normalized to Unicode form C before it is stored or compared, so an answer may contain different code points than you
sent. Limits count code points after that. NUL and lone surrogates are refused. Spaces around names of rooms and people are
removed. A text that is \`null\` in an answer was redacted or erased.

## Credentials
Send \`Authorization: Bearer <token>\`: an access token, or a personal token, which has scopes (\`read\`, \`post\`, \`manage\`; none
includes another) and gets \`forbidden\` for everything else. A missing, invalid or expired token returns \`unauthenticated\`. A hidden room returns
\`not_found\` to people who are not in it, as if it did not exist.

Auditors can read everything and change only their own account: every other write returns \`forbidden\`. Administrators and auditors who
read a room that they are not in must give a reason in the header \`Verbatim-Reason\`; without it the answer is \`reason_required\`. The
read and its reason are recorded in the room, visible to its owners, administrators and auditors.

## Errors
Every error is \`${problemMediaType}\` (RFC 9457) with a \`code\` for programs; \`retryable\` says whether the same request may succeed
later, and the header \`Retry-After\` when, in seconds. Invalid input is listed in \`errors\`, at most 20 entries, without the values that you
sent. A path that does not exist returns \`not_found\`; a method that it does not support \`method_not_allowed\`.

| code | status | retryable | meaning |
|---|---|---|---|
${Object.entries(errors)
  .map(([code, { status, retryable, title }]) => `| \`${code}\` | ${status} | ${retryable ? 'yes' : 'no'} | ${title} |`)
  .join('\n')}

## Lists
A list returns \`{items, page}\`. Pass \`page.next\` as \`cursor\`, with the other parameters unchanged, to get the next page; on the last
page it is \`null\`. Do not count items: a page ends early, at about 1 MiB, if its items are large, so it can have fewer than \`limit\` items
although there are more. Cursors are opaque; one that the service did not issue is \`invalid_request\`.
Reading is also limited by time: clients that read too much get \`rate_limited\` and wait for \`Retry-After\`.

## Order
Every event of a room has a \`revision\`, its place in that room from 0, and a \`position\`, its place in the log of the whole service.
\`from\` includes the revision it names, \`after\` does not.

## Reading what you wrote
A write is answered when reads will show it. If that takes too long, it succeeds all the same, with the header
\`Verbatim-Position\`; a read that sends this header with the same value waits for the write. If a write returns \`unavailable\`, it is
unknown whether it took effect: repeat it with the same id or key.

## Maintenance
During maintenance, changes by anyone but administrators are answered with \`maintenance\`, with \`Retry-After\` and the notice in
\`detail\`. The change was not made and will not be made: send it again later. Reading, read marks, signing in and securing an account
continue. A write that was already stored returns its original answer when it is repeated with the same id or key. \`GET /v1/about\` and
the frame \`maintenance\` show when maintenance starts and ends.

## Repeating
Every write outside \`/v1/auth\`, except those that return a secret, accepts the header \`Idempotency-Key\`: 1 to 200 visible ASCII characters of
your choice. A request repeated by the same person with the same key takes effect once. A key used for another request returns
\`conflict\`. Messages need no key: their \`id\` does the same.
`.trim();

// Schemas -----------------------------------------------------------------------------------------------------------

/** The schemas that have names of their own in the document. */
const namedSchemas: Record<string, z.ZodType> = {
  User: accounts.userSchema,
  UserList: accounts.userListSchema,
  NewUser: accounts.newUserSchema,
  CreateUser: accounts.createUserBody,
  Person: personSchema,
  Session: accounts.sessionSchema,
  Ticket: accounts.ticketSchema,
  Register: accounts.registerBody,
  Login: accounts.loginBody,
  Refresh: accounts.refreshBody,
  ChangeMe: accounts.changeMeBody,
  ChangeUser: accounts.changeUserBody,
  Preferences: accounts.preferencesSchema,

  Token: tokens.tokenSchema,
  NewToken: tokens.newTokenSchema,
  TokenList: tokens.tokenListSchema,
  OwnedToken: tokens.ownedTokenSchema,
  OwnedTokenList: tokens.ownedTokenListSchema,
  CreateToken: tokens.createTokenBody,
  CreateBot: tokens.createBotBody,
  LiveSession: sessions.liveSessionSchema,
  LiveSessionList: sessions.liveSessionListSchema,
  OwnedSession: sessions.ownedSessionSchema,
  OwnedSessionList: sessions.ownedSessionListSchema,
  ChangePassword: sessions.changePasswordBody,
  PasswordReset: sessions.passwordResetSchema,
  ResetPassword: sessions.resetPasswordBody,
  Proof: sessions.proofBody,
  TotpStatus: sessions.totpStatusSchema,
  NewTotp: sessions.newTotpSchema,
  ConfirmTotp: sessions.confirmTotpBody,
  RecoveryCodes: sessions.recoveryCodesSchema,
  PublicKeys: sessions.publicKeysSchema,
  SignInOptions: signInOptionsSchema,
  BeginInvitedSignOn: beginInvitedSignOnBody,
  PlaceOfSignOn: placeOfSignOnSchema,
  EndSignOn: endSignOnBody,

  Room: rooms.roomSchema,
  RoomList: rooms.roomListSchema,
  Membership: rooms.membershipSchema,
  MembershipList: rooms.membershipListSchema,
  Member: rooms.memberSchema,
  MemberList: rooms.memberListSchema,
  CreateRoom: rooms.createRoomBody,
  ChangeRoom: rooms.changeRoomBody,
  CloseRoom: rooms.closeRoomBody,
  AddMember: rooms.addMemberBody,
  ChangeMember: rooms.changeMemberBody,
  RemoveMember: rooms.removeMemberBody,

  Message: messages.messageSchema,
  FoundMessage: messages.foundMessageSchema,
  FoundMessageList: messages.foundMessageListSchema,
  MessageList: messages.messageListSchema,
  InboxItem: messages.inboxItemSchema,
  Inbox: messages.inboxSchema,
  PostMessage: messages.postMessageBody,
  EditMessage: messages.editMessageBody,
  RedactMessage: messages.redactMessageBody,
  MarkRead: messages.markReadBody,

  Ban: moderation.banSchema,
  BanList: moderation.banListSchema,
  BanMember: moderation.banBody,
  MuteMember: moderation.muteBody,
  TransferOwnership: moderation.transferBody,
  Report: moderation.reportSchema,
  ReportList: moderation.reportListSchema,
  ReportMessage: moderation.reportBody,
  SettleReport: moderation.settleBody,
  CreateInvitation: invitations.createInvitationBody,
  CreateRoomInvitation: invitations.createRoomInvitationBody,
  LookUpInvitation: invitations.lookUpInvitationBody,
  Invitation: invitations.invitationSchema,
  InvitationList: invitations.invitationListSchema,
  MadeInvitation: invitations.madeInvitationSchema,
  InvitationFor: invitations.invitationForSchema,
  InvitationUseList: invitations.invitationUseListSchema,

  Event: events.storedEventSchema,
  EventList: events.storedEventListSchema,
  EventEnvelope: events.storedEnvelopeSchema,
  ...events.namedEventSchemas,

  AuditEntry: audit.auditEntrySchema,
  AuditTrail: audit.auditTrailSchema,
  RoomState: audit.roomStateSchema,
  RoomTimeline: audit.roomTimelineSchema,

  RequestErasure: erasures.requestErasureBody,
  PlaceHold: erasures.placeHoldBody,
  Requested: erasures.requestedSchema,
  Erasure: erasures.erasureSchema,
  ErasureList: erasures.erasureListSchema,
  Hold: erasures.holdSchema,
  HoldList: erasures.holdListSchema,
  ErasedScope: erasures.erasedScopeSchema,
  SetRetentionRule: erasures.setRetentionRuleBody,
  RemoveRetentionRule: erasures.removeRetentionRuleBody,
  RetentionDryRun: erasures.retentionDryRunSchema,
  RetentionRule: erasures.retentionRuleSchema,
  Retention: erasures.retentionSchema,

  RequestExport: exports.requestExportBody,
  RequestedExport: exports.ofExport,
  Export: exports.exportSchema,
  ExportList: exports.exportListSchema,

  Webhook: webhooks.webhookSchema,
  NewWebhook: webhooks.newWebhookSchema,
  WebhookList: webhooks.webhookListSchema,
  AddWebhook: webhooks.addWebhookBody,
  ChangeWebhook: webhooks.changeWebhookBody,
  IncomingWebhook: webhooks.incomingWebhookSchema,
  NewIncomingWebhook: webhooks.newIncomingWebhookSchema,
  IncomingWebhookList: webhooks.incomingWebhookListSchema,
  AddIncomingWebhook: webhooks.addIncomingWebhookBody,
  PostToHook: webhooks.postToHookBody,
  Posted: webhooks.postedSchema,

  ProjectionGroup: administration.projectionGroupSchema,
  Projections: administration.projectionsSchema,
  Overview: administration.overviewSchema,
  Replica: administration.replicaSchema,
  Settings: administration.settingsSchema,
  Announce: administration.announceBody,
  BeginMaintenance: administration.beginMaintenanceBody,

  Problem: problemSchema,
  InputError: inputErrorSchema,
  Health: operation.healthSchema,
  About: operation.aboutSchema,
  Announcement: operation.announcementSchema,
  Maintenance: operation.maintenanceSchema,
};

const names = new Map(Object.entries(namedSchemas).map(([name, schema]) => [schema, name]));

function schemaOf(schema: z.ZodType): JsonSchema {
  const named = schema instanceof z.ZodPrefault ? (schema.unwrap() as z.ZodType) : schema;
  const name = names.get(named);
  return name ? { $ref: referenceTo(name) } : jsonSchema(schema);
}

// Paths -------------------------------------------------------------------------------------------------------------

function paths(): Record<string, Record<string, JsonSchema>> {
  const found: Record<string, Record<string, JsonSchema>> = {};
  for (const [name, call] of callList) {
    found[call.path] = { ...found[call.path], [call.method.toLowerCase()]: operationOf(name, call) };
  }
  return found;
}

function operationOf(name: string, call: Call): JsonSchema {
  const parameters = [
    ...parametersOf('path', call.params?.shape),
    ...parametersOf('query', call.query?.shape),
    ...parametersOf('header', call.headers.request),
  ];
  return {
    operationId: name,
    tags: [call.tag],
    summary: call.summary,
    description: [call.description, rights[call.auth], scopeNote(call)].filter(Boolean).join('\n\n') || undefined,
    ...(call.auth === 'none' && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(call.body && {
      requestBody: { required: !mayBeAbsent(call.body), content: content('application/json', call.body) },
    }),
    responses: Object.fromEntries(
      [...statusesOf(call)].map(([status, codes]) => [status, answer(call, status, codes)]),
    ),
  };
}

const rights: Record<Call['auth'], string> = {
  none: '',
  user: '',
  auditor: 'For administrators and auditors only.',
  admin: 'For administrators only.',
};

function scopeNote({ scope }: Call): string {
  if (!scope) return '';
  return scope === 'session' ? 'Never with a personal token.' : `A personal token needs the scope \`${scope}\`.`;
}

const content = (mediaType: string, schema: z.ZodType) => ({ [mediaType]: { schema: schemaOf(schema) } });

function parametersOf(place: 'path' | 'query' | 'header', shape: Readonly<Record<string, z.core.$ZodType>> = {}) {
  return Object.entries(shape).map(([name, field]) => {
    const { description, ...schema } = jsonSchema(field as z.ZodType);
    const required = place === 'path' || (place === 'query' && !mayBeAbsent(field as z.ZodType));
    return { name, in: place, ...(description ? { description } : {}), required, schema };
  });
}

// Webhooks ----------------------------------------------------------------------------------------------------------

/** The request that sends an event to a receiver. */
function sentEvent(): Record<string, JsonSchema> {
  const header = (name: string, description: string) => ({
    name,
    in: 'header',
    description,
    required: true,
    schema: { type: 'string' },
  });
  return {
    post: {
      summary: 'An event of a room',
      description:
        'Sent at least once, in the order of revisions, as a member of the room may see it at this moment. Any status of 200 ' +
        'to 299 is success; 410 ends the webhook; after anything else the same event is sent again later.',
      security: [],
      parameters: [
        header('webhook-id', 'Id of the event: the same at each repetition.'),
        header('webhook-timestamp', 'When it was sent: seconds since 1970.'),
        header(
          'webhook-signature',
          '`v1,` and the HMAC-SHA-256 of `<webhook-id>.<webhook-timestamp>.<body>` in base64.',
        ),
      ],
      requestBody: { required: true, content: content('application/json', events.storedEventSchema) },
      responses: { '2XX': { description: 'Taken.' }, 410: { description: 'Nothing more is wanted.' } },
    },
  };
}

// Answers -----------------------------------------------------------------------------------------------------------

function answer(call: Call, status: number, codes: ErrorCode[]): JsonSchema {
  if (codes.length > 0) return { $ref: `#/components/responses/${nameOfErrors(codes)}` };
  const schema = call.answers[status];
  const headers = Object.entries(call.headers.answer).map(([name, field]) => [name, headerOf(field)]);
  return {
    description: meaningOf[status] ?? 'Done.',
    ...(headers.length > 0 && { headers: Object.fromEntries(headers) }),
    ...(schema && { content: content(call.mediaType ?? 'application/json', schema) }),
  };
}

const meaningOf: Record<number, string> = {
  200: 'Done.',
  201: 'Done: something new was made.',
  204: 'Done. The answer has no body.',
};

const headerOf = (field: z.ZodType) => {
  const { description: _, ...schema } = jsonSchema(field);
  return {
    description: 'Only if reads may not show the change yet: send it along with a read to wait for it.',
    schema,
  };
};

// Calls whose answers of one status may carry the same codes share one description of them.
const nameOfErrors = (codes: ErrorCode[]): string => codes.join('.');

function errorAnswers(): Record<string, JsonSchema> {
  const found = callList.flatMap(([, call]) => [...statusesOf(call).values()]).filter((codes) => codes.length > 0);
  return Object.fromEntries(found.map((codes) => [nameOfErrors(codes), errorAnswer(codes)]));
}

function errorAnswer(codes: ErrorCode[]): JsonSchema {
  const retryAfter = { description: 'Seconds to wait before trying again.', schema: { type: 'integer', minimum: 1 } };
  return {
    description: codes.map((code) => `\`${code}\`: ${errors[code].title}.`).join(' '),
    ...(codes.some((code) => errors[code].retryable) && { headers: { 'Retry-After': retryAfter } }),
    content: {
      [problemMediaType]: { schema: { $ref: referenceTo('Problem'), properties: { code: { enum: codes } } } },
    },
  };
}
