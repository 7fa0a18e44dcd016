import { decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';
import { type PublicKey, SigningKeys } from './signing-keys.js';

/** Seconds for which an access token is good. */
export const ACCESS_SECONDS = 600;

export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
}

const ISSUER = 'verbatim';

/** Short-lived access tokens: JWT signed with Ed25519. The keys are in the vault, so that every replica has the same. */
export class AccessTokens {
  private constructor(private readonly keys: SigningKeys) {}

  /** Makes the first key, and fails if those of the vault do not open with this master key. */
  static async open(sql: Sql, master: Buffer, clock: Clock): Promise<AccessTokens> {
    const keys = new SigningKeys(sql, master, clock, ACCESS_SECONDS);
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

  /** What the token says, or null when it is not ours or no longer good. */
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

  /** The public keys by which others can check access tokens. */
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
