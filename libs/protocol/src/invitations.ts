import { z } from 'zod';
import { count, id, invitationCode, time, whole } from './fields.js';
import { listOf, paging } from './lists.js';
import { personSchema } from './person.js';
import { inRoom } from './rooms.js';

// Bodies, parameters and queries ------------------------------------------------------------------------------------

const uses = whole(1, 10_000)
  .nullable()
  .default(1)
  .describe('How many people it lets in; null for any number. Once, if absent.');
const expiresInSeconds = whole(60, 31_536_000).default(604_800).describe('A minute to a year; a week, if absent.');
const invitedRole = z.enum(['member', 'guest']).describe('The role that it gives in the room.');

export const createInvitationBody = z.object({ uses, expiresInSeconds });
export const createRoomInvitationBody = z.object({ uses, expiresInSeconds, role: invitedRole.default('member') });
export const lookUpInvitationBody = z.object({ code: invitationCode });

export const ofInvitation = z.object({ id: id.describe('The invitation.') });
export const ofRoomInvitation = inRoom.extend({ invitationId: id.describe('The invitation.') });
export const invitationsQuery = z.object(paging);

// Answers -----------------------------------------------------------------------------------------------------------

const known = {
  kind: z.enum(['server', 'room']).describe('`server`: to create an account; `room`: to join a room.'),
  role: invitedRole.nullable().describe('The role that it gives in the room; null for `server`.'),
  expiresAt: time,
};

export const invitationSchema = z.object({
  id,
  ...known,
  roomId: id.nullable().describe('Null for `server`.'),
  uses: z.int().nullable().describe('How many people it lets in; null for any number.'),
  used: count.describe('How many people it has let in.'),
  revoked: z.boolean(),
  createdBy: id,
  createdAt: time,
});
export type Invitation = z.output<typeof invitationSchema>;
export const invitationListSchema = listOf(invitationSchema);

export const madeInvitationSchema = invitationSchema.extend({
  code: invitationCode.describe('The code for the invited people. Shown only once.'),
});
export type MadeInvitation = z.output<typeof madeInvitationSchema>;

export const invitationUseSchema = z.object({ user: personSchema, at: time });
export const invitationUseListSchema = listOf(invitationUseSchema);

export const invitationForSchema = z.object({
  ...known,
  room: z
    .object({ id, name: z.string().nullable() })
    .nullable()
    .describe('The room, hidden or not; null for `server`.'),
  inviter: personSchema,
});
export type InvitationFor = z.output<typeof invitationForSchema>;
