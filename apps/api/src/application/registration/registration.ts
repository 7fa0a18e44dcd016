import { type Rejection, reject } from '@verbatim/domain';

/** Who may register an account: everybody, people with an invitation, or nobody. */
export class Registration {
  constructor(readonly mode: 'open' | 'invite' | 'closed') {}

  /** Why somebody may not register, with or without an invitation; null if they may. */
  refusal(invited: boolean): Rejection | null {
    if (this.mode === 'closed') return reject('NotAllowed', 'Registration is closed.');
    if (this.mode === 'invite' && !invited) return reject('NotAllowed', 'Registration requires an invitation.');
    return null;
  }
}
