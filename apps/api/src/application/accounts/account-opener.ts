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
import { Names } from '../../storage/vault/names.js';
import { hashPassword } from '../../storage/vault/passwords.js';
import { VaultSql } from '../../storage/vault/vault-sql.js';
import { Users } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';

/** An account to be opened. Without a password nobody can sign in to it. */
export type NewAccount = Omit<Extract<UserCommand, { type: 'RegisterUser' }>, 'type' | 'actor'> & {
  readonly password: string | null;
};

/** Opens accounts: claims the name, stores the credential, records the registration. */
@Injectable()
export class AccountOpener {
  constructor(
    private readonly users: Users,
    private readonly names: Names,
    private readonly vault: VaultSql,
  ) {}

  /** @param actor the administrator who opens it for somebody; null: the person themselves, or the service */
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
    if (password !== null) {
      await this.vault.sql`
        insert into vault.credentials (user_id, password_hash) values (${userId}, ${await hashPassword(password)})
        on conflict (user_id) do nothing`;
    }
    return this.users.send(userId, { type: 'RegisterUser', actor, ...registration }, context);
  }

  /** Why there can be no such account, whoever has its name. To be asked before anything is claimed or used up for it. */
  problemOf(registration: Omit<NewAccount, 'password'>): Rejection | null {
    const { username, displayName, email, role, origin } = registration;
    const register = { type: 'RegisterUser', actor: null, username, displayName, email, role, origin } as const;
    const foreseen = user.decide(register, user.initialState, '');
    return isRejection(foreseen) ? foreseen : null;
  }

  /** Why no account would be opened at the moment. To be asked before names or invitations are used up for one. */
  refusal(origin: NewAccount['origin'], actor: Actor | null): Rejection | null {
    return this.users.refusal({ type: 'RegisterUser', actor, origin });
  }
}
