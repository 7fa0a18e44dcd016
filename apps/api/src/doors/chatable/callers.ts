import type { IncomingMessage } from 'node:http';
import type { QueryBus } from '@nestjs/cqrs';
import { decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import { AuthenticateQuery, type Identity } from '../../application/sessions/authentication.js';
import type { Clock } from '../../clock.js';
import { bearerIn } from '../bearer.js';
import type { Form } from './forms.js';
import type { KeyPair, KeyPairs } from './key-pairs.js';

/** Characters of a JWT that are looked at. */
const MAX_JWT = 8_192;
/** Seconds by which the clock of a client may be ahead. */
const LEEWAY_SECONDS = 60;

/** Where a client may put its JWT besides the header `Authorization`. */
export interface Elsewhere {
  readonly query: URLSearchParams;
  readonly form?: Form;
}

/** The JWT of a request: in the header, or else in the parameter `access_token`, which browsers need to open sockets. */
export const jwtIn = ({ headers }: IncomingMessage, { query, form }: Elsewhere): string | undefined =>
  headers.authorization === undefined
    ? (query.get('access_token') ?? form?.get('access_token') ?? undefined)
    : bearerIn(headers.authorization);

/**
 * Finds out who signed a JWT. Clients sign with the secret that was issued to them, and name its access key in the header
 * of the JWT. `exp`, `nbf` and `iat` count where they are there; with `jti` or `nonce` the JWT is good once.
 */
export class Callers {
  constructor(
    private readonly keyPairs: KeyPairs,
    private readonly queries: QueryBus,
    private readonly now: Clock,
  ) {}

  /** Null for a JWT that is invalid, or used up, or whose session has ended. */
  async identify(jwt: string | undefined): Promise<Identity | null> {
    if (!jwt || jwt.length > MAX_JWT) return null;
    const accessKey = accessKeyOf(jwt);
    const pair = accessKey === null ? null : await this.keyPairs.find(accessKey);
    const claims = pair && (await this.verify(jwt, pair));
    if (!pair || !claims) return null;
    const identity = await this.queries.execute(new AuthenticateQuery({ session: pair.sessionId }));
    if (!identity?.expiresAt || identity.lacksSecondFactor) return null;
    return (await this.firstUse(pair, claims, identity.expiresAt)) ? identity : null;
  }

  private async verify(jwt: string, { secret }: KeyPair): Promise<JWTPayload | null> {
    try {
      const now = this.now();
      const { payload } = await jwtVerify(jwt, Buffer.from(secret), {
        algorithms: ['HS256', 'HS384', 'HS512'],
        currentDate: now,
      });
      const latest = now.getTime() / 1_000 + LEEWAY_SECONDS;
      return payload.iat === undefined || payload.iat <= latest ? payload : null;
    } catch {
      return null;
    }
  }

  private async firstUse(pair: KeyPair, { jti, nonce, exp }: JWTPayload, sessionEnds: Date): Promise<boolean> {
    const nonces: string[] = [];
    for (const [name, value] of Object.entries({ jti, nonce })) {
      if (value === undefined) continue;
      if ((typeof value !== 'string' && typeof value !== 'number') || value === '') return false;
      nonces.push(`${name} ${value}`);
    }
    if (nonces.length === 0) return true;
    const expires = exp === undefined ? sessionEnds : new Date(Math.min(exp * 1_000, sessionEnds.getTime()));
    return (await this.keyPairs.useNonces(pair.accessKey, nonces, expires)) === 'fresh';
  }
}

function accessKeyOf(jwt: string): string | null {
  try {
    const { access_key: accessKey } = decodeProtectedHeader(jwt) as { access_key?: unknown };
    return typeof accessKey === 'string' ? accessKey : null;
  } catch {
    return null;
  }
}
