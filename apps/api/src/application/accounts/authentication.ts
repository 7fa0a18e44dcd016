import type { Actor } from '@verbatim/domain';
import type { Scope } from '@verbatim/protocol';
import type { Clock } from '../../clock.js';
import { Refusal } from '../../doors/refusal.js';
import type { AccessTokens } from '../../storage/vault/access-tokens.js';
import type { PersonalToken, PersonalTokens } from '../../storage/vault/personal-tokens.js';
import type { SessionRef, Sessions } from '../../storage/vault/sessions.js';
import type { Users } from '../../write-side/entities.js';
import type { SecondFactorPolicy } from '../sessions/second-factor-policy.js';

/** What a credential is good for: everything, as a session is, or what the scopes of a personal token name. */
export type Scopes = 'all' | ReadonlySet<Scope>;

/** Somebody who has proved who they are. */
export interface Identity {
  readonly actor: Actor;
  /** Of the session, or of the personal token that stands in its place. */
  readonly sessionId: string;
  readonly scopes: Scopes;
  /** Absent for a session. */
  readonly token?: PersonalToken;
  /** Their role demands a second factor, and they have none yet: they may do nothing but set it up. */
  readonly lacksSecondFactor: boolean;
}

/** What to answer somebody whose credential is not good for something, or null where it is. */
export function outOfScope(scopes: Scopes, scope: Scope | 'session' | undefined): Refusal | null {
  if (scopes === 'all') return null;
  if (scope === undefined || scope === 'session')
    return new Refusal('forbidden', 'This takes somebody who signed in; no personal token is good for it.');
  return scopes.has(scope) ? null : new Refusal('forbidden', `The personal token lacks the scope ${scope}.`);
}

/** The answer to those who neither manage the service nor look after it. */
export const overseersOnly = (): Refusal => new Refusal('forbidden', 'Only administrators and auditors may do this.');

/** Tells who is behind a credential, as of now: revoked sessions, suspended and deactivated accounts are nobody. */
export class Authentication {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly sessions: Sessions,
    private readonly personalTokens: PersonalTokens,
    private readonly users: Users,
    private readonly policy: SecondFactorPolicy,
    private readonly clock: Clock,
  ) {}

  /** @param header the value of an Authorization header. */
  async byHeader(header: string | undefined): Promise<Identity | null> {
    const token = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
    if (token?.startsWith('vbt_')) return this.identifyToken(await this.personalTokens.byText(token));
    const claims = token ? await this.tokens.verify(token, this.clock()) : null;
    return claims && this.identify(claims);
  }

  async byTicket(ticket: string): Promise<Identity | null> {
    const session = await this.sessions.redeemTicket(ticket);
    if (session?.tokenId) return this.identifyToken(await this.personalTokens.byId(session.tokenId));
    return session && this.identify(session);
  }

  private async identify({ userId, sessionId }: SessionRef): Promise<Identity | null> {
    const { state } = await this.users.current(userId);
    if (state.status !== 'active' || this.sessions.isRevoked(sessionId, userId)) return null;
    const actor = { id: userId, role: state.role };
    return { actor, sessionId, scopes: 'all', lacksSecondFactor: this.policy.lacking(state) };
  }

  /** A token is good while the vault has it, its holder's stream has it, and the holder is let in. */
  private async identifyToken(token: PersonalToken | null): Promise<Identity | null> {
    if (!token) return null;
    const { id, userId, scopes } = token;
    let { state } = await this.users.current(userId);
    // A fresh one may have been made at a replica of which this one has not heard yet.
    if (!state.tokens.includes(id)) state = (await this.users.newest(userId)).state;
    if (state.status !== 'active' || !state.tokens.includes(id)) return null;
    const actor = { id: userId, role: state.role };
    return { actor, sessionId: id, scopes, token, lacksSecondFactor: this.policy.lacking(state) };
  }
}
