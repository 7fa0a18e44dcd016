import { Injectable } from '@nestjs/common';
import { type Actor, emailKey, isRejection, type Rejection, reject } from '@verbatim/domain';
import { peopleWithEmail } from '@verbatim/projections';
import { derivedId } from '../../derived-id.js';
import { newId } from '../../new-id.js';
import { ReadModels } from '../../storage/read-models.js';
import { Credentials } from '../../storage/vault/credentials.js';
import { Identities, Linking } from '../../storage/vault/identities.js';
import { SecondFactors } from '../../storage/vault/second-factors.js';
import { Sessions } from '../../storage/vault/sessions.js';
import { Users } from '../../write-side/entities.js';
import type { Context } from '../../write-side/mailbox.js';
import { AccountChanger } from '../accounts/account-changer.js';
import { AccountOpener } from '../accounts/account-opener.js';
import { notValid } from '../invitations/invitation-commands.js';
import { Redeeming } from '../invitations/redeeming.js';
import { Registration } from '../registration/registration.js';
import { SessionRevoker } from '../sessions/session-revoker.js';
import { displayNameFor, usernamesFor } from './foreign-names.js';
import type { ForeignPerson } from './identity-provider.js';

/** Accounts with the same address considered in one sign-in. */
const MAX_CANDIDATES = 50;

/** Finds, links or opens the account of a user whom the identity provider has authenticated. */
@Injectable()
export class ExternalIdentityLinker {
  constructor(
    private readonly identities: Identities,
    private readonly linking: Linking,
    private readonly users: Users,
    private readonly sessions: Sessions,
    private readonly credentials: Credentials,
    private readonly factors: SecondFactors,
    private readonly readModels: ReadModels,
    private readonly registration: Registration,
    private readonly redeeming: Redeeming,
    private readonly opener: AccountOpener,
    private readonly changer: AccountChanger,
    private readonly revoker: SessionRevoker,
  ) {}

  /** The id of the account. `invitation`: an invitation code, used if there is no account yet. */
  async link(person: ForeignPerson, invitation: string | null, context: Context): Promise<string | Rejection> {
    const userId =
      (await this.identities.ownerOf(person)) ??
      (await this.linkByAddress(person, context)) ??
      (await this.linkNew(person, invitation, context));
    if (typeof userId !== 'string') return userId;
    await this.settleAddress(userId, person, context);
    const mapped = await this.mapRole(userId, person, context);
    return mapped ?? userId;
  }

  /**
   * The account that was opened for the owner of the address that the provider has verified; null: there is none.
   * Addresses entered by users themselves do not count, since anyone can enter any address.
   */
  private async linkByAddress(person: ForeignPerson, context: Context): Promise<string | null | Rejection> {
    const { email } = person;
    if (email === null) return null;
    const candidates = await peopleWithEmail(this.readModels.db, email, ['administrator', 'provider'], MAX_CANDIDATES);
    if (candidates.length === 0) return null;
    return this.linking.inTurn(async () => {
      const known = await this.identities.ownerOf(person);
      if (known) return known;
      const userId = await this.accountFor(email, person.issuer, candidates);
      return userId && this.takeOver(userId, person, context);
    });
  }

  /** The first candidate that waits for the owner of the address, preferably an active one. */
  private async accountFor(email: string, issuer: string, candidates: readonly string[]): Promise<string | null> {
    let suspended: string | null = null;
    for (const userId of candidates) {
      const { state } = await this.users.newest(userId);
      const isTheirs = state.email !== null && emailKey(state.email) === emailKey(email) && !state.bot;
      if (!isTheirs || state.emailSource === 'person') continue;
      const issuers = await this.identities.issuersOf(userId);
      // The provider has since reassigned the address; its new owner must not get the account of the previous one.
      if (issuers.includes(issuer)) continue;
      if (state.emailSource === 'provider' && issuers.length === 0) continue;
      if (state.status === 'active') return userId;
      if (state.status === 'suspended') suspended ??= userId;
    }
    return suspended;
  }

