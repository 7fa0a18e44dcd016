import { type Call, readHeaders, writeHeaders } from './call.js';
import * as erasures from './erasures.js';

/** Forgetting, and keeping for a court. */
export const erasureCalls = {
  requestErasure: {
    method: 'POST',
    path: '/v1/erasures',
    tag: 'Erasure',
    auth: 'admin',
    scope: 'session',
    summary: 'Erase a person, a room, days of a room, or a message',
    description:
      'For administrators. Begins at once unless a hold forbids it. What was recorded in its scope before is not shown any more, its ' +
      'keys are destroyed, and copies are deleted. A person’s account is deactivated and a room is closed first. It cannot be undone. ' +
      'An administrator cannot be erased before that role is taken away. Days must be over.',
    body: erasures.requestErasureBody,
    answers: { 202: erasures.requestedSchema },
    errors: ['forbidden', 'not_found', 'reason_required', 'conflict'],
    headers: writeHeaders,
  },
  getErasure: {
    method: 'GET',
    path: '/v1/erasures/{id}',
    tag: 'Erasure',
    auth: 'auditor',
    scope: 'read',
    summary: 'What became of an erasure',
    description: 'For administrators and auditors. The last 10,000 are remembered.',
    params: erasures.ofErasure,
    answers: { 200: erasures.erasureSchema },
    errors: ['forbidden', 'not_found'],
    headers: readHeaders,
  },
  listErasures: {
    method: 'GET',
    path: '/v1/erasures',
    tag: 'Erasure',
    auth: 'auditor',
    scope: 'read',
    summary: 'Erasures',
    description:
      'For administrators and auditors: those under way and the last 10,000 that are done, the newest first.',
    query: erasures.listErasuresQuery,
    answers: { 200: erasures.erasureListSchema },
    errors: ['forbidden'],
    headers: readHeaders,
  },
  placeHold: {
    method: 'POST',
    path: '/v1/holds',
    tag: 'Erasure',
    auth: 'admin',
    scope: 'session',
    summary: 'Place a legal hold',
    description:
      'For administrators. From then on nothing in its scope is erased, until it is lifted; erasures wait. What was destroyed before stays destroyed.',
    body: erasures.placeHoldBody,
    answers: { 201: erasures.requestedSchema },
    errors: ['forbidden', 'not_found', 'reason_required', 'conflict'],
    headers: writeHeaders,
  },
  listHolds: {
    method: 'GET',
    path: '/v1/holds',
    tag: 'Erasure',
    auth: 'auditor',
    scope: 'read',
    summary: 'Legal holds',
    description:
      'For administrators and auditors: the holds in force, the newest first. Lifted ones are on the audit trail.',
    query: erasures.listHoldsQuery,
    answers: { 200: erasures.holdListSchema },
    errors: ['forbidden'],
    headers: readHeaders,
  },
  liftHold: {
    method: 'DELETE',
    path: '/v1/holds/{id}',
    tag: 'Erasure',
    auth: 'admin',
    scope: 'session',
    summary: 'Lift a legal hold',
    description: 'For administrators. Erasures that waited for it go on.',
    params: erasures.ofHold,
    answers: { 204: null },
    errors: ['forbidden', 'not_found'],
    headers: writeHeaders,
  },
} as const satisfies Record<string, Call>;
