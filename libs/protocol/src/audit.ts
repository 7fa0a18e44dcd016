import { id, instant, numberParameter, opaque, parameter, revision, time, whole } from './fields.js';
import { listOf, order, paging } from './lists.js';
import { messageSchema } from './messages.js';
import { personSchema } from './person.js';
import { memberSchema, roomSchema } from './rooms.js';
import { z } from './zod.js';

// The audit trail ---------------------------------------------------------------------------------------------------

/** What an action was done to. */
export const targetKinds = ['room', 'user', 'message', 'report', 'webhook', 'invitation', 'service'] as const;
const targetKind = z.enum(targetKinds).describe('What it was done to; `service`: the service as a whole.');

/** The types of events that record what administrators and auditors do, other than as members and with their own account. */
export const auditedActions = [
  ...(['RoomInspected', 'RoomCreated', 'RoomChanged', 'ChatClosed', 'MemberJoined', 'MemberRemoved'] as const),
  ...([
    'MemberRoleChanged',
    'MessageRedacted',
    'MemberBanned',
    'MemberUnbanned',
    'MemberMuted',
    'MemberUnmuted',
  ] as const),
  ...(['ReportSettled', 'WebhookAdded', 'WebhookChanged', 'WebhookRemoved', 'IncomingWebhookAdded'] as const),
  ...(['IncomingWebhookRemoved', 'UserRegistered', 'UserChanged', 'UserEmailChanged', 'UserRoleChanged'] as const),
  ...(['UserSuspended', 'UserReinstated', 'UserDeactivated', 'UserReactivated', 'SessionRevoked'] as const),
  ...([
    'PasswordChanged',
    'PasswordResetIssued',
    'TotpEnabled',
    'TotpDisabled',
    'TokenCreated',
    'TokenRevoked',
  ] as const),
  ...(['InvitationCreated', 'InvitationRevoked', 'Announced', 'AnnouncementWithdrawn', 'MaintenanceBegan'] as const),
  ...(['MaintenanceRevised', 'MaintenanceEnded', 'ErasureRequested', 'HoldPlaced', 'HoldLifted'] as const),
  ...(['RetentionRuleSet', 'RetentionRuleRemoved'] as const),
  'ExportRequested',
] as const;

/** Which actions are wanted. */
const wanted = {
  actor: parameter(id.optional()).describe('Only what this person did.'),
  action: parameter(z.enum(auditedActions).optional()).describe('Only actions of this kind: a type of event.'),
  kind: parameter(targetKind.optional()).describe('Only what was done to targets of this kind.'),
  target: parameter(id.optional()).describe('Only what was done to this room, person or other target.'),
  room: parameter(id.optional()).describe('Only what was done in this room.'),
  from: parameter(instant.optional()).describe('Only what was done at this time or later.'),
  before: parameter(instant.optional()).describe('Only what was done before this time.'),
};

export const auditTrailQuery = z.object({ ...wanted, order: parameter(order.default('desc')), ...paging });
export const exportAuditTrailQuery = z.object(wanted);

export const auditEntrySchema = z.object({
  id: id.describe('Id of the event that recorded it.'),
  at: time,
  actor: personSchema.describe('The administrator or auditor who did it.'),
  action: z.string().describe('What was done: the type of the event, such as `RoomInspected` or `UserSuspended`.'),
  detail: z
    .string()
    .nullable()
    .describe('More about it: what was read, the role that was given, the settings that were changed.'),
  target: z.object({
    kind: targetKind,
    id: z.string().nullable().describe('Null for the service as a whole.'),
    name: z.string().nullable().describe('The username of a person or the name of a room, as it is now.'),
  }),
  roomId: id.nullable().describe('The room in which it was done.'),
  reason: z.string().nullable().describe('Null if none was given, or once it was erased.'),
  traceId: z.string().describe('Ties it to everything else that the same request did, and to the log of the process.'),
});
export type AuditEntry = z.output<typeof auditEntrySchema>;
export const auditTrailSchema = listOf(auditEntrySchema);

// Replay ------------------------------------------------------------------------------------------------------------

const digits = /^(0|[1-9][0-9]{0,15})$/;
const placeInTime = z.preprocess(
  (value) => (typeof value === 'string' && digits.test(value) ? Number(value) : value),
  z.union([revision, instant], 'must be a revision, or a time such as 2026-01-31T12:00:00Z'),
);

export const roomStateQuery = z.object({
  at: parameter(placeInTime.optional()).describe(
    'A revision, or a time: the room as it was after that event, or after everything recorded up to that time. The newest ' +
      'revision, if absent. Beyond the end it is `invalid_request`.',
  ),
  part: parameter(z.enum(['first', 'last']).default('first')).describe(
    'Whether the page begins with the first messages, or holds the last ones before `at`. They come oldest first either way.',
  ),
  ...paging,
});

const messageThenSchema = messageSchema.omit({ reactions: true }).extend({
  text: z
    .string()
    .nullable()
    .describe(
      'As it read then. Null if it was redacted by then or erased since, and, except for administrators and auditors, if ' +
        'an edit or redaction has replaced it since.',
    ),
  visibleTo: z.array(id).describe('Ids of those who were in the room when it was posted, its author among them.'),
});

export const roomStateSchema = z.object({
  revision,
  at: time.describe('When the event at this revision was recorded.'),
  room: roomSchema.omit({ messageCount: true, activeAt: true, closing: true }),
  members: z
    .array(memberSchema.omit({ mutedUntil: true }))
    .describe('In the order in which they joined; at most 10,000. Names are those of today.'),
  messages: z.array(messageThenSchema).describe('The messages posted by then, oldest first.'),
  page: z.object({
    next: opaque
      .nullable()
      .describe('Cursor of the next page of messages: the later ones, or with `part=last` the earlier.'),
  }),
});
export type RoomState = z.output<typeof roomStateSchema>;

export const roomTimelineQuery = z.object({
  points: numberParameter(whole(2, 200).default(100)).describe('How many points are wanted.'),
});

export const roomTimelineSchema = z.object({
  points: z
    .array(z.object({ revision, at: time }))
    .describe('Events at even distances from the first that the reader may see to the last.'),
});
export type RoomTimeline = z.output<typeof roomTimelineSchema>;
