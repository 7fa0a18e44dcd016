import * as accounts from './accounts.js';
import { type Call, inspectionHeaders, readHeaders, writeHeaders } from './call.js';
import * as rooms from './rooms.js';

/** Rooms and who is in them. */
export const roomCalls = {
  createRoom: {
    method: 'POST',
    path: '/v1/rooms',
    tag: 'Rooms',
    auth: 'user',
    scope: 'manage',
    summary: 'Create a room',
    description:
      'The creator is its owner. Names are unique among open rooms that are public or private, whatever their capital ' +
      'letters; closing a room sets its name free. The names of hidden rooms need not be unique.',
    body: rooms.createRoomBody,
    answers: { 201: rooms.roomSchema },
    errors: ['name_taken'],
    headers: writeHeaders,
  },
  listRooms: {
    method: 'GET',
    path: '/v1/rooms',
    tag: 'Rooms',
    auth: 'user',
    scope: 'read',
    summary: 'List rooms',
    description: 'Public rooms and your own rooms; all rooms for administrators and auditors.',
    query: rooms.roomsQuery,
    answers: { 200: rooms.roomListSchema },
    errors: [],
    headers: readHeaders,
  },
  getRoom: {
    method: 'GET',
    path: '/v1/rooms/{id}',
    tag: 'Rooms',
    auth: 'user',
    scope: 'read',
    summary: 'Get a room',
    description: 'Hidden and direct rooms return `not_found` to people who are not in them.',
    params: rooms.inRoom,
    answers: { 200: rooms.roomSchema },
    errors: ['not_found'],
    headers: readHeaders,
  },
  changeRoom: {
    method: 'PATCH',
    path: '/v1/rooms/{id}',
    tag: 'Rooms',
    auth: 'user',
    scope: 'manage',
    summary: 'Change a room',
    description: 'For owners of the room and administrators. Direct rooms have no settings.',
    params: rooms.inRoom,
    body: rooms.changeRoomBody,
    answers: { 200: rooms.roomSchema },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed', 'name_taken'],
    headers: writeHeaders,
  },
  closeRoom: {
    method: 'POST',
    path: '/v1/rooms/{id}/close',
    tag: 'Rooms',
    auth: 'user',
    scope: 'manage',
    summary: 'Close a room permanently',
    description:
      'For owners of the room and administrators. Posting and joining then answer `room_closed`; the history stays ' +
      'readable, members may leave or be removed, and messages may still be redacted. Closing a closed room changes nothing.',
    params: rooms.inRoom,
    body: rooms.closeRoomBody.prefault({}),
    answers: { 200: rooms.roomSchema },
    errors: ['not_found', 'not_a_member', 'forbidden'],
    headers: writeHeaders,
  },
  addMember: {
    method: 'POST',
    path: '/v1/rooms/{id}/members',
    tag: 'Rooms',
    auth: 'user',
    scope: 'manage',
    summary: 'Join a room, or add a person to it',
    description:
      'Without `userId`, you join: a public room freely, or with its password if it has one; a private or hidden ' +
      'room with its password. An invitation works for all of them; without one, a private or hidden room without a password ' +
      'can only be entered by being added. An incorrect password or invitation returns `forbidden`; for a hidden room `not_found`, as if it did not exist. With `userId` an ' +
      'owner or moderator adds that person: owners in any role, moderators in one below their own. 201 for a new member; 200, changing ' +
      'nothing, if the person is already in the room. Banned people cannot join (`forbidden`) or be added (`conflict`).',
    params: rooms.inRoom,
    body: rooms.addMemberBody.prefault({}),
    answers: { 201: rooms.memberSchema, 200: rooms.memberSchema },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed', 'conflict'],
    headers: writeHeaders,
  },
  listMembers: {
    method: 'GET',
    path: '/v1/rooms/{id}/members',
    tag: 'Rooms',
    auth: 'user',
    scope: 'read',
    summary: 'List members',
    description: 'Everyone can see the members of a public room.',
    params: rooms.inRoom,
    query: rooms.membersQuery,
    answers: { 200: rooms.memberListSchema },
    errors: ['not_found', 'not_a_member', 'reason_required'],
    headers: inspectionHeaders,
  },
  changeMember: {
    method: 'PATCH',
    path: '/v1/rooms/{id}/members/{userId}',
    tag: 'Rooms',
    auth: 'user',
    scope: 'manage',
    summary: 'Change the role of a member',
    description:
      'Owners of the room and administrators give and take any role; moderators only roles below their own, of members ' +
      'below them. The last owner stays owner until another is: `conflict`.',
    params: rooms.ofMember,
    body: rooms.changeMemberBody,
    answers: { 200: rooms.memberSchema },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed', 'conflict'],
    headers: writeHeaders,
  },
  removeMember: {
    method: 'DELETE',
    path: '/v1/rooms/{id}/members/{userId}',
    tag: 'Rooms',
    auth: 'user',
    scope: 'manage',
    summary: 'Leave a room, or remove a person from it',
    description:
      'Everyone can leave, even a closed room. Moderators can remove people below them, owners everyone. The last owner of ' +
      'an open room can only leave with a `successor`, a member who becomes owner instead; otherwise `conflict`.',
    params: rooms.ofMemberOrMe,
    body: rooms.removeMemberBody.prefault({}),
    answers: { 204: null },
    errors: ['not_found', 'not_a_member', 'forbidden', 'conflict'],
    headers: writeHeaders,
  },
  openDirect: {
    method: 'PUT',
    path: '/v1/direct/{username}',
    tag: 'Rooms',
    auth: 'user',
    scope: 'manage',
    summary: 'Open the direct room with another person',
    description:
      '201 if this call created it, 200 if it was there. Two people have one direct room for good: nobody else joins it, ' +
      'and it is never closed. Somebody who left it is brought back by this call, and by any new message of the other. ' +
      'With a deactivated account no room is created and nothing new can be posted: `conflict`.',
    params: accounts.ofUsername,
    answers: { 201: rooms.roomSchema, 200: rooms.roomSchema },
    errors: ['not_found', 'conflict'],
    headers: writeHeaders,
  },
} as const satisfies Record<string, Call>;