  /** Links an account. Its previous user may not own the address, so all earlier credentials become invalid. */
  private async takeOver(userId: string, person: ForeignPerson, context: Context): Promise<string | Rejection> {
    const { state } = await this.users.newest(userId);
    // Signing in is rejected; the account is linked when its owner returns after reinstatement.
    if (state.status === 'suspended') return userId;
    await this.credentials.remove(userId);
    const identityId = newId();
    const sessionIds = await this.sessions.revoke(userId, 'all');
    const link = { type: 'LinkIdentity', actor: null, identityId, takesOver: true, sessionIds } as const;
    const linked = await this.users.send(userId, link, context);
    if (isRejection(linked)) return linked;
    await this.sessions.markRecorded(sessionIds);
    const ended = await this.revoker.revoke(userId, 'all', null, 'identity', context);
    if (isRejection(ended)) return ended;
    if (state.totpId !== null) await this.factors.forget(state.totpId);
    await this.identities.link(identityId, person, userId);
    return (await this.identities.ownerOf(person)) ?? userId;
  }

  /**
   * Gives the account the address that the provider has verified, and removes it from accounts whose users only entered
   * it, which their events record. Accounts beyond the limit are handled at the next sign-in.
   */
  private async settleAddress(userId: string, { email }: ForeignPerson, context: Context): Promise<void> {
    if (email === null) return;
    await this.users.send(userId, { type: 'ConfirmEmail', actor: null, email }, context);
    const others = await peopleWithEmail(this.readModels.db, email, ['person'], MAX_CANDIDATES);
    for (const other of others)
      if (other !== userId) await this.users.send(other, { type: 'GiveUpEmail', actor: null, email }, context);
  }

  /** Opens an account. Its id derives from the identity, so that a second attempt resumes the first one. */
  private async linkNew(
    person: ForeignPerson,
    invitation: string | null,
    context: Context,
  ): Promise<string | Rejection> {
    if (this.registration.refusal(invitation !== null))
      return reject('NotAllowed', 'There is no account for you here.');
    const userId = derivedId('identity', person.issuer, person.subject);
    const { state } = await this.users.newest(userId);
    if (state.status === 'unborn') {
      const closed = this.opener.refusal('sso', null);
      if (closed) return closed;
      const refused = invitation === null ? null : await this.redeem(invitation, userId, context);
      if (refused) return refused;
      const opened = await this.open(userId, person, context);
      if (isRejection(opened)) return opened;
    }
    const identityId = derivedId('identity link', person.issuer, person.subject);
    const link = { type: 'LinkIdentity', actor: null, identityId, takesOver: false, sessionIds: [] } as const;
    const linked = await this.users.send(userId, link, context);
    if (isRejection(linked)) return linked;
    await this.identities.link(identityId, person, userId);
    return (await this.identities.ownerOf(person)) ?? userId;
  }

  /** Uses an invitation to the server for this account, once however often it is tried; null, or why it is invalid. */
  private async redeem(code: string, userId: string, context: Context): Promise<Rejection | null> {
    const found = await this.redeeming.find(code, null);
    if (!found) return notValid;
    const redeemed = await this.redeeming.redeem(found.id, userId, null, context);
    if (!isRejection(redeemed)) return null;
    return redeemed.rejected === 'Unavailable' ? redeemed : notValid;
  }

  private async open(userId: string, person: ForeignPerson, context: Context): Promise<object | Rejection> {
    const rest = { email: person.email, role: 'user', origin: 'sso', password: null } as const;
    let refused: Rejection = reject('Conflict', 'No username could be found for you.');
    // The username is always a valid display name.
    for (const username of usernamesFor(person.usernames, userId))
      for (const displayName of [displayNameFor(person.displayNames, username), username]) {
        const account = { username, displayName, ...rest };
        const opened = await this.opener.open(userId, account, context);
        if (!isRejection(opened)) return opened;
        refused = opened;
        if (opened.rejected === 'NameTaken') break;
        if (opened.rejected !== 'Invalid') return this.openedMeanwhile(userId, opened);
      }
    return refused;
  }

  /** The same user may sign in at another replica at the same moment, with another name. */
  private async openedMeanwhile(userId: string, refused: Rejection): Promise<object> {
    const { state } = await this.users.newest(userId);
    return state.status === 'active' ? state : refused;
  }

  /** The role follows the provider at each sign-in, except that the last administrator keeps theirs. */
  private async mapRole(userId: string, { role }: ForeignPerson, context: Context): Promise<Rejection | null> {
    const { state } = await this.users.newest(userId);
    if (role === null || role === state.role || state.status !== 'active') return null;
    const changed = await this.changer.change(userId, provider, { role }, context);
    return isRejection(changed) && changed.rejected !== 'Conflict' ? changed : null;
  }
}

/** The actor of role changes that follow the provider. */
const provider: Actor = { id: '00000000-0000-0000-0000-000000000000', role: 'admin' };
