import { onlyReads, type Rejection, reject, type TokenScope } from '@verbatim/domain';
import type { Identity, Scopes } from './authentication.js';

/** What an operation of a door requires of the caller. */
export interface Requirement {
  /** Absent: any user. Administrators may do everything that auditors may. */
  readonly role?: 'auditor' | 'admin';
  /** The scope that a personal token needs; `session` or absent: personal tokens are not accepted. */
  readonly scope?: TokenScope | 'session';
  /** Whether auditors, who may change only their own account, may do it. */
  readonly openToAuditors: boolean;
  /** Whether users may do it before setting up the second factor that their role requires. */
  readonly beforeSecondFactor: boolean;
}

/** Why the caller may not do this; null if they may. */
export function permissionProblem(identity: Identity, requirement: Requirement): Rejection | null {
  const { role } = identity.actor;
  if (identity.lacksSecondFactor && !requirement.beforeSecondFactor) return secondFactorMissing;
  if (requirement.role === 'admin' && role !== 'admin') return administratorsOnly;
  if (requirement.role === 'auditor' && role === 'user') return overseersOnly;
  if (role === 'auditor' && !requirement.openToAuditors) return onlyReads;
  return outOfScope(identity.scopes, requirement.scope);
}

/** Why a credential does not have a scope; null if it has. */
export function outOfScope(scopes: Scopes, scope: Requirement['scope']): Rejection | null {
  if (scopes === 'all') return null;
  if (scope === undefined || scope === 'session') return sessionsOnly;
  return scopes.has(scope) ? null : reject('NotAllowed', `The personal token lacks the scope ${scope}.`);
}

export const overseersOnly = reject('NotAllowed', 'Only administrators and auditors may do this.');
const administratorsOnly = reject('NotAllowed', 'Only administrators may do this.');
const sessionsOnly = reject(
  'NotAllowed',
  'This is only for users who have signed in; personal tokens are not accepted.',
);
const secondFactorMissing = reject(
  'SecondFactorNeeded',
  'Your role requires a second factor. Set it up: POST /v1/me/totp.',
);
