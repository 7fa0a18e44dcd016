import type { RoomEvent } from '@verbatim/domain';
import { z } from 'zod';
import { personSchema } from './accounts.js';
import { id, position, revision, time } from './fields.js';
import { listOf } from './lists.js';
import { roomRole, roomSchema } from './rooms.js';

// What happened -----------------------------------------------------------------------------------------------------

/** Shown to those who may see it; null once it was forgotten. */
const erasable = z.string().nullable();
const imported = z
  .object({ file: z.string(), place: z.int() })
  .optional()
  .describe('Where an imported event was read. Only for administrators and auditors.');
const passwordId = id
  .nullable()
  .optional()
  .describe('Names the password without telling it. Only for administrators and auditors.');
const { visibility, history } = roomSchema.shape;
const nothing = z.object({});
const reaction = z.object({ messageId: id, emoji: z.string() });

export type RoomEventType = RoomEvent['type'];

/** The data of each type of room event as readers see it: fields that a reader may not see are absent. */
export const roomEventData = {
  RoomCreated: z.object({ name: erasable, topic: erasable, visibility, history, passwordId, imported }),
  RoomAbandoned: nothing.describe('The id of a room was given up before the room came to be.'),
  RoomNameAbandoned: z
    .object({ claim: z.string().optional() })
    .describe('An attempt to take a name was given up. Of no interest to clients.'),
  RoomChanged: z
    .object({ name: erasable, topic: erasable, visibility, history, passwordId })
    .partial()
    .describe('Holds the changed fields only.'),
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
    text: erasable.describe('Null if a later edit or redaction replaced it, or once it was forgotten.'),
    replyTo: id.nullable(),
    kind: z.enum(['text', 'action']),
    imported,
  }),
  MessageEdited: z.object({
    messageId: id,
    text: erasable.describe('Null if a later edit or redaction replaced it, or once it was forgotten.'),
  }),
  MessageRedacted: z.object({
    messageId: id,
    authorId: id,
    reason: erasable.optional().describe('Only for owners, moderators, administrators and auditors.'),
  }),
  ReactionAdded: reaction,
  ReactionRemoved: reaction.describe('The one who had reacted took it back.'),
  ChatClosed: z.object({ reason: erasable }),
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
  occurredAt: time.optional().describe('When it took place, if that was earlier: imports only.'),
  actor: personSchema.nullable().describe('Who caused it, or null for the service itself.'),
};

/** What a live event tells besides its type and data. */
export const liveEnvelopeSchema = z.object(happening);

/** What a stored event tells besides its type and data. */
export const storedEnvelopeSchema = z.object({
  id,
  stream: z.string().describe('`room-` and the id of the room, or `user-` and the id of the account.'),
  ...happening,
  position,
  sealed: z.string().describe('The exact text that is stored, with personal fields encrypted.'),
  prev: z.string().nullable().describe('The `hash` of the event before it in the stream, null at revision 0.'),
  hash: z.string().describe('SHA-256 of `sealed`, in hexadecimal.'),
});

/** A room event as it comes over the WebSocket. */
export const liveEventSchema = z.intersection(liveEnvelopeSchema, roomFactSchema);
export type LiveEvent = z.output<typeof liveEventSchema>;

/** A room event as the log holds it. */
export const storedEventSchema = z.intersection(storedEnvelopeSchema, roomFactSchema);
export type StoredEvent = z.output<typeof storedEventSchema>;
export const storedEventListSchema = listOf(storedEventSchema);
