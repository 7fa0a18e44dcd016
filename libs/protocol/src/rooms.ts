import { z } from 'zod';
import {
  changes,
  count,
  id,
  invitation,
  numberParameter,
  parameter,
  reason,
  revision,
  roomName,
  roomPassword,
  roomTopic,
  time,
  trimmedText,
  whole,
} from './fields.js';
import { listOf, order, paging } from './lists.js';

const visibility = z
  .enum(['public', 'private', 'hidden'])
  .describe(
    '`public`: anyone joins; `private`: joined with its password or an invitation, not in the lists of others; `hidden`: not found by others.',
  );

const anyVisibility = z
  .enum([...visibility.options, 'direct'])
  .describe('As for `visibility` of a new room; `direct`: the one room of two people.');

const history = z
  .enum(['full', 'joined'])
  .describe('Whether members see what was said before they joined. A public room always shows all of it.');

export const roomRole = z
  .enum(['owner', 'moderator', 'member', 'guest'])
  .describe('Owners change the room, moderators also remove people and messages, guests only read.');

export const slowModeSeconds = whole(0, 3_600).describe(
  'Seconds from one message of a member to their next one; 0: no slow mode. Moderators and owners do not wait.',
);

// Bodies, parameters and queries ------------------------------------------------------------------------------------

export const createRoomBody = z
  .object({
    name: roomName,
    topic: roomTopic.default(''),
    visibility: visibility.default('public'),
    history: history.default('full'),
    password: roomPassword.optional().describe('People need it to join.'),
  })
  .meta({ examples: [{ name: 'engine room', topic: 'Notes on the analytical engine' }] });

export const changeRoomBody = changes({
  name: roomName,
  topic: roomTopic,
  visibility,
  history,
  password: roomPassword.nullable().describe('A new password, or null for none.'),
  slowModeSeconds,
});

export const closeRoomBody = z.object({ reason });

/** Without `userId` the caller joins; with it an owner or moderator adds that person. */
export const addMemberBody = z
  .object({
    userId: id.optional(),
    role: roomRole.optional().describe('Only with `userId`; `member`, if absent.'),
    password: roomPassword.optional().describe("The room's password, when joining."),
    invitation,
  })
  .refine(({ userId, role }) => userId !== undefined || role === undefined, {
    path: ['role'],
    error: 'may only be given together with userId',
  })
  .meta({
    examples: [{}, { password: 'open sesame' }, { userId: '01985f6e-7a2c-7000-8000-00000000ada1', role: 'guest' }],
  });

export const changeMemberBody = z.object({ role: roomRole });

export const removeMemberBody = z.object({
  reason,
  successor: id.optional().describe('The member who becomes owner in the place of an owner who goes.'),
});

export const inRoom = z.object({ id: id.describe('The room.') });
export const ofMember = inRoom.extend({ userId: id.describe('The member.') });
export const ofMemberOrMe = inRoom.extend({
  userId: z
    .union([z.literal('me'), id], 'must be a UUID or the word me')
    .describe('The member, or `me` for the caller.'),
});

export const roomsQuery = z.object({
  q: parameter(trimmedText(200).optional()).describe(
    'Parts of a name, in any order, all of which must be there, compared as names of people are.',
  ),
  member: parameter(z.enum(['me']).optional()).describe('`me`: only rooms that the caller is in.'),
  status: parameter(z.enum(['open', 'closed']).optional()).describe('Only rooms of this status; all, if absent.'),
  visibility: parameter(anyVisibility.optional()).describe('Only rooms of this visibility; all, if absent.'),
  sort: parameter(z.enum(['createdAt', 'name', 'members', 'activity']).default('createdAt')).describe(
    '`activity`: the time of the last message. A room whose place changes meanwhile may be on two pages or on none.',
  ),
  order: parameter(order.default('desc')),
  ...paging,
});

export const eventsQuery = z.object({
  from: numberParameter(revision.default(0)).describe('The revision to start at, inclusive.'),
  ...paging,
});

export const membersQuery = z.object(paging);

// Answers -----------------------------------------------------------------------------------------------------------

export const roomSchema = z.object({
  id,
  name: z.string().nullable().describe('Empty for direct rooms, null once the room has been forgotten.'),
  topic: z.string().nullable().describe('Empty if there is none, null once the room has been forgotten.'),
  visibility: anyVisibility,
  history,
  hasPassword: z.boolean(),
  slowModeSeconds,
  status: z.enum(['open', 'closed']),
  memberCount: count,
  createdBy: id.nullable().describe('Id of a user, or null for the service itself.'),
  createdAt: time,
  revision: revision.describe('Revision of the newest event of the room.'),
  messageCount: count
    .optional()
    .describe('All messages ever posted. Visible to administrators and auditors only, in reads only.'),
  activeAt: time
    .optional()
    .describe('When the last message was posted, or the room created if there is none. Told as `messageCount` is.'),
  closing: z
    .object({
      at: time,
      by: id.nullable().describe('Id of a user, or null for the service.'),
      reason: z.string().nullable(),
    })
    .nullable()
    .optional()
    .describe('When, by whom and why the room was closed; null while it is open. Told as `messageCount` is.'),
});
export type Room = z.output<typeof roomSchema>;
export const roomListSchema = listOf(roomSchema);

export const memberSchema = z.object({
  userId: id,
  username: z.string(),
  displayName: z.string().nullable(),
  role: roomRole,
  joinedAt: time,
  mutedUntil: time.nullable().describe('Until when the member may not speak, or null.'),
});
export type Member = z.output<typeof memberSchema>;
export const memberListSchema = listOf(memberSchema);

export const membershipSchema = z.object({ room: roomSchema, role: roomRole, joinedAt: time });
export type Membership = z.output<typeof membershipSchema>;
export const membershipListSchema = listOf(membershipSchema);
