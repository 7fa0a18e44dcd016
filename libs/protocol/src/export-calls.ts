import { type Call, readHeaders, writeHeaders } from './call.js';
import * as exports from './exports.js';
import { z } from './zod.js';

/** Copies of parts of the log that anyone can verify. */
export const exportCalls = {
  requestExport: {
    method: 'POST',
    path: '/v1/exports',
    tag: 'Audit',
    auth: 'user',
    scope: 'read',
    spends: 'search',
    summary: 'Export events with their proofs',
    description:
      'For administrators and auditors, and for owners of a room in this room. It is carried out in the background. It takes the ' +
      'events that fit all of what is given, up to the newest checkpoint of the log. It is recorded, and in each room with such ' +
      'events that the person is not in as well. Counts as a search.',
    body: exports.requestExportBody,
    answers: { 202: exports.ofExport },
    errors: ['forbidden', 'not_found', 'not_a_member', 'reason_required', 'conflict'],
    headers: writeHeaders,
  },
  listExports: {
    method: 'GET',
    path: '/v1/exports',
    tag: 'Audit',
    auth: 'user',
    scope: 'read',
    summary: 'Your exports',
    description: 'Those that the caller has requested and that have not expired, the newest first.',
    query: exports.listExportsQuery,
    answers: { 200: exports.exportListSchema },
    errors: [],
    headers: readHeaders,
  },
  getExport: {
    method: 'GET',
    path: '/v1/exports/{id}',
    tag: 'Audit',
    auth: 'user',
    scope: 'read',
    summary: 'What became of an export',
    description: 'Only for the person who requested it. Others see requests on the audit trail.',
    params: exports.ofExport,
    answers: { 200: exports.exportSchema },
    errors: ['not_found'],
    headers: readHeaders,
  },
  getExportBundle: {
    method: 'GET',
    path: '/v1/exports/{id}/bundle',
    tag: 'Audit',
    auth: 'user',
    scope: 'read',
    spends: 'search',
    summary: 'Download the bundle of an export',
    description:
      'For whoever has requested it, while they still may read what is in it. A tar archive as docs/bundle-format.md describes, ' +
      'streamed; `conflict` until it is done. Counts as a search.',
    params: exports.ofExport,
    answers: { 200: z.string().describe('The archive.') },
    mediaType: 'application/x-tar',
    errors: ['forbidden', 'not_found', 'not_a_member', 'conflict'],
    headers: readHeaders,
  },
} as const satisfies Record<string, Call>;
