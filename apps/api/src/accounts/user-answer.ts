import type { Actor, UserState } from '@verbatim/domain';
import type { User as UserRow } from '@verbatim/projections';
import type { User } from '@verbatim/protocol';

/** An account as clients see it. The e-mail address is for the person and for administrators only. */
export function userAnswer(id: string, state: UserState, withEmail: boolean): User {
  const { username, displayName, role, status, createdAt, email } = state;
  return { id, username, displayName, role, suspended: status === 'suspended', createdAt, ...(withEmail && { email }) };
}

export const maySeeEmail = (actor: Actor, userId: string): boolean => actor.role === 'admin' || userId === actor.id;

export function userRowAnswer({ email, ...user }: UserRow, withEmail: boolean): User {
  return withEmail ? { ...user, email } : user;
}
