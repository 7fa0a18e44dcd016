import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
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
import {
  ChangeUserCommand,
  ChangeUserHandler,
  RegisterUserCommand,
  RegisterUserHandler,
} from '../accounts/account-commands.js';
import { Registration } from '../accounts/registration.js';
import { notGood } from '../invitations/invitation-commands.js';
import { Redeeming } from '../invitations/redeeming.js';
import { RevokeSessionsCommand, RevokeSessionsHandler } from '../sessions/session-commands.js';
import { displayNameFor, usernamesFor } from './foreign-names.js';
import type { ForeignPerson } from './identity-provider.js';

/** Accounts with one address that are looked at in one sign-in. */
const MOST_CANDIDATES = 50;

/** Finds, links or makes the account of somebody whom the identity provider has recognized; answers its id. */
export class LinkExternalIdentityCommand extends Command<string | Rejection> {
  constructor(
    readonly person: ForeignPerson,
    /** The code of an invitation that they left with, used if they have no account yet. */
    readonly invitation: string | null,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(LinkExternalIdentityCommand)
export class LinkExternalIdentityHandler implements ICommandHandler<LinkExternalIdentityCommand> {
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
    private readonly opening: RegisterUserHandler,
    private readonly revising: ChangeUserHandler,
    private readonly ending: RevokeSessionsHandler,
  ) {}

  async execute({ person, invitation, context }: LinkExternalIdentityCommand): Promise<string | Rejection> {
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
   * The account that was made for somebody with the address that the provider has verified; null: there is none. What an account
   * merely names counts for nothing, since anybody can name any address.
   */
  private async linkByAddress(person: ForeignPerson, context: Context): Promise<string | null | Rejection> {
    const { email } = person;
    if (email === null) return null;
    const candidates = await peopleWithEmail(this.readModels.db, email, ['administrator', 'provider'], MOST_CANDIDATES);
    if (candidates.length === 0) return null;
    return this.linking.inTurn(async () => {
      const known = await this.identities.ownerOf(person);
      if (known) return known;
      const userId = await this.accountFor(email, person.issuer, candidates);
      return userId && this.takeOver(userId, person, context);
    });
  }

  /** The first of the candidates that waits for the holder of the address, one that is in use if possible. */
  private async accountFor(email: string, issuer: string, candidates: readonly string[]): Promise<string | null> {
    let suspended: string | null = null;
    for (const userId of candidates) {
      const { state } = await this.users.newest(userId);
      const isTheirs = state.email !== null && emailKey(state.email) === emailKey(email) && !state.bot;
      if (!isTheirs || state.emailSource === 'person') continue;
      const issuers = await this.identities.issuersOf(userId);
      // The provider has given the address to somebody else since, who must not get the account of the one before.
      if (issuers.includes(issuer)) continue;
      if (state.emailSource === 'provider' && issuers.length === 0) continue;
      if (state.status === 'active') return userId;
      if (state.status === 'suspended') suspended ??= userId;
    }
    return suspended;
  }

  /** Links an account. Who had it so far need not be the holder of the address, so nothing opens it any more that did before. */
  private async takeOver(userId: string, person: ForeignPerson, context: Context): Promise<string | Rejection> {
    const { state } = await this.users.newest(userId);
    // Signing in is refused; the account is linked when its holder comes back after it has been reinstated.
    if (state.status === 'suspended') return userId;
    await this.credentials.remove(userId);
    const identityId = newId();
    const sessionIds = await this.sessions.revoke(userId, 'all');
    const link = { type: 'LinkIdentity', actor: null, identityId, takesOver: true, sessionIds } as const;
    const linked = await this.users.send(userId, link, context);
    if (isRejection(linked)) return linked;
    await this.sessions.told(sessionIds);
    const ended = await this.ending.execute(new RevokeSessionsCommand(userId, 'all', null, 'identity', context));
    if (isRejection(ended)) return ended;
    if (state.totpId !== null) await this.factors.forget(state.totpId);
    await this.identities.link(identityId, person, userId);
    return (await this.identities.ownerOf(person)) ?? userId;
  }

  /**
   * Gives the account the address that the provider has verified, and takes it from those that only named it, whose holders find that
   * among their events. What is not done here, because there are too many, is done at the next sign-in.
   */
  private async settleAddress(userId: string, { email }: ForeignPerson, context: Context): Promise<void> {
    if (email === null) return;
    await this.users.send(userId, { type: 'ConfirmEmail', actor: null, email }, context);
    const others = await peopleWithEmail(this.readModels.db, email, ['person'], MOST_CANDIDATES);
    for (const other of others)
      if (other !== userId) await this.users.send(other, { type: 'GiveUpEmail', actor: null, email }, context);
  }

  /** A new account. Its id derives from the identity, so that a second attempt goes on with what a first one began. */
  private async linkNew(
    person: ForeignPerson,
    invitation: string | null,
    context: Context,
  ): Promise<string | Rejection> {
    const { mode } = this.registration;
    if (mode === 'closed' || (mode === 'invite' && invitation === null))
      return reject('NotAllowed', 'There is no account for you here.');
    const userId = derivedId('identity', person.issuer, person.subject);
    const { state } = await this.users.newest(userId);
    if (state.status === 'unborn') {
      const closed = this.opening.refusal('sso', null);
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

  /** Uses an invitation to the server up for this account, once however often it is tried; null, or why it is not good. */
  private async redeem(code: string, userId: string, context: Context): Promise<Rejection | null> {
    const found = await this.redeeming.find(code, null);
    if (!found) return notGood;
    const redeemed = await this.redeeming.redeem(found.id, userId, null, context);
    if (!isRejection(redeemed)) return null;
    return redeemed.rejected === 'Unavailable' ? redeemed : notGood;
  }

  private async open(userId: string, person: ForeignPerson, context: Context): Promise<object | Rejection> {
    const rest = { email: person.email, role: 'user', origin: 'sso', password: null } as const;
    let refused: Rejection = reject('Conflict', 'No username could be found for you.');
    // The username is a name that is always allowed.
    for (const username of usernamesFor(person.usernames, userId))
      for (const displayName of [displayNameFor(person.displayNames, username), username]) {
        const account = { username, displayName, ...rest };
        const opened = await this.opening.execute(new RegisterUserCommand(userId, account, context));
        if (!isRejection(opened)) return opened;
        refused = opened;
        if (opened.rejected === 'NameTaken') break;
        if (opened.rejected !== 'Invalid') return this.openedMeanwhile(userId, opened);
      }
    return refused;
  }

  /** The same person may have come by another replica at the same moment, under another name. */
  private async openedMeanwhile(userId: string, refused: Rejection): Promise<object> {
    const { state } = await this.users.newest(userId);
    return state.status === 'active' ? state : refused;
  }

  /** The role follows the provider at each sign-in, except that the last administrator stays one. */
  private async mapRole(userId: string, { role }: ForeignPerson, context: Context): Promise<Rejection | null> {
    const { state } = await this.users.newest(userId);
    if (role === null || role === state.role || state.status !== 'active') return null;
    const revised = await this.revising.execute(new ChangeUserCommand(userId, provider, { role }, context));
    return isRejection(revised) && revised.rejected !== 'Conflict' ? revised : null;
  }
}

/** On whose behalf roles are changed that the provider gives. */
const provider: Actor = { id: '00000000-0000-0000-0000-000000000000', role: 'admin' };

export const signOnCommandHandlers = [LinkExternalIdentityHandler];
