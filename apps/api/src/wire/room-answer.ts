import type { Actor, Member as MemberState, RoomState, UserState } from '@verbatim/domain';
import type { RoomMember, Room as RoomRow } from '@verbatim/projections';
import type { Member, Room } from '@verbatim/protocol';

/** A room as clients see it, from its own state: what a write answers. */
export const roomAnswer = (id: string, state: RoomState): Room => ({
  id,
  name: state.name,
  topic: state.topic,
  visibility: state.visibility,
  history: state.history,
  hasPassword: state.passwordId !== null,
  slowModeSeconds: state.moderation.slowModeSeconds,
  status: state.status === 'closed' ? 'closed' : 'open',
  memberCount: state.members.size,
  createdBy: state.createdBy,
  createdAt: state.createdAt,
  revision: Number(state.revision),
});

/** A room as clients see it, from the read model: what reads and lists answer. */
export const roomRowAnswer = (row: RoomRow): Room => ({
  id: row.id,
  name: row.name,
  topic: row.topic,
  visibility: row.visibility,
  history: row.history,
  hasPassword: row.passwordId !== null,
  slowModeSeconds: row.slowModeSeconds,
  status: row.status,
  memberCount: row.memberCount,
  createdBy: row.createdBy,
  createdAt: row.createdAt,
  revision: Number(row.revision),
});

/** The same with how busy the room is, for those who watch over all rooms. */
export const roomRowAnswerFor = ({ role }: Actor, row: RoomRow): Room => ({
  ...roomRowAnswer(row),
  ...(role !== 'user' && { messageCount: row.messageCount, activeAt: row.activeAt, closing: row.closing }),
});

export const memberAnswer = (
  userId: string,
  { role, joinedAt }: MemberState,
  person: UserState,
  mutedUntil: string | null,
): Member => ({
  userId,
  username: person.username,
  displayName: person.displayName,
  role,
  joinedAt,
  mutedUntil,
});

/** @param now RFC 3339: a mute that has ended is none. */
export const memberRowAnswer = ({ user, role, joinedAt, mutedUntil }: RoomMember, now: string): Member => ({
  userId: user.id,
  username: user.username ?? '',
  displayName: user.displayName,
  role,
  joinedAt,
  mutedUntil: mutedUntil !== null && mutedUntil > now ? mutedUntil : null,
});
