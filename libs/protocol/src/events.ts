import type { RoomEvent, WITHHELD } from '@verbatim/domain';
import { z } from 'zod';
import { id, position, revision, time } from './fields.js';
import { listOf } from './lists.js';
import { personSchema } from './person.js';
import { roomRole, roomSchema, slowModeSeconds } from './rooms.js';

// What happened -----------------------------------------------------------------------------------------------------

/** Shown to those who may see it; null once it was forgotten. */
const erasable = z.string().nullable();
const imported = z
  .object({ file: z.string(), place: z.int() })
  .optional()
  .describe('Source of an imported event. Only for administrators and auditors.');
const passwordId = id
  .nullable()
  .optional()
  .describe('Refers to the password without revealing it. Only for administrators and auditors.');
const { visibility, history } = roomSchema.shape;
const vaultId = id
  .optional()
  .describe('Refers to the URL or the signing secret without revealing it. Only for administrators and auditors.');
const sent = z.array(z.string()).describe('Event types that are sent.');
/** Why a webhook sends nothing. */
export const webhookStop = z
  .enum(['paused', 'owner_gone', 'receiver_gone', 'failing'])
  .describe(
    '`paused`: someone paused it; `owner_gone`: its owner may no longer have webhooks here; ' +
      '`receiver_gone`: the receiver answered 410; `failing`: it has failed for three days.',
  );
const inspected = [
  'messages',
  'events',
  'members',
  'search',
  'live',
  'bans',
  'reports',
  'replay',
  'proof',
  'export',
] as const;
const nothing = z.object({});
const reaction = z.object({ messageId: id, emoji: z.string() });

/** Types of room events, and what stands in the place of those that a reader may not know of. */
export type RoomEventType = RoomEvent['type'] | typeof WITHHELD;

/** The data of each type of room event as readers see it: fields that a reader may not see are absent. */
export const roomEventData = {
  RoomCreated: z.object({ name: erasable, topic: erasable, visibility, history, passwordId, imported }),
  RoomAbandoned: nothing.describe('Creating a room with this id was abandoned.'),
  RoomNameAbandoned: z
    .object({ claim: z.string().optional() })
    .describe('An attempt to take a name was abandoned. Clients can ignore it.'),
  RoomChanged: z
    .object({ name: erasable, topic: erasable, visibility, history, passwordId, slowModeSeconds })
    .partial()
    .describe('Contains only the changed fields.'),
  MemberJoined: z.object({ userId: id, role: roomRole, imported }),
  MemberLeft: z.object({ userId: id, imported }),
  MemberRemoved: z.object({
    userId: id,
    reason: erasable.optional().describe('Only for owners, moderators, administrators and auditors.'),
    imported,
  }),
  MemberRoleChanged: z.object({ userId: id, role: roomRole }),
  MessagePosted: z.object({
    messageId: id,
    text: erasable.describe('Null once an edit or redaction replaced it, or once it was erased.'),
    replyTo: id.nullable(),
    kind: z.enum(['text', 'action']),
    imported,
  }),
  MessageEdited: z.object({
    messageId: id,
    text: erasable.describe('Null once an edit or redaction replaced it, or once it was erased.'),
  }),
  MessageRedacted: z.object({
    messageId: id,
    authorId: id,
    reason: erasable.optional().describe('Only for owners, moderators, administrators and auditors.'),
  }),
  TextsErased: z
    .object({ messageId: id, erasureId: id })
    .describe('The texts of the message are erased for good, from every version of it.'),
  ReactionAdded: reaction,
  ReactionRemoved: reaction.describe('The person removed their reaction.'),
  MemberBanned: z.object({
    userId: id,
    until: time.nullable().describe('Null: permanent.'),
    reason: erasable.optional().describe('Only for owners, moderators, administrators and auditors.'),
  }),
  MemberUnbanned: z.object({ userId: id }),
  MemberMuted: z.object({
    userId: id,
    until: time,
    reason: erasable.optional().describe('Only for owners, moderators, administrators and auditors.'),
  }),
  MemberUnmuted: z.object({ userId: id }),
  MessageReported: z
    .object({ reportId: id, messageId: id, reason: erasable })
    .describe('Only for owners, moderators, administrators and auditors.'),
  ReportSettled: z
    .object({ reportId: id, outcome: z.enum(['dismissed', 'acted']), note: erasable })
    .describe('Only for owners, moderators, administrators and auditors.'),
  RoomInspected: z
    .object({ what: z.enum(inspected), reason: erasable })
    .describe(
      'An administrator or auditor who is not a member read the room. Only for owners, administrators and auditors.',
    ),
  ChatClosed: z.object({ reason: erasable }),
  WebhookAdded: z
    .object({ webhookId: id, host: erasable, events: sent, urlId: vaultId, secretId: vaultId })
    .describe('From now on, events of the room are sent to this host.'),
  WebhookChanged: z
    .object({ webhookId: id, host: erasable.optional(), events: sent.optional(), urlId: vaultId, secretId: vaultId })
    .extend({ stopped: webhookStop.nullable().optional() })
    .describe(
      'Contains only the changed fields. `stopped` is the reason why nothing is sent; null: sending was resumed.',
    ),
  WebhookRemoved: z.object({ webhookId: id }),
  IncomingWebhookAdded: z
    .object({ webhookId: id, botId: id, name: erasable })
    .describe('Programs can post to the room as this bot.'),
  IncomingWebhookRemoved: z.object({ webhookId: id }),
  EventWithheld: nothing.describe(
    'Replaces an event that the reader may not see, so that there is no gap. Its actor and text are null.',
  ),
} as const satisfies Record<RoomEventType, z.ZodObject>;

