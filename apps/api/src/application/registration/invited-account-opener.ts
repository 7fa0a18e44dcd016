import { Injectable } from '@nestjs/common';
import { isGood, isRejection, nameKey, type Rejection, reject, type UserState } from '@verbatim/domain';
import { derivedId } from '../../derived-id.js';
import { Credentials } from '../../storage/vault/credentials.js';
import { Names } from '../../storage/vault/names.js';
import type { Context, Decided } from '../../write-side/mailbox.js';
import { AccountOpener, type NewAccount } from '../accounts/account-opener.js';
import { notValid } from '../invitations/invitation-commands.js';
import { Redeeming } from '../invitations/redeeming.js';

/**
 * The id of an account registered with an invitation. It derives from both, so that a repeated registration uses the
 * invitation only once.
 */
export const invitedUserId = (code: string, username: string): string => derivedId('invited', code, nameKey(username));

/** Opens accounts for people who have an invitation to the server. */
@Injectable()
export class InvitedAccountOpener {
  constructor(
    private readonly redeeming: Redeeming,
    private readonly names: Names,
    private readonly credentials: Credentials,
    private readonly accounts: AccountOpener,
  ) {}

  async open(
    userId: string,
    code: string,
    account: NewAccount & { readonly password: string },
    context: Context,
  ): Promise<Decided<UserState> | Rejection> {
    const found = await this.redeeming.find(code, null);
    const usable = found?.state.redeemedBy.has(userId) || (found && isGood(found.state, this.redeeming.now()));
    if (!found || !usable) return notValid;
    const refused = this.accounts.refusal(account.origin, null) ?? this.accounts.problemOf(account);
    if (refused) return refused;
    // The name is claimed first, so that a taken name does not use up the invitation.
    if (!(await this.names.claim('user', nameKey(account.username), userId))) return nameTaken;
    const redeemed = await this.redeeming.redeem(found.id, userId, null, context);
    if (isRejection(redeemed)) return redeemed.rejected === 'Unavailable' ? redeemed : notValid;
    const opened = await this.accounts.open(userId, account, context);
    if (isRejection(opened)) return opened;
    // Others may have the same code. To keep them out of another person's account, only the attempt that opened it
    // succeeds, and only with the stored password, which may be that of another attempt.
    const isTheirs = opened.events > 0 && (await this.credentials.check(userId, account.password)) !== null;
    return isTheirs ? opened : nameTaken;
  }
}

const nameTaken = reject('NameTaken', 'This username is taken.');
