import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  type Actor,
  isRejection,
  isReservedUsername,
  limits,
  normalize,
  type Rejection,
  reject,
  textProblem,
} from '@verbatim/domain';
import { peopleWithEmail } from '@verbatim/projections';
import { OpenAccount, OpenAccountHandler, ReviseAccount, ReviseAccountHandler } from '../accounts/account-commands.js';
import { Registration } from '../accounts/account-controller.js';
import { derivedId } from '../derived-id.js';
import { notGood } from '../invitations/invitation-commands.js';
import { Redeeming } from '../invitations/redeeming.js';
import { Users } from '../mailbox/entities.js';
import type { Context } from '../mailbox/mailbox.js';
import { newId } from '../new-id.js';
import { ReadModels } from '../read-models/read-models.js';
import { EndSessions, EndSessionsHandler } from '../sessions/session-commands.js';
import { Credentials } from '../vault/credentials.js';
import { Identities } from '../vault/identities.js';
import { SecondFactors } from '../vault/second-factors.js';
import { Sessions } from '../vault/sessions.js';
import type { ForeignPerson } from './identity-provider.js';

/** Finds, links or makes the account of somebody whom the identity provider has recognized; answers its id. */
export class AdmitForeigner extends Command<string | Rejection> {
  constructor(
    readonly person: ForeignPerson,
    /** The code of an invitation that they left with, used if they have no account yet. */
    readonly invitation: string | null,
    readonly context: Context,
  ) {
    super();
  }
}

@CommandHandler(AdmitForeigner)
export class AdmitForeignerHandler implements ICommandHandler<AdmitForeigner> {
  constructor(
    private readonly identities: Identities,
    private readonly users: Users,
    private readonly sessions: Sessions,
    private readonly credentials: Credentials,
    private readonly factors: SecondFactors,
    private readonly readModels: ReadModels,
    private readonly registration: Registration,
    private readonly redeeming: Redeeming,
    private readonly opening: OpenAccountHandler,
    private readonly revising: ReviseAccountHandler,
    private readonly ending: EndSessionsHandler,
  ) {}

  async execute({ person, invitation, context }: AdmitForeigner): Promise<string | Rejection> {
    const known = await this.identities.ownerOf(person);
    const userId =
      known ?? (await this.linkByEmail(person, context)) ?? (await this.linkNew(person, invitation, context));
    if (typeof userId !== 'string') return userId;
    const mapped = await this.mapRole(userId, person, context);
    return mapped ?? userId;
  }

  /** The account that names the address which the provider has verified; null: there is none. */
  private async linkByEmail(person: ForeignPerson, context: Context): Promise<string | null | Rejection> {
    if (!person.email) return null;
    const [userId, another] = await peopleWithEmail(this.readModels.db, person.email, 2);
    if (!userId) return null;
    const { state } = await this.users.newest(userId);
    if (state.email?.toLowerCase() !== person.email.toLowerCase()) return null;
    // An address that the provider has given to somebody else since must not hand over the account of the one before.
    if (another || state.status !== 'active' || (await this.identities.has(userId, person.issuer))) return notYours;
    // Nobody has checked until now that the account's address is its holder's: whoever made it may have waited for this moment.
    await this.credentials.remove(userId);
    const identityId = newId();
    const sessionIds = await this.sessions.revoke(userId, 'all');
    const link = { type: 'LinkIdentity', actor: null, identityId, takesOver: true, sessionIds } as const;
    const linked = await this.users.send(userId, link, context);
    if (isRejection(linked)) return linked;
    await this.sessions.told(sessionIds);
    const ended = await this.ending.execute(new EndSessions(userId, 'all', null, 'identity', context));
    if (isRejection(ended)) return ended;
    if (state.totpId !== null) await this.factors.forget(state.totpId);
    await this.identities.link(identityId, person, userId);
    return this.identities.ownerOf(person);
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
    let refused: Rejection = reject('Conflict', 'No username could be found for you.');
    for (const username of usernamesFor(person, userId)) {
      const name = normalize(person.displayName ?? '').trim();
      const displayName = textProblem(name, 1, limits.displayName) ? username : name;
      const account = {
        username,
        displayName,
        email: person.email,
        role: 'user',
        origin: 'sso',
        password: null,
      } as const;
      const opened = await this.opening.execute(new OpenAccount(userId, account, context));
      if (!isRejection(opened)) return opened;
      refused = opened;
      if (refused.rejected !== 'NameTaken') return refused;
    }
    return refused;
  }

  /** The role follows the provider at each sign-in, except that the last administrator stays one. */
  private async mapRole(userId: string, { role }: ForeignPerson, context: Context): Promise<Rejection | null> {
    const { state } = await this.users.newest(userId);
    if (role === null || role === state.role || state.status !== 'active') return null;
    const revised = await this.revising.execute(new ReviseAccount(userId, provider, { role }, context));
    return isRejection(revised) && revised.rejected !== 'Conflict' ? revised : null;
  }
}

/** On whose behalf roles are changed that the provider gives. */
const provider: Actor = { id: '00000000-0000-0000-0000-000000000000', role: 'admin' };

const notYours = reject('NotAllowed', 'An account with your e-mail address cannot be linked. Ask an administrator.');

/** Usernames to try in turn: what the person is called elsewhere, the same with a number, and one that nobody has. */
export function usernamesFor({ names }: Pick<ForeignPerson, 'names'>, userId: string): string[] {
  const plain = names.map((name) =>
    name
      .normalize('NFKD')
      .toLowerCase()
      .replaceAll(/\p{M}/gu, '')
      .replaceAll(/[^a-z0-9_.-]+/g, '-')
      .replaceAll(/^[-.]+|[-.]+$/g, '')
      .slice(0, 28),
  );
  const base = plain.find((name) => name.length >= 3 && !isReservedUsername(name)) ?? 'person';
  const numbered = [2, 3, 4, 5].map((n) => `${base}${n}`);
  const end = userId.replaceAll('-', '').slice(0, 12);
  const last = `${base.slice(0, 19)}-${end}`;
  return [base, ...numbered, isReservedUsername(last) ? `person-${end}` : last];
}

export const signOnCommandHandlers = [AdmitForeignerHandler];
