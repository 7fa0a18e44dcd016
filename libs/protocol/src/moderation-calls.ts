import { type Call, inspectionHeaders, readHeaders, writeHeaders } from './call.js';
import * as messages from './messages.js';
import * as moderation from './moderation.js';
import * as rooms from './rooms.js';

/** How rooms are kept in order. */
export const moderationCalls = {
  listBans: {
    method: 'GET',
    path: '/v1/rooms/{id}/bans',
    tag: 'Moderation',
    auth: 'user',
    scope: 'read',
    summary: 'Who is banned from a room',
    description: 'For moderators and owners of the room, administrators and auditors; the latest ban first.',
    params: rooms.inRoom,
    query: moderation.bansQuery,
    answers: { 200: moderation.banListSchema },
    errors: ['not_found', 'not_a_member', 'forbidden', 'reason_required'],
    headers: inspectionHeaders,
  },
  ban: {
    method: 'PUT',
    path: '/v1/rooms/{id}/bans/{userId}',
    tag: 'Moderation',
    auth: 'user',
    scope: 'manage',
    summary: 'Ban a person from a room',
    description:
      'Moderators ban those below them and people who are not in the room, owners and administrators everybody but the ' +
      'last owner (`conflict`). The person is removed at once and cannot come in again in any way until the ban ends or ' +
      'is lifted. Banning again with another `until` changes it; with the same one it changes nothing. At most 10,000 ' +
      'bans are in force at a time: `conflict`.',
    params: moderation.ofPerson,
    body: moderation.banBody.prefault({}),
    answers: { 204: null },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed', 'conflict'],
    headers: writeHeaders,
  },
  unban: {
    method: 'DELETE',
    path: '/v1/rooms/{id}/bans/{userId}',
    tag: 'Moderation',
    auth: 'user',
    scope: 'manage',
    summary: 'Lift a ban',
    description:
      'For moderators and owners of the room, and administrators. Lifting what is not there changes nothing.',
    params: moderation.ofPerson,
    answers: { 204: null },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed'],
    headers: writeHeaders,
  },
  mute: {
    method: 'PUT',
    path: '/v1/rooms/{id}/mutes/{userId}',
    tag: 'Moderation',
    auth: 'user',
    scope: 'manage',
    summary: 'Mute a member for a time',
    description:
      'The person reads on, and until then neither posts nor edits nor reacts (`forbidden`), also after leaving and ' +
      'coming back. Moderators mute those below them, owners and administrators everybody. At most 1,000 mutes are in ' +
      'force at a time: `conflict`.',
    params: moderation.ofPerson,
    body: moderation.muteBody,
    answers: { 204: null },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed'],
    headers: writeHeaders,
  },
  unmute: {
    method: 'DELETE',
    path: '/v1/rooms/{id}/mutes/{userId}',
    tag: 'Moderation',
    auth: 'user',
    scope: 'manage',
    summary: 'Lift a mute',
    description: 'For those who may mute the person. Lifting what is not there changes nothing.',
    params: moderation.ofPerson,
    answers: { 204: null },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed'],
    headers: writeHeaders,
  },
  transferOwnership: {
    method: 'POST',
    path: '/v1/rooms/{id}/owner',
    tag: 'Moderation',
    auth: 'user',
    scope: 'manage',
    summary: 'Hand a room over',
    description: 'An owner makes a member owner and stays as moderator. Answers the new owner.',
    params: rooms.inRoom,
    body: moderation.transferBody,
    answers: { 200: rooms.memberSchema },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed'],
    headers: writeHeaders,
  },
  reportMessage: {
    method: 'POST',
    path: '/v1/rooms/{id}/messages/{messageId}/reports',
    tag: 'Moderation',
    auth: 'user',
    scope: 'post',
    summary: 'Report a message',
    description:
      'For everybody in the room, also in direct and closed rooms. Those who moderate the room, administrators and ' +
      'auditors see the report and who made it, nobody else. As long as it is open, reporting the message again answers ' +
      'the same report, with 200.',
    params: messages.ofMessage,
    body: moderation.reportBody,
    answers: { 201: moderation.reportSchema, 200: moderation.reportSchema },
    errors: ['not_found', 'not_a_member', 'forbidden', 'conflict'],
    headers: writeHeaders,
  },
  listRoomReports: {
    method: 'GET',
    path: '/v1/rooms/{id}/reports',
    tag: 'Moderation',
    auth: 'user',
    scope: 'read',
    summary: 'Reports of messages in a room',
    description: 'For moderators and owners of the room, administrators and auditors; the oldest first.',
    params: rooms.inRoom,
    query: moderation.reportsQuery,
    answers: { 200: moderation.reportListSchema },
    errors: ['not_found', 'not_a_member', 'forbidden', 'reason_required'],
    headers: inspectionHeaders,
  },
  listReports: {
    method: 'GET',
    path: '/v1/reports',
    tag: 'Moderation',
    auth: 'auditor',
    scope: 'read',
    summary: 'Reports of messages in all rooms',
    description: 'The oldest first. The messages themselves are read in their rooms.',
    query: moderation.reportsQuery,
    answers: { 200: moderation.reportListSchema },
    errors: [],
    headers: readHeaders,
  },
  settleReport: {
    method: 'POST',
    path: '/v1/rooms/{id}/reports/{reportId}/settle',
    tag: 'Moderation',
    auth: 'user',
    scope: 'manage',
    summary: 'Settle a report',
    description:
      'For moderators and owners of the room, and administrators. It only closes the report: redacting, muting and ' +
      'banning are calls of their own. A report that is not open is `not_found`.',
    params: moderation.ofReport,
    body: moderation.settleBody,
    answers: { 200: moderation.reportSchema },
    errors: ['not_found', 'not_a_member', 'forbidden'],
    headers: writeHeaders,
  },
} as const satisfies Record<string, Call>;
