import * as administration from './administration.js';
import { type Call, readHeaders, writeHeaders } from './call.js';
import { announcementSchema, maintenanceSchema } from './operation.js';

/** What those who run the service look at and do. */
export const administrationCalls = {
  getOverview: {
    method: 'GET',
    path: '/v1/overview',
    tag: 'Administration',
    auth: 'auditor',
    scope: 'read',
    summary: 'Overview of the service',
    description: 'For administrators and auditors.',
    answers: { 200: administration.overviewSchema },
    errors: ['forbidden'],
    headers: readHeaders,
  },
  getProjections: {
    method: 'GET',
    path: '/v1/projections',
    tag: 'Administration',
    auth: 'auditor',
    scope: 'read',
    summary: 'Progress of the read models',
    description: 'For administrators and auditors.',
    answers: { 200: administration.projectionsSchema },
    errors: ['forbidden'],
    headers: readHeaders,
  },
  rebuildProjections: {
    method: 'POST',
    path: '/v1/projections/rebuild',
    tag: 'Administration',
    auth: 'admin',
    scope: 'session',
    summary: 'Rebuild all read models',
    description:
      'For administrators with a recent confirmation. The process that answers rebuilds them beside those in use; when they ' +
      'have caught up, all processes switch to them. Only one rebuild runs at a time: `conflict`. It is lost when the process ' +
      'ends, and changes nothing then. `GET /v1/projections` shows the progress.',
    answers: { 202: administration.projectionsSchema },
    errors: ['forbidden', 'mfa_required', 'conflict'],
    headers: writeHeaders,
  },
  getSettings: {
    method: 'GET',
    path: '/v1/settings',
    tag: 'Administration',
    auth: 'auditor',
    scope: 'read',
    summary: 'Configuration of the service',
    description:
      'For administrators and auditors, as it was read from the environment at the start, and whether it is in maintenance. Contains no secrets.',
    answers: { 200: administration.settingsSchema },
    errors: ['forbidden'],
    headers: readHeaders,
  },
  announce: {
    method: 'PUT',
    path: '/v1/announcement',
    tag: 'Administration',
    auth: 'admin',
    scope: 'manage',
    summary: 'Publish an announcement',
    description: '`GET /v1/about` shows it to everyone, including people who are not signed in, until it is withdrawn.',
    body: administration.announceBody,
    answers: { 200: announcementSchema },
    errors: ['forbidden'],
    headers: writeHeaders,
  },
  withdrawAnnouncement: {
    method: 'DELETE',
    path: '/v1/announcement',
    tag: 'Administration',
    auth: 'admin',
    scope: 'manage',
    summary: 'Withdraw the announcement',
    description: 'Changes nothing if there is no announcement.',
    answers: { 204: null },
    errors: ['forbidden'],
    headers: writeHeaders,
  },
  beginMaintenance: {
    method: 'PUT',
    path: '/v1/maintenance',
    tag: 'Administration',
    auth: 'admin',
    scope: 'manage',
    summary: 'Start maintenance',
    description:
      'From then on, on every process within a second, changes by anyone but administrators are answered with ' +
      '`maintenance`, until an administrator ends it. Reading and signing in continue. Starting it again replaces the notice ' +
      'and the expected end. `GET /v1/about` shows it to everyone, and sockets receive the frame `maintenance`.',
    body: administration.beginMaintenanceBody,
    answers: { 200: maintenanceSchema },
    errors: ['forbidden'],
    headers: writeHeaders,
  },
  endMaintenance: {
    method: 'DELETE',
    path: '/v1/maintenance',
    tag: 'Administration',
    auth: 'admin',
    scope: 'manage',
    summary: 'End maintenance',
    description: 'Changes nothing if there is no maintenance.',
    answers: { 204: null },
    errors: ['forbidden'],
    headers: writeHeaders,
  },
} as const satisfies Record<string, Call>;
