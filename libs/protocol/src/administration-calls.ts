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
    summary: 'How much there is, and how much happens',
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
    summary: 'How far the read models are',
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
    summary: 'Build all read models anew',
    description:
      'For administrators who proved lately who they are. The process that answers builds them beside those in use; when they ' +
      'have caught up, all processes move to them. Only one rebuild runs at a time: `conflict`. It is lost when the process ' +
      'ends, and changes nothing then. `GET /v1/projections` tells how far it is.',
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
    summary: 'How the service is set up',
    description:
      'For administrators and auditors, as it was read from the environment at the start, and whether it is in maintenance. Holds no secret.',
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
    summary: 'Tell everybody something',
    description:
      '`GET /v1/about` then tells it to everybody, also to those who are not signed in, until it is withdrawn.',
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
    summary: 'Tell it no more',
    description: 'Where nothing is announced, it changes nothing.',
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
    summary: 'Begin maintenance',
    description:
      'From then on, at every process within a second, whatever anybody but administrators wants to change is answered ' +
      '`maintenance`, until it is ended; it does not end by itself. Reading and signing in go on. Begun again, it goes on ' +
      'with what this request says. `GET /v1/about` tells of it to everybody, and sockets the frame `maintenance`.',
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
    description: 'Where there is none, it changes nothing.',
    answers: { 204: null },
    errors: ['forbidden'],
    headers: writeHeaders,
  },
} as const satisfies Record<string, Call>;
