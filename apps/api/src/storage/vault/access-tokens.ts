import type { RootKeys } from '@verbatim/event-store';
import { decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';
import { type PublicKey, SigningKeys } from './signing-keys.js';

/** Lifetime of an access token in seconds. */
export const ACCESS_SECONDS = 600;

export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
}

const ISSUER = 'verbatim';

/** Short-lived access tokens: JWTs signed with Ed25519. The keys are in the vault, shared by all replicas. */
export class AccessTokens {
  private constructor(private readonly keys: SigningKeys) {}

  /** Creates the first key; throws if the keys of the vault do not open with this master key. */
  static async open(sql: Sql, roots: RootKeys, clock: Clock): Promise<AccessTokens> {
    const keys = new SigningKeys(sql, roots, clock, ACCESS_SECONDS);
    await keys.current();
    return new AccessTokens(keys);
  }

  async sign({ userId, sessionId }: AccessClaims, now: Date): Promise<string> {
    const seconds = Math.floor(now.getTime() / 1000);
    const key = await this.keys.current();
    return new SignJWT({ sid: sessionId })
      .setProtectedHeader({ alg: 'EdDSA', kid: key.id })
      .setIssuer(ISSUER)
      .setSubject(userId)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + ACCESS_SECONDS)
      .sign(key.private);
  }

  /** The claims of the token, or null if it is invalid or has expired. */
  async verify(token: string, now: Date): Promise<AccessClaims | null> {
    const id = keyIdOf(token);
    const key = id && (await this.keys.find(id));
    if (!key) return null;
    try {
      const { payload } = await jwtVerify(token, key.public, {
        issuer: ISSUER,
        algorithms: ['EdDSA'],
        currentDate: now,
      });
      if (typeof payload.sub !== 'string' || typeof payload.sid !== 'string') return null;
      return { userId: payload.sub, sessionId: payload.sid };
    } catch {
      return null;
    }
  }

  /** The public keys with which others can verify access tokens. */
  published(): Promise<PublicKey[]> {
    return this.keys.published();
  }

  sweep(): Promise<void> {
    return this.keys.sweep();
  }
}

function keyIdOf(token: string): string | null {
  try {
    return decodeProtectedHeader(token).kid ?? null;
  } catch {
    return null;
  }
}
