import type { RoomRole, RoomState, Visibility } from '@verbatim/domain';
import type { RoomWithMembers } from '../../application/rooms/room-queries.js';
import type { ObjectIds } from '../../storage/desk/object-ids.js';
import { type Listing, notListed } from '../../storage/desk/room-listing.js';
import { date, oid } from './call.js';

/** The most members that a room shows. */
export const MOST_MEMBERS = 100;

/** The two flags of makechat. */
export interface Flags {
  readonly isOpen: boolean;
  readonly isVisible: boolean;
}

/** Visible and open is public, visible and not open private; whatever is not visible is hidden. */
export const visibilityOf = ({ isOpen, isVisible }: Flags): Exclude<Visibility, 'direct'> =>
  isVisible ? (isOpen ? 'public' : 'private') : 'hidden';

/** The part of the flags that the visibility does not express. */
export const listingOf = ({ isOpen, isVisible }: Flags): Listing => ({ open: isOpen, listed: isVisible && !isOpen });

export const flagsOf = (visibility: Visibility, { open }: Listing = notListed): Flags => ({
  isOpen: visibility === 'public' || (visibility === 'hidden' && open),
  isVisible: visibility !== 'hidden',
});

// Members -------------------------------------------------------------------------------------------------------------

/** makechat's names of the roles. */
export const roleNames: Readonly<Record<RoomRole, string>> = {
  owner: 'owner',
  moderator: 'admin',
  member: 'member',
  guest: 'guest',
};

/** A member record of makechat ties a user to a role, whatever the room. */
export interface MemberRecord {
  readonly userId: string;
  readonly role: RoomRole;
}

export const recordKey = ({ userId, role }: MemberRecord): string => `${userId} ${role}`;

export function recordOf(key: string): MemberRecord {
  const [userId = '', role = 'member'] = key.split(' ');
  return { userId, role: role as RoomRole };
}

// Documents -----------------------------------------------------------------------------------------------------------

interface Described {
  readonly id: string;
  readonly name: string | null;
  readonly flags: Flags;
  readonly createdAt: string;
  readonly members: readonly MemberRecord[];
}

/** Rooms as Extended JSON. `_id`, `members` and `created` have the types on which makechat's dashboard relies. */
async function documentsOf(objectIds: ObjectIds, rooms: readonly Described[]): Promise<object[]> {
  const roomIds = rooms.map(({ id }) => id);
  const keys = rooms.flatMap(({ members }) => members.map(recordKey));
  const [ofRooms, ofMembers] = await Promise.all([objectIds.of('room', roomIds), objectIds.of('member', keys)]);
  return rooms.map(({ id, name, flags, createdAt, members }) => ({
    _id: oid(ofRooms.get(id)),
    is_open: flags.isOpen,
    is_visible: flags.isVisible,
    members: members.map((member) => oid(ofMembers.get(recordKey(member)))),
    name: name ?? '',
    created: date(createdAt),
  }));
}

export function documentsOfRows(
  objectIds: ObjectIds,
  rooms: readonly RoomWithMembers[],
  listings: ReadonlyMap<string, Listing>,
): Promise<object[]> {
  const described = rooms.map(({ id, name, visibility, createdAt, members }) => ({
    ...{ id, name, createdAt, members },
    flags: flagsOf(visibility, listings.get(id)),
  }));
  return documentsOf(objectIds, described);
}

/** A room from its own state, right after it was changed. */
export async function documentOfState(
  objectIds: ObjectIds,
  id: string,
  { name, visibility, createdAt, members }: RoomState,
  listing: Listing | undefined,
): Promise<object> {
  const shown = [...members.entries()]
    .sort(([, a], [, b]) => (a.joined < b.joined ? -1 : 1))
    .slice(0, MOST_MEMBERS)
    .map(([userId, { role }]) => ({ userId, role }));
  const described = { id, name, createdAt, members: shown, flags: flagsOf(visibility, listing) };
  const [document] = await documentsOf(objectIds, [described]);
  return document ?? {};
}
