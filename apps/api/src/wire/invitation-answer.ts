import type { AnswerOf, Invitation, InvitationFor } from '@verbatim/protocol';
import type {
  InvitationPreview,
  InvitationUse,
  KnownInvitation,
} from '../application/invitations/invitation-queries.js';
import { personAnswer } from './person-answer.js';

export const invitationAnswer = ({ id, state }: KnownInvitation): Invitation => ({
  id,
  kind: state.to.kind,
  role: state.to.kind === 'room' ? state.to.role : null,
  roomId: state.to.kind === 'room' ? state.to.roomId : null,
  expiresAt: state.expiresAt,
  uses: state.uses,
  used: state.redeemedBy.size,
  revoked: state.status === 'revoked',
  createdBy: state.createdBy ?? '',
  createdAt: state.createdAt,
});

type Use = AnswerOf<'listInvitationUses'>['items'][number];

export const invitationUseAnswer = ({ user, at }: InvitationUse): Use => ({ user: personAnswer(user), at });

export const invitationForAnswer = ({ room, expiresAt, inviter }: InvitationPreview): InvitationFor => ({
  kind: room ? 'room' : 'server',
  role: room?.role ?? null,
  expiresAt,
  room: room && { id: room.id, name: room.name },
  inviter: personAnswer(inviter),
});
