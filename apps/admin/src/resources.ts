import { projections } from './projections';
import { rooms } from './rooms';
import { memberSource } from './rooms/members/members-source';
import type { Source } from './service/source';
import { settings } from './settings';
import { users } from './users';

/** What the menu shows, in its order. A new resource is a folder of its own and a line here. */
export const resources = [users, rooms, projections, settings];

/** How each resource is read and written, also those that are only parts of pages. */
export const sources: Readonly<Record<string, Source>> = {
  users: users.source,
  rooms: rooms.source,
  members: memberSource as unknown as Source,
};
