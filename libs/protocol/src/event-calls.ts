import { ofUser } from './accounts.js';
import { type Call, inspectionHeaders, readHeaders } from './call.js';
import { storedEventListSchema } from './events.js';
import * as rooms from './rooms.js';
import { storedUserEventListSchema, userEventsQuery } from './user-events.js';

/** The log as readers may see it. */
export const eventCalls = {
  listEvents: {
    method: 'GET',
    path: '/v1/rooms/{id}/events',
    tag: 'Events',
    auth: 'user',
    scope: 'read',
    summary: 'Events of a room',
    description:
      'In order of revision. For members of the room, and for administrators and auditors in all rooms. `data` is limited to ' +
      'what the reader may see: a text that was edited or redacted later is null, except for administrators and ' +
      'auditors. `sealed` is the same for everyone; `hash` is the SHA-256 of its UTF-8 bytes, and `prev` the hash of ' +
      'the previous event, so that readers can verify that nothing was changed or left out. An event ' +
      'that the reader may not see is replaced by `EventWithheld`.',
    params: rooms.inRoom,
    query: rooms.eventsQuery,
    answers: { 200: storedEventListSchema },
    errors: ['not_found', 'not_a_member', 'reason_required'],
    headers: inspectionHeaders,
  },
  listMyEvents: {
    method: 'GET',
    path: '/v1/me/events',
    tag: 'Events',
    auth: 'user',
    scope: 'read',
    summary: 'Events of your account',
    description: 'In order of revision: signing in and out, changes of password, role and second factor, and by whom.',
    query: userEventsQuery,
    answers: { 200: storedUserEventListSchema },
    errors: [],
    headers: readHeaders,
  },
  listUserEvents: {
    method: 'GET',
    path: '/v1/users/{id}/events',
    tag: 'Events',
    auth: 'auditor',
    scope: 'read',
    summary: 'Events of an account',
    description:
      'In order of revision. For administrators and auditors. `page.total` is the number of all events of the account.',
    params: ofUser,
    query: userEventsQuery,
    answers: { 200: storedUserEventListSchema },
    errors: ['forbidden', 'not_found'],
    headers: readHeaders,
  },
} as const satisfies Record<string, Call>;
