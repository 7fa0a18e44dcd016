import { createHmac, randomBytes } from 'node:crypto';
import { type KeyRing, openText, sealText } from '@verbatim/event-store';
import { plainCode } from '@verbatim/protocol';
import { Secret, TOTP } from 'otpauth';
import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';
import { newId } from '../../new-id.js';

/** Recovery codes per set. */
const RECOVERY_CODES = 10;
/** Length of a step, and how many steps the clocks of a phone and the server may differ (RFC 6238, 5.2). */
const STEP_SECONDS = 30;
const DRIFT_STEPS = 1;
const KEY = 'second-factors';

/** A secret for a user's authenticator. */
export interface NewTotp {
  readonly id: string;
  /** Base32. */
  readonly secret: string;
  /** `otpauth://totp/...`, for a QR code. */
  readonly uri: string;
}

/**
 * Time-based one-time passwords (RFC 6238) and recovery codes. The user's stream says which secret is in use, so an
 * unconfirmed one has no effect.
 */
export class SecondFactors {
  constructor(
    private readonly sql: Sql,
    private readonly keys: KeyRing,
    private readonly clock: Clock,
  ) {}

  /** Creates a secret to be confirmed; it replaces other unconfirmed ones. */
  async begin(userId: string, username: string): Promise<NewTotp> {
    const id = newId();
    const totp = totpOf(new Secret({ size: 20 }), username);
    const sealed = sealText(totp.secret.base32, await this.key(), id);
    await this.sql`
      with others as (delete from vault.totp where user_id = ${userId} and last_step < 0)
      insert into vault.totp (id, user_id, sealed) values (${id}, ${userId}, ${sealed})`;
    return { id, secret: totp.secret.base32, uri: totp.toString() };
  }

  /** The latest secret. */
  async begun(userId: string): Promise<string | null> {
    const [row] = await this.sql<{ id: string }[]>`
      select id from vault.totp where user_id = ${userId} order by id desc limit 1`;
    return row?.id ?? null;
  }

  /** Whether a code of six digits is correct now. Each is accepted once, across all replicas. */
  async accept(totpId: string, code: string): Promise<boolean> {
    const [row] = await this.sql<{ sealed: string }[]>`select sealed from vault.totp where id = ${totpId}`;
    const secret = row && openText(row.sealed, await this.key(), totpId);
    if (!secret) return false;
    const timestamp = this.clock().getTime();
    const delta = totpOf(Secret.fromBase32(secret)).validate({ token: code, timestamp, window: DRIFT_STEPS });
    if (delta === null) return false;
    const step = Math.floor(timestamp / 1_000 / STEP_SECONDS) + delta;
    const taken = await this.sql`
      update vault.totp set last_step = ${step} where id = ${totpId} and last_step < ${step} returning 1`;
    return taken.length > 0;
  }

  /** Ten new codes, each for one use, replacing all earlier ones. They can be shown only now. */
  async newRecoveryCodes(totpId: string): Promise<string[]> {
    const codes = Array.from({ length: RECOVERY_CODES }, newCode);
    const hashes = await Promise.all(codes.map((code) => this.hash(totpId, code)));
    await this.sql`
      with gone as (delete from vault.recovery_codes where totp_id = ${totpId})
      insert into vault.recovery_codes (totp_id, hash) select ${totpId}, hash from unnest(${hashes}::text[]) as hash`;
    return codes;
  }

  /** Uses a recovery code; false if there is no such code. */
  async spendRecoveryCode(totpId: string, code: string): Promise<boolean> {
    const spent = await this.sql`
      delete from vault.recovery_codes where totp_id = ${totpId} and hash = ${await this.hash(totpId, code)} returning 1`;
    return spent.length > 0;
  }

  async recoveryCodesLeft(totpId: string): Promise<number> {
    const [row] = await this.sql<{ left: number }[]>`
      select count(*)::int as left from vault.recovery_codes where totp_id = ${totpId}`;
    return row?.left ?? 0;
  }

  /** Deletes a secret that is no longer in use, with its recovery codes. */
  async forget(totpId: string): Promise<void> {
    await this.sql`delete from vault.totp where id = ${totpId}`;
  }

  /** Keyed, because codes are shorter than other secrets and could be guessed from a copy of the database. */
  private async hash(totpId: string, code: string): Promise<string> {
    return createHmac('sha256', await this.key())
      .update(`${totpId}|${plainCode(code)}`)
      .digest('hex');
  }

  private async key(): Promise<Buffer> {
    const key = (await this.keys.obtain([KEY])).get(KEY);
    if (!key) throw new Error(`There is no key ${KEY}.`);
    return key;
  }
}

const totpOf = (secret: Secret, label = 'account') =>
  new TOTP({ issuer: 'Verbatim', label, secret, algorithm: 'SHA1', digits: 6, period: STEP_SECONDS });

/** 80 random bits as four groups of four unambiguous letters and digits. */
function newCode(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz023456789';
  const code = [...randomBytes(16)].map((byte) => letters[byte % 32]).join('');
  return code.replaceAll(/(.{4})(?=.)/g, '$1-');
}
