import type { KeyObject } from 'node:crypto';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { openText, sealText } from '@verbatim/event-store';
import { jwtVerify, SignJWT } from 'jose';
import type { Sql } from 'postgres';

/** Seconds for which an access token is good. */
export const ACCESS_SECONDS = 600;

export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
}

const ISSUER = 'verbatim';
const KEY_ID = 'access-1';

/** Short-lived access tokens: JWT signed with Ed25519. The key is in the vault, so that every replica has the same. */
export class AccessTokens {
  private constructor(
    private readonly signing: KeyObject,
    private readonly verifying: KeyObject,
  ) {}

  static async open(sql: Sql, master: Buffer): Promise<AccessTokens> {
    const fresh = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    await sql`
      insert into vault.signing_keys (id, wrapped) values (${KEY_ID}, ${sealText(String(fresh), master, KEY_ID)})
      on conflict (id) do nothing`;
    const [row] = await sql<{ wrapped: string }[]>`select wrapped from vault.signing_keys where id = ${KEY_ID}`;
    const pem = row && openText(row.wrapped, master, KEY_ID);
    if (!pem) throw new Error('The signing key in the vault does not open with this master key.');
    const signing = createPrivateKey(pem);
    return new AccessTokens(signing, createPublicKey(signing));
  }

  sign({ userId, sessionId }: AccessClaims, now: Date): Promise<string> {
    const seconds = Math.floor(now.getTime() / 1000);
    return new SignJWT({ sid: sessionId })
      .setProtectedHeader({ alg: 'EdDSA', kid: KEY_ID })
      .setIssuer(ISSUER)
      .setSubject(userId)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + ACCESS_SECONDS)
      .sign(this.signing);
  }

  /** What the token says, or null when it is not ours or no longer good. */
  async verify(token: string, now: Date): Promise<AccessClaims | null> {
    try {
      const { payload } = await jwtVerify(token, this.verifying, {
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
}
