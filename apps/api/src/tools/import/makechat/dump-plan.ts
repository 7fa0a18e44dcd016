import {
  type Actor,
  codePoints,
  emailAddress,
  limits,
  nameKey,
  nameProblem,
  normalize,
  type RoomCommand,
  type RoomRole,
  titleProblem,
  visibleTextProblem,
} from '@verbatim/domain';
import { derivedId } from '../../../derived-id.js';
import type { Step } from '../import-plan.js';
import type { Dump, DumpedRoom, DumpedUser, Skipped } from './dump.js';

/** An account to create. Its id derives from the id in the dump, so the same dump creates it once. */
export interface PlannedAccount {
  readonly objectId: string;
  readonly userId: string;
  readonly username: string;
  /** The name to use if someone else has `username` here. */
  readonly otherUsername: string;
  readonly displayName: string;
  readonly email: string | null;
  readonly isAdmin: boolean;
  readonly isSuspended: boolean;
  readonly created: string | null;
}

/** A room with its members and messages. */
export interface PlannedRoom {
  readonly objectId: string;
  readonly roomId: string;
  /** The two people of a direct conversation. */
  readonly pair: readonly [string, string] | null;
  readonly name: string;
  readonly isVisible: boolean;
  readonly isOpen: boolean;
  /** The id of the creator; null if no one in the dump owns the room. */
  readonly ownerId: string | null;
  readonly created: string;
  /** Members other than the creator, and people who wrote. */
  readonly joins: readonly Step[];
  readonly posts: readonly Step[];
  /** Roles to give to members once they have joined. */
  readonly roles: ReadonlyMap<string, RoomRole>;
}

/** A member record, with its user and role. */
export interface PlannedRecord {
  readonly objectId: string;
  readonly userId: string;
  readonly role: RoomRole;
}

export interface DumpPlan {
  readonly accounts: readonly PlannedAccount[];
  readonly records: readonly PlannedRecord[];
  readonly rooms: readonly PlannedRoom[];
  readonly skipped: readonly Skipped[];
}

/** The time of everything without one. */
const UNKNOWN_TIME = '1970-01-01T00:00:00.000Z';

const roles: Readonly<Record<string, RoomRole>> = {
  owner: 'owner',
  admin: 'moderator',
  member: 'member',
  guest: 'guest',
};

/** Plans the import of a dump. The same dump always gives the same plan. */
export function planDump(dump: Dump, directRoomId: (one: string, other: string) => string): DumpPlan {
  const skipped: Skipped[] = [...dump.skipped];
  const accounts = new Map(accountsOf(dump.users).map((account) => [account.objectId, account]));
  const records = new Map<string, PlannedRecord>();
  for (const { id, role, userId } of dump.members) {
    const account = accounts.get(userId);
    if (account) records.set(id, { objectId: id, userId: account.userId, role: roles[role] ?? 'member' });
    else skipped.push({ what: `member ${id}`, why: 'its user is not in the dump' });
  }
  const said = new Map<string, Said[]>(dump.rooms.map(({ id }) => [id, []]));
  const note = (roomId: string, entry: Said) => {
    const before = said.get(roomId);
    if (before) before.push(entry);
    else said.set(roomId, [entry]);
  };
  const roomIds = new Set(dump.rooms.map(({ id }) => id));
  const pairs = new Map<string, readonly [PlannedAccount, PlannedAccount]>();
  for (const { id, text, senderId, recipientId, rooms, created } of dump.messages) {
    const [sender, recipient] = [accounts.get(senderId), recipientId === null ? null : accounts.get(recipientId)];
    const problem = visibleTextProblem(normalize(text), 1, limits.messageText);
    const known = rooms.filter((room) => roomIds.has(room));
    const entry = sender && { id, text: normalize(text), sender, at: created ?? UNKNOWN_TIME };
    if (!entry) skipped.push({ what: `message ${id}`, why: 'its sender is not in the dump' });
    else if (problem) skipped.push({ what: `message ${id}`, why: `the text ${problem}` });
    else if (known.length > 0) for (const room of known) note(room, entry);
    else if (recipient && recipient !== sender) {
      const roomId = directRoomId(sender.userId, recipient.userId);
      pairs.set(roomId, [sender, recipient]);
      note(roomId, entry);
    } else skipped.push({ what: `message ${id}`, why: 'neither its rooms nor its recipient are in the dump' });
  }
  const byUser = new Map([...accounts.values()].map((account) => [account.userId, account]));
  const rooms = dump.rooms.map((room) => plannedRoom(room, records, byUser, said.get(room.id) ?? []));
  const conversations = [...pairs].map(([roomId, pair]) => plannedConversation(roomId, pair, said.get(roomId) ?? []));
  return {
    accounts: [...accounts.values()],
    records: [...records.values()],
    rooms: [...rooms, ...conversations],
    skipped,
  };
}

// Accounts ------------------------------------------------------------------------------------------------------------

