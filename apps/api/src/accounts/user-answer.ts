import type { UserState } from '@verbatim/domain';
import type { User as UserRow } from '@verbatim/projections';
import type { User } from '@verbatim/protocol';

/** An account as clients see it. The e-mail address is for the person and for administrators only. */
export function userAnswer(id: string, state: UserState, withEmail: boolean): User {
  const { username, displayName, role, status, bot, createdAt, email } = state;
  const account = { id, username, displayName, role, suspended: status === 'suspended', createdAt };
  return { ...account, ...(bot && { bot }), ...(withEmail && { email }) };
}

export function userRowAnswer({ email, bot, ...user }: UserRow, withEmail: boolean): User {
  return { ...user, ...(bot && { bot }), ...(withEmail && { email }) };
}
