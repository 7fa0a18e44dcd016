import { Injectable } from '@nestjs/common';
import {
  type Actor,
  isRejection,
  nameKey,
  type Rejection,
  reject,
  type UserCommand,
  type UserState,
  user,
} from '@verbatim/domain';
import { passwordProblem } from '../../storage/vault/common-passwords.js';
import { Credentials } from '../../storage/vault/credentials.js';
import { Names } from '../../storage/vault/names.js';
import { Users } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';

/** An account to be opened. */
export type NewAccount = Omit<Extract<UserCommand, { type: 'RegisterUser' }>, 'type' | 'actor'> & {
  /** Null: signing in with a password is impossible. */
  readonly password: string | null;
};

/** Opens accounts: claims the username, stores the credential, records the registration. */
@Injectable()
export class AccountOpener {
  constructor(
    private readonly users: Users,
    private readonly names: Names,
    private readonly credentials: Credentials,
  ) {}

  /** `actor`: the administrator who opens the account for someone else; null: the person or the service itself. */
  async open(
    userId: string,
    account: NewAccount,
    context: Context,
    actor: Actor | null = null,
  ): Promise<Decided<UserState> | Rejection> {
    const { password, ...registration } = account;
    const problem = password === null ? null : await passwordProblem(password, account.username);
    if (problem) return reject('Invalid', `The password ${problem}.`);
    const refused = this.refusal(account.origin, actor) ?? this.problemOf(registration);
    if (refused) return refused;
    const claim = await this.names.claim('user', nameKey(account.username), userId);
    if (!claim) return reject('NameTaken', 'This username is taken.');
    if (password !== null) await this.credentials.begin(userId, password);
    return this.users.send(userId, { type: 'RegisterUser', actor, ...registration }, context);
  }

  /** Why this account would be rejected whatever its username; checked before anything is claimed or used up. */
  problemOf(registration: Omit<NewAccount, 'password'>): Rejection | null {
    const { username, displayName, email, role, origin } = registration;
    const register = { type: 'RegisterUser', actor: null, username, displayName, email, role, origin } as const;
    const foreseen = user.decide(register, user.initialState, '');
    return isRejection(foreseen) ? foreseen : null;
  }

  /** Why no account can be opened now; checked first, so that neither names nor invitations are used up. */
  refusal(origin: NewAccount['origin'], actor: Pick<Actor, 'id' | 'role'> | null): Rejection | null {
    return this.users.refusal({ type: 'RegisterUser', actor, origin });
  }
}