function accountsOf(users: readonly DumpedUser[]): PlannedAccount[] {
  const taken = new Set<string>();
  return users.map((user) => {
    const userId = derivedId('makechat user', user.id);
    const otherUsername = `${readablePart(user.username)}-${userId.slice(-12)}`;
    const plain = nameKey(user.username);
    const isFree = /^(?!hook-|guest-)[a-z0-9_.-]{3,32}$/.test(plain) && !taken.has(plain);
    const username = isFree ? plain : otherUsername;
    taken.add(username);
    const displayName = user.username.slice(0, limits.displayName);
    return {
      ...{ objectId: user.id, userId, username, otherUsername, created: user.created },
      displayName: nameProblem(displayName, limits.displayName) === null ? displayName : username,
      email: user.email !== null && emailAddress(user.email) !== null ? user.email : null,
      isAdmin: user.isSuperuser,
      isSuspended: user.isDisabled,
    };
  });
}

/** At most 19 of a-z, 0-9, `_` and `-`, at least one. */
const readablePart = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '')
    .replace(/^(hook|guest)-/, '$1')
    .slice(0, 19) || 'user';

// Rooms ---------------------------------------------------------------------------------------------------------------

interface Said {
  readonly id: string;
  readonly text: string;
  readonly sender: PlannedAccount;
  readonly at: string;
}

function plannedRoom(
  room: DumpedRoom,
  records: ReadonlyMap<string, PlannedRecord>,
  byUser: ReadonlyMap<string, PlannedAccount>,
  said: readonly Said[],
): PlannedRoom {
  const members = room.members.flatMap((id) => records.get(id) ?? []);
  const ownerId = members.find(({ role }) => role === 'owner')?.userId ?? null;
  const created = room.created ?? UNKNOWN_TIME;
  const speakers = said.map(({ sender }) => sender.userId);
  const inside = new Map<string, RoomRole>(members.map(({ userId, role }) => [userId, role]));
  for (const userId of speakers) if (!inside.has(userId)) inside.set(userId, 'member');
  const joins = [...inside].filter(([userId]) => userId !== ownerId).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...{ objectId: room.id, roomId: derivedId('makechat room', room.id), pair: null, name: roomName(room) },
    ...{ isVisible: room.isVisible, isOpen: room.isOpen, ownerId, created },
    joins: joins.flatMap(([userId, role]) => {
      const account = byUser.get(userId);
      // A person who joins later has their own place, whoever else is in the room.
      const file = `makechat member ${account?.objectId}`;
      const join = { type: 'JoinRoom', invited: role === 'guest' ? 'guest' : 'member' } as const;
      return account ? [stepOf(account, { ...join, actor: actorOf(account) }, file, 0, created)] : [];
    }),
    posts: postsOf(`makechat messages ${room.id}`, said),
    roles: new Map(joins.filter(([, role]) => role === 'owner' || role === 'moderator')),
  };
}

function plannedConversation(
  roomId: string,
  [one, other]: readonly [PlannedAccount, PlannedAccount],
  said: readonly Said[],
): PlannedRoom {
  return {
    ...{ objectId: '', roomId, pair: [one.userId, other.userId], name: '', isVisible: false, isOpen: false },
    ...{
      ownerId: one.userId,
      created: said.map(({ at }) => at).sort()[0] ?? UNKNOWN_TIME,
      joins: [],
      roles: new Map(),
    },
    posts: postsOf(`makechat messages ${roomId}`, said),
  };
}

/** In order of time. A later dump adds messages at the end. */
const postsOf = (file: string, said: readonly Said[]): Step[] =>
  [...said]
    .sort((a, b) => (`${a.at} ${a.id}` < `${b.at} ${b.id}` ? -1 : 1))
    .map(({ id, text, sender, at }, place) => {
      const post = { type: 'PostMessage', text, replyTo: null, kind: 'text' } as const;
      const messageId = derivedId('makechat message', file, id);
      return stepOf(sender, { ...post, messageId, actor: actorOf(sender) }, file, place, at);
    });

function stepOf(
  account: PlannedAccount,
  command: Extract<RoomCommand, { type: 'JoinRoom' | 'PostMessage' }>,
  file: string,
  place: number,
  occurredAt: string,
): Step {
  return { line: place + 1, place, occurredAt, account, command: { ...command, imported: { file, place } } };
}

const actorOf = ({ userId }: PlannedAccount): Actor => ({ id: userId, role: 'user' });

/** The name to store: shortened if it is too long, or the id if it is not a valid name. */
function roomName({ id, name }: DumpedRoom): string {
  const tidy = normalize(name).trim().replaceAll(/\s+/g, ' ');
  const short = codePoints(tidy) <= limits.roomName ? tidy : `${[...tidy].slice(0, limits.roomName - 1).join('')}…`;
  return titleProblem(short, limits.roomName) === null ? short : `room ${id}`;
}
