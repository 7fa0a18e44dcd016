import { Injectable } from '@nestjs/common';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import type { Actor, TokenScope, UserState } from '@verbatim/domain';
import { Time } from '../../clock.js';
import { AccessTokens } from '../../storage/vault/access-tokens.js';
import { type PersonalToken, PersonalTokens } from '../../storage/vault/personal-tokens.js';
import { type SessionRef, Sessions } from '../../storage/vault/sessions.js';
import { Users } from '../../write-side/entities.js';
import { SecondFactorPolicy } from './second-factor-policy.js';

/** What a credential permits: everything for a session, or the scopes of a personal token. */
export type Scopes = 'all' | ReadonlySet<TokenScope>;

/** An authenticated caller. */
export interface Identity {
  readonly actor: Actor;
  /** The id of the session, or of the personal token used instead. */
  readonly sessionId: string;
  readonly scopes: Scopes;
  /** Absent for a session. */
  readonly token?: PersonalToken;
  /** When the session expires; only if it was identified by a credential that lasts as long. */
  readonly expiresAt?: Date;
  /** The caller's role requires a second factor that they have not set up yet: nothing else is allowed. */
  readonly lacksSecondFactor: boolean;
  /** The account at the time the caller was identified. */
  readonly account: UserState;
}

/**
 * An access token, a personal token or a single-use ticket; or the id of a session or personal token that a door has
 * found by a secret of its own.
 */
export type Credential =
  | { readonly bearer: string }
  | { readonly ticket: string }
  | { readonly session: string }
  | { readonly personalToken: string };

/** Identifies callers by their credentials. Revoked sessions and suspended or deactivated accounts are never identified. */
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

  /** For a verified credential of this session. Reads the vault, because the verification may be long ago. */
  async bySession(sessionId: string): Promise<Identity | null> {
    const session = await this.sessions.find(sessionId);
    const identity = session && (await this.identify(session));
    return identity && { ...identity, expiresAt: session.expiresAt };
  }

  async byPersonalToken(id: string): Promise<Identity | null> {
    return this.identifyToken(await this.personalTokens.byId(id));
  }

  /**
   * Why a person identified a moment ago must be refused after all, or null. It is synchronous, so that a door can admit
   * them with nothing happening in between. `drain`: they must reconnect at once and be identified again.
   */
  objection({
    actor,
    sessionId,
    token,
  }: Pick<Identity, 'actor' | 'sessionId' | 'token'>): 'unauthenticated' | 'drain' | null {
    const state = this.users.known(actor.id);
    if (!state) return 'drain';
    const revoked = token ? !state.tokens.includes(token.id) : this.sessions.isRevoked(sessionId, actor.id);
    if (state.status !== 'active' || revoked) return 'unauthenticated';
    return state.role === actor.role ? null : 'drain';
  }

  private async identify({ userId, sessionId }: SessionRef): Promise<Identity | null> {
    let { state } = await this.users.current(userId);
    // A valid token has an account; it may have been opened through a replica whose events have not arrived here yet.
    if (state.status === 'unborn') state = (await this.users.newest(userId)).state;
    if (state.status !== 'active' || this.sessions.isRevoked(sessionId, userId)) return null;
    const actor = { id: userId, role: state.role };
    return { actor, sessionId, scopes: 'all', lacksSecondFactor: this.policy.lacking(state), account: state };
  }

  /** A token is valid while it is in the vault and in its owner's stream, and the owner has access. */
  private async identifyToken(token: PersonalToken | null): Promise<Identity | null> {
    if (!token) return null;
    const { id, userId, scopes } = token;
    let { state } = await this.users.current(userId);
    // The token may have been created at a replica whose events have not arrived here yet.
    if (!state.tokens.includes(id)) state = (await this.users.newest(userId)).state;
    if (state.status !== 'active' || !state.tokens.includes(id)) return null;
    const actor = { id: userId, role: state.role };
    return { actor, sessionId: id, scopes, token, lacksSecondFactor: this.policy.lacking(state), account: state };
  }
}

/** Identifies the presenter of a credential as of now; null if it is invalid or the account has no access. */
export class AuthenticateQuery extends Query<Identity | null> {
  constructor(readonly credential: Credential) {
    super();
  }
}

@QueryHandler(AuthenticateQuery)
export class AuthenticateHandler implements IQueryHandler<AuthenticateQuery> {
  constructor(private readonly authentication: Authentication) {}

  execute({ credential }: AuthenticateQuery): Promise<Identity | null> {
    if ('bearer' in credential) return this.authentication.byBearer(credential.bearer);
    if ('ticket' in credential) return this.authentication.byTicket(credential.ticket);
    if ('session' in credential) return this.authentication.bySession(credential.session);
    return this.authentication.byPersonalToken(credential.personalToken);
  }
}

export const authenticationHandlers = [Authentication, AuthenticateHandler];
