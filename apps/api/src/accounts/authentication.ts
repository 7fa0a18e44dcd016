import type { Actor } from '@verbatim/domain';
import type { Clock } from '../clock.js';
import type { Users } from '../mailbox/entities.js';
import type { SecondFactorPolicy } from '../sessions/second-factor-policy.js';
import type { AccessTokens } from '../vault/access-tokens.js';
import type { SessionRef, Sessions } from '../vault/sessions.js';

/** Somebody who has proved who they are. */
export interface Identity {
  readonly actor: Actor;
  readonly sessionId: string;
  /** Their role demands a second factor, and they have none yet: they may do nothing but set it up. */
  readonly lacksSecondFactor: boolean;
}

/** Tells who is behind a credential, as of now: revoked sessions, suspended and deactivated accounts are nobody. */
export class Authentication {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly sessions: Sessions,
    private readonly users: Users,
    private readonly policy: SecondFactorPolicy,
    private readonly clock: Clock,
  ) {}

  /** @param header the value of an Authorization header. */
  async byHeader(header: string | undefined): Promise<Identity | null> {
    const token = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
    const claims = token ? await this.tokens.verify(token, this.clock()) : null;
    return claims && this.identify(claims);
  }

  async byTicket(ticket: string): Promise<Identity | null> {
    const session = await this.sessions.redeemTicket(ticket);
    return session && this.identify(session);
  }

  private async identify({ userId, sessionId }: SessionRef): Promise<Identity | null> {
    const { state } = await this.users.current(userId);
    if (state.status !== 'active' || this.sessions.isRevoked(sessionId)) return null;
    return { actor: { id: userId, role: state.role }, sessionId, lacksSecondFactor: this.policy.lacking(state) };
  }
}