export const roomEventTypes = Object.keys(roomEventData) as RoomEventType[];

type Fact<T extends RoomEventType> = z.ZodObject<{ type: z.ZodLiteral<T>; data: (typeof roomEventData)[T] }>;
type Facts = { [T in RoomEventType]: Fact<T> };

const facts = roomEventTypes.map((type) => z.object({ type: z.literal(type), data: roomEventData[type] }));

/** Type and data of a room event. */
export const roomFactSchema = z.discriminatedUnion('type', facts as unknown as [Facts[RoomEventType]]);

/** The schemas that descriptions of the API call by these names: `MessagePostedData` and so on. */
export const namedEventSchemas: Record<string, z.ZodType> = {
  RoomFact: roomFactSchema,
  ...Object.fromEntries(roomEventTypes.map((type) => [`${type}Data`, roomEventData[type]])),
};

// Where and when ----------------------------------------------------------------------------------------------------

const happening = {
  revision,
  at: time.describe('When it was recorded.'),
  occurredAt: time.optional().describe('When it happened, if that was earlier: imported and generated events only.'),
  actor: personSchema.nullable().describe('Who caused it; null for the service itself.'),
};

/** The fields of a live event besides type and data. */
export const liveEnvelopeSchema = z.object(happening);

/** The fields of a stored event besides type and data. */
export const storedEnvelopeSchema = z.object({
  id,
  stream: z.string().describe('`room-` and the id of the room, or `user-` and the id of the account.'),
  ...happening,
  door: z
    .string()
    .optional()
    .describe('The door of an older chat system through which it was asked for; absent for this API.'),
  position,
  sealed: z
    .string()
    .nullable()
    .describe('The exact stored text, with personal fields encrypted; null for `EventWithheld`.'),
  prev: z.string().nullable().describe('The `hash` of the previous event in the stream; null at revision 0.'),
  hash: z.string().describe('SHA-256 of `sealed`, in hexadecimal.'),
});

/** A room event as it comes over the WebSocket. */
export const liveEventSchema = z.intersection(liveEnvelopeSchema, roomFactSchema);
export type LiveEvent = z.output<typeof liveEventSchema>;

/** A room event as the log holds it. */
export const storedEventSchema = z.intersection(storedEnvelopeSchema, roomFactSchema);
export type StoredEvent = z.output<typeof storedEventSchema>;
export const storedEventListSchema = listOf(storedEventSchema);
