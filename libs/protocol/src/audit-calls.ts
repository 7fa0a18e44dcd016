import * as audit from './audit.js';
import { type Call, inspectionHeaders, readHeaders } from './call.js';
import { inRoom } from './rooms.js';
import { z } from './zod.js';

/** What those who oversee the service did, and rooms as they were. */
export const auditCalls = {
  listAuditTrail: {
    method: 'GET',
    path: '/v1/audit',
    tag: 'Audit',
    auth: 'auditor',
    scope: 'read',
    summary: 'Audit trail',
    description:
      'For administrators and auditors: what people with these roles did to the service, to rooms and to other people, with the ' +
      'reasons that they gave, in the order of the log. It includes every reading of a room by somebody who was not in it. ' +
      'What they do as members of a room, such as posting, and with their own account is left out. Nothing switches it off.',
    query: audit.auditTrailQuery,
    answers: { 200: audit.auditTrailSchema },
    errors: ['forbidden'],
    headers: readHeaders,
  },
  exportAuditTrail: {
    method: 'GET',
    path: '/v1/audit/export',
    tag: 'Audit',
    auth: 'auditor',
    scope: 'read',
    spends: 'search',
    summary: 'Export the audit trail',
    description:
      'Comma-separated values (RFC 4180) in UTF-8 with a byte order mark and a line of names, the oldest first, streamed. ' +
      'A cell that a spreadsheet would take for a formula begins with an apostrophe. Counts as a search.',
    query: audit.exportAuditTrailQuery,
    answers: { 200: z.string().describe('One line for each action.') },
    mediaType: 'text/csv',
    errors: ['forbidden'],
    headers: readHeaders,
  },
  getRoomState: {
    method: 'GET',
    path: '/v1/rooms/{id}/state',
    tag: 'Audit',
    auth: 'user',
    scope: 'read',
    summary: 'A room as it was',
    description:
      'For members of the room, and for administrators and auditors in all rooms: settings, members with their roles, and the ' +
      'messages as they read at a revision or time, with those who could see each of them when it was posted. Messages come in pages.',
    params: inRoom,
    query: audit.roomStateQuery,
    answers: { 200: audit.roomStateSchema },
    errors: ['not_found', 'not_a_member', 'reason_required'],
    headers: inspectionHeaders,
  },
  getRoomTimeline: {
    method: 'GET',
    path: '/v1/rooms/{id}/timeline',
    tag: 'Audit',
    auth: 'user',
    scope: 'read',
    summary: 'When things happened in a room',
    description:
      'The times of events at even distances in the stream: where they are close together, much was going on. For those who ' +
      'may read the room.',
    params: inRoom,
    query: audit.roomTimelineQuery,
    answers: { 200: audit.roomTimelineSchema },
    errors: ['not_found', 'not_a_member', 'reason_required'],
    headers: inspectionHeaders,
  },
} as const satisfies Record<string, Call>;
