import { audit } from './audit';
import { erasures } from './erasures';
import { exports } from './exports';
import { holds } from './holds';
import { invitations } from './invitations';
import { projections } from './projections';
import { reports } from './reports';
import { retention } from './retention';
import { rooms } from './rooms';
import { memberSource } from './rooms/members/members-source';
import type { Source } from './service/source';
import { sessions } from './sessions';
import { settings } from './settings';
import { tokens } from './tokens';
import { transparency } from './transparency';
import { users } from './users';

/** The entries of the menu, in order. A new resource is a folder and a line here. */
export const resources = [
  ...[users, sessions, tokens, rooms, reports, audit, exports, erasures, retention, holds],
  ...[transparency, invitations, projections, settings],
];

/** How each resource is read and written, also those that are only parts of pages. */
export const sources: Readonly<Record<string, Source>> = {
  users: users.source,
  sessions: sessions.source,
  tokens: tokens.source,
  rooms: rooms.source,
  reports: reports.source,
  audit: audit.source,
  exports: exports.source,
  erasures: erasures.source,
  holds: holds.source,
  invitations: invitations.source,
  members: memberSource as unknown as Source,
};
