import type { Actor, RoomState } from '@verbatim/domain';
import type { RoomMember, Room as RoomRow } from '@verbatim/projections';
import type { Member, Room } from '@verbatim/protocol';

/** A room as clients see it, from its own state: the response to a write. */
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

/** A room as clients see it, from the read model: the response to reads and lists. */
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

/** The same, with the room's activity for administrators and auditors. */
export const roomRowAnswerFor = ({ role }: Actor, row: RoomRow): Room => ({
  ...roomRowAnswer(row),
  ...(role !== 'user' && { messageCount: row.messageCount, activeAt: row.activeAt, closing: row.closing }),
});

/** A member as clients see it; a mute that has ended is passed as null. */
export const memberAnswer = ({ user, role, joinedAt, mutedUntil }: Omit<RoomMember, 'joinedRevision'>): Member => ({
  userId: user.id,
  username: user.username ?? '',
  displayName: user.displayName,
  role,
  joinedAt,
  mutedUntil,
});
