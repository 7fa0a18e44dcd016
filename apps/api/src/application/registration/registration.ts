import { type Rejection, reject } from '@verbatim/domain';

/** Who may register an account: everyone, people with an invitation, or no one. */
export class Registration {
  constructor(readonly mode: 'open' | 'invite' | 'closed') {}

  /** Why registration is not allowed, with or without an invitation; null if it is. */
  refusal(invited: boolean): Rejection | null {
    if (this.mode === 'closed') return reject('NotAllowed', 'Registration is closed.');
    if (this.mode === 'invite' && !invited) return reject('NotAllowed', 'Registration requires an invitation.');
    return null;
  }
}
