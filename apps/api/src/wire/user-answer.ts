import type { Actor, UserState } from '@verbatim/domain';
import type { User as UserRow } from '@verbatim/projections';
import type { User } from '@verbatim/protocol';

/** An account as clients see it. The e-mail address is for the holder and administrators only. */
export function userAnswer(id: string, state: UserState, withEmail: boolean): User {
  const { username, displayName, role, suspended, status, bot, guest, createdAt, email } = state;
  const standing = status === 'suspended' || status === 'deactivated' ? status : 'active';
  const account = { id, username, displayName, role, suspended, status: standing, createdAt } as const;
  return { ...account, ...(bot && { bot }), ...(guest && { guest }), ...(withEmail && { email }) };
}

const maySeeEmail = (actor: Actor, userId: string): boolean => actor.role === 'admin' || userId === actor.id;

/** The same from the read model. How somebody signs in is for administrators and auditors. */
export function userRowAnswer(actor: Actor, row: UserRow): User {
  const { email, bot, guest, deactivated, secondFactor, signedInAt, ...user } = row;
  const status = deactivated ? 'deactivated' : user.suspended ? 'suspended' : 'active';
  return {
    ...user,
    status,
    ...(bot && { bot }),
    ...(guest && { guest }),
    ...(maySeeEmail(actor, user.id) && { email }),
    ...(actor.role !== 'user' && { secondFactor, signedInAt }),
  };
}
