import { Injectable } from '@nestjs/common';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import type { Actor, TokenScope, UserState } from '@verbatim/domain';
import { Time } from '../../clock.js';
import { AccessTokens } from '../../storage/vault/access-tokens.js';
import { type PersonalToken, PersonalTokens } from '../../storage/vault/personal-tokens.js';
import { type SessionRef, Sessions } from '../../storage/vault/sessions.js';
import { Users } from '../../write-side/entities.js';
import { SecondFactorPolicy } from './second-factor-policy.js';

/** What a credential is good for: everything, as a session is, or the scopes of a personal token. */
export type Scopes = 'all' | ReadonlySet<TokenScope>;

/** An authenticated caller. */
export interface Identity {
  readonly actor: Actor;
  /** The id of the session, or of the personal token used instead. */
  readonly sessionId: string;
  readonly scopes: Scopes;
  /** Absent for a session. */
  readonly token?: PersonalToken;
  /** The caller's role requires a second factor that they do not have yet: they may only set it up. */
  readonly lacksSecondFactor: boolean;
  /** The account as it was when the caller was identified. */
  readonly account: UserState;
}

/** An access token or personal token, or a ticket, which is good once. */
export type Credential = { readonly bearer: string } | { readonly ticket: string };

/** Identifies callers by their credentials. Revoked sessions, and suspended and deactivated accounts, are nobody. */
@Injectable()
export class Authentication {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly sessions: Sessions,
    private readonly personalTokens: PersonalTokens,
    private readonly users: Users,
    private readonly policy: SecondFactorPolicy,
    private readonly time: Time,
  ) {}

  async byBearer(token: string): Promise<Identity | null> {
    if (token.startsWith('vbt_')) return this.identifyToken(await this.personalTokens.byText(token));
    const claims = await this.tokens.verify(token, this.time.now());
    return claims && this.identify(claims);
  }

  async byTicket(ticket: string): Promise<Identity | null> {
    const session = await this.sessions.redeemTicket(ticket);
    if (session?.tokenId) return this.identifyToken(await this.personalTokens.byId(session.tokenId));
    return session && this.identify(session);
  }

  /**
   * Why somebody who was identified a moment ago must not be let in after all, or null. It is synchronous, so that a door can let
   * them in with nothing happening in between. `drain`: they are to come back at once, and are identified anew.
   */
  objection({ actor, sessionId, token }: Identity): 'unauthenticated' | 'drain' | null {
    const state = this.users.known(actor.id);
    if (!state) return 'drain';
    const revoked = token ? !state.tokens.includes(token.id) : this.sessions.isRevoked(sessionId, actor.id);
    if (state.status !== 'active' || revoked) return 'unauthenticated';
    return state.role === actor.role ? null : 'drain';
  }

  private async identify({ userId, sessionId }: SessionRef): Promise<Identity | null> {
    let { state } = await this.users.current(userId);
    // The account of a valid token exists; it may have been opened through a replica whose events have not arrived here yet.
    if (state.status === 'unborn') state = (await this.users.newest(userId)).state;
    if (state.status !== 'active' || this.sessions.isRevoked(sessionId, userId)) return null;
    const actor = { id: userId, role: state.role };
    return { actor, sessionId, scopes: 'all', lacksSecondFactor: this.policy.lacking(state), account: state };
  }

  /** A token is good while it is in the vault and in its owner's stream, and the owner has access. */
  private async identifyToken(token: PersonalToken | null): Promise<Identity | null> {
    if (!token) return null;
    const { id, userId, scopes } = token;
    let { state } = await this.users.current(userId);
    // A new token may have been created at a replica whose events have not arrived here yet.
    if (!state.tokens.includes(id)) state = (await this.users.newest(userId)).state;
    if (state.status !== 'active' || !state.tokens.includes(id)) return null;
    const actor = { id: userId, role: state.role };
    return { actor, sessionId: id, scopes, token, lacksSecondFactor: this.policy.lacking(state), account: state };
  }
}

/** Who presents a credential, as of now; null if it is invalid, or the account has no access. */
export class AuthenticateQuery extends Query<Identity | null> {
  constructor(readonly credential: Credential) {
    super();
  }
}

@QueryHandler(AuthenticateQuery)
export class AuthenticateHandler implements IQueryHandler<AuthenticateQuery> {
  constructor(private readonly authentication: Authentication) {}

  execute({ credential }: AuthenticateQuery): Promise<Identity | null> {
    return 'bearer' in credential
      ? this.authentication.byBearer(credential.bearer)
      : this.authentication.byTicket(credential.ticket);
  }
}

export const authenticationHandlers = [Authentication, AuthenticateHandler];
