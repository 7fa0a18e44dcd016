import type { FastifyRequest } from 'fastify';
import { AuthenticateQuery, type Identity } from '../../application/sessions/authentication.js';
import type { Parts } from './parts.js';
import { cookieIn } from './session-cookies.js';

/** The caller, and whether they used a token. */
interface Caller {
  readonly identity: Identity;
  readonly byToken: boolean;
}

/** Identifies the caller by `X-Auth-Token`, or else by the cookie `session`. */
export class Credentials {
  constructor(private readonly parts: Parts) {}

  /** Null if neither is valid, or the person still has to set up the second factor that their role requires. */
  async callerOf({ headers }: FastifyRequest): Promise<Caller | null> {
    const token = headers['x-auth-token'];
    const byToken = typeof token === 'string' ? await this.byToken(token.trim()) : null;
    if (byToken && !byToken.lacksSecondFactor) return { identity: byToken, byToken: true };
    const value = cookieIn(headers.cookie);
    const identity = value === null ? null : await this.byCookie(value);
    return identity && !identity.lacksSecondFactor ? { identity, byToken: false } : null;
  }

  async byCookie(value: string): Promise<Identity | null> {
    const session = await this.parts.cookies.find(value);
    return session && this.parts.queries.execute(new AuthenticateQuery({ session: session.sessionId }));
  }

  /** A token of this door, or a personal token in its native form. */
  private async byToken(value: string): Promise<Identity | null> {
    if (value.startsWith('vbt_')) return this.parts.queries.execute(new AuthenticateQuery({ bearer: value }));
    const personalToken = await this.parts.tokenValues.find(value);
    return personalToken === null ? null : this.parts.queries.execute(new AuthenticateQuery({ personalToken }));
  }
}
