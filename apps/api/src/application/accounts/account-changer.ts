import { Injectable } from '@nestjs/common';
import {
  type Actor,
  type ChangeUser,
  isRejection,
  type Rejection,
  reject,
  takesAdministratorAway,
  type UserState,
} from '@verbatim/domain';
import { Administrators } from '../../storage/vault/administrators.js';
import { Sessions } from '../../storage/vault/sessions.js';
import { Users } from '../../write-side/entities.js';
import type { Context, Decided } from '../../write-side/mailbox.js';

/** Changes to an account; absent fields remain unchanged. */
export type AccountChanges = Pick<
  ChangeUser,
  'displayName' | 'email' | 'role' | 'suspended' | 'reason' | 'deactivated'
>;

/** Changes and deactivates accounts. At least one active administrator always remains. */
@Injectable()
export class AccountChanger {
  constructor(
    private readonly users: Users,
    private readonly sessions: Sessions,
    private readonly administrators: Administrators,
  ) {}

  /** A suspended or deactivated user returns without their old sessions: a thief might hold one. */
  async change(
    userId: string,
    actor: Actor,
    changes: AccountChanges,
    context: Context,
  ): Promise<Decided<UserState> | Rejection> {
    const { role, suspended, deactivated } = changes;
    let othersRemain = false;
    if (role !== undefined || suspended !== undefined || deactivated !== undefined) {
      const { state } = await this.users.newest(userId);
      const comesBack = suspended === false || deactivated === false;
      if (comesBack && state.status !== 'active') await this.sessions.revokeAll(userId);
      if (actor.id !== userId && takesAdministratorAway(changes, state)) {
        const leaving = await this.administrators.leave(userId);
        if (leaving === 'busy') return undecidedAdministrators;
        othersRemain = leaving === 'noted';
      }
    }
    const change = { type: 'ChangeUser', actor, userId, ...changes, othersRemain } as const;
    const changed = await this.users.send(userId, change, context);
    if (!isRejection(changed) && (suspended || deactivated)) await this.sessions.revokeAll(userId);
    return changed;
  }

  /** Deactivates the account of `actor`. */
  async deactivate(actor: Actor, context: Context): Promise<Decided<UserState> | Rejection> {
    const { state } = await this.users.newest(actor.id);
    let othersRemain = false;
    if (takesAdministratorAway({ deactivated: true }, state)) {
      const leaving = await this.administrators.leave(actor.id);
      if (leaving === 'busy') return undecidedAdministrators;
      othersRemain = leaving === 'noted';
    }
    const deactivated = await this.users.send(actor.id, { type: 'DeactivateUser', actor, othersRemain }, context);
    if (!isRejection(deactivated)) await this.sessions.revokeAll(actor.id);
    return deactivated;
  }
}

const undecidedAdministrators = reject(
  'Unavailable',
  'Whether another administrator remains is being decided. Try again in a minute.',
);
