import type { AuditEntry as AuditRow } from '@verbatim/projections';
import type { AuditEntry, RoomState } from '@verbatim/protocol';
import type { RoomThen } from '../application/audit/replay-queries.js';
import { personAnswer } from './person-answer.js';

/** An action of the audit trail as clients see it. */
export const auditEntryAnswer = ({ actor, ...entry }: AuditRow): AuditEntry => ({
  ...entry,
  actor: personAnswer(actor),
});

/** A room as it was. */
export function roomStateAnswer({ revision, at, room, members, messages, next }: RoomThen): RoomState {
  const { passwordId, closed, ...settings } = room;
  return {
    revision: Number(revision),
    at,
    room: {
      ...settings,
      hasPassword: passwordId !== null,
      status: closed ? 'closed' : 'open',
      revision: Number(revision),
    },
    members: members.map(({ user, role, joinedAt }) => ({
      userId: user.id,
      username: user.username ?? '',
      displayName: user.displayName,
      role,
      joinedAt,
    })),
    messages: messages.map(({ author, revision, visibleTo, ...message }) => ({
      ...message,
      revision: Number(revision),
      author: { ...author, username: author.username ?? '' },
      visibleTo: [...visibleTo],
    })),
    page: { next },
  };
}
