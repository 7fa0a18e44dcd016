import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';
import { hashPassword, isOutdated, passwordMatches } from './passwords.js';
import { digest, secret } from './sessions.js';

/** Lifetime of a password reset token in seconds. */
export const RESET_SECONDS = 86_400;
/** Days for which an expired, unused token is remembered: its owner needs a new one. */
const KEEP_EXPIRED_DAYS = 14;

/** A password that was replaced, as hashes; `before` is null if there was none. */
export interface Replaced {
  readonly userId: string;
  readonly before: string | null;
  readonly now: string;
}

/** Passwords of accounts, as hashes, and password reset tokens. */
export class Credentials {
  constructor(
    private readonly sql: Sql,
    private readonly clock: Clock,
  ) {}

  /**
   * The stored hash, if the password is correct; else null. Takes equally long whether or not there is such a user. A hash
   * with an outdated cost is replaced.
   */
  async check(userId: string | null, password: string): Promise<string | null> {
    const [row] = userId
      ? await this.sql<{ hash: string }[]>`
          select password_hash as hash from vault.credentials where user_id = ${userId}`
      : [];
    const matches = await passwordMatches(password, row?.hash ?? null);
    if (!matches || !row) return null;
    if (!isOutdated(row.hash)) return row.hash;
    const fresh = await hashPassword(password);
    const [replaced] = await this.sql`
      update vault.credentials set password_hash = ${fresh}
      where user_id = ${userId} and password_hash = ${row.hash} returning 1`;
    return replaced ? fresh : null;
  }

  /** Whether a user has a password. */
  async has(userId: string): Promise<boolean> {
    const found = await this.sql`select 1 from vault.credentials where user_id = ${userId}`;
    return found.length > 0;
  }

  /** Stores the password of a new account, unless it has one. */
  async begin(userId: string, password: string): Promise<void> {
    await this.sql`
      insert into vault.credentials (user_id, password_hash) values (${userId}, ${await hashPassword(password)})
      on conflict (user_id) do nothing`;
  }

  /** Sets a password, whatever it was before. */
  async set(userId: string, password: string): Promise<void> {
    await this.sql`
      insert into vault.credentials (user_id, password_hash) values (${userId}, ${await hashPassword(password)})
      on conflict (user_id) do update set password_hash = excluded.password_hash`;
  }

  /** Replaces a password by its hash; null if it has been changed meanwhile. Voids open resets. */
  async replace(userId: string, rightHash: string, password: string): Promise<Replaced | null> {
    const fresh = await hashPassword(password);
    const changed = await this.sql`
      with changed as (
        update vault.credentials set password_hash = ${fresh}
        where user_id = ${userId} and password_hash = ${rightHash} returning user_id),
      void as (delete from vault.password_resets r using changed where r.user_id = changed.user_id)
      select 1 from changed`;
    return changed.length > 0 ? { userId, before: rightHash, now: fresh } : null;
  }

  /** Restores the previous password, unless it has been changed again. */
  async putBack({ userId, before, now }: Replaced): Promise<void> {
    if (before === null)
      await this.sql`delete from vault.credentials where user_id = ${userId} and password_hash = ${now}`;
    else
      await this.sql`
        update vault.credentials set password_hash = ${before} where user_id = ${userId} and password_hash = ${now}`;
  }

  /** Removes the password; no password matches until a reset. */
  async remove(userId: string): Promise<void> {
    await this.sql`
      with void as (delete from vault.password_resets where user_id = ${userId})
      delete from vault.credentials where user_id = ${userId}`;
  }

  /**
   * Creates a token with which the user can choose a password once, within a day. It replaces an earlier one.
   * @param issuedAt revision of the account's event that records it
   */
  async issueReset(userId: string, issuedAt: bigint): Promise<string> {
    const token = secret();
    await this.sql`
      insert into vault.password_resets (hash, user_id, expires_at, issued_at)
      values (${digest(token)}, ${userId}, ${this.in(RESET_SECONDS)}, ${`${issuedAt}`})
      on conflict (user_id) do update set
        hash = excluded.hash, expires_at = excluded.expires_at, issued_at = excluded.issued_at`;
    return token;
  }

  /** Unused tokens, latest first, at most `most`. `issuedAt` is RFC 3339. */
  async unusedResets(most: number): Promise<{ userId: string; issuedAt: string; expired: boolean }[]> {
    const rows = await this.sql<{ user_id: string; expires_at: Date }[]>`
      select user_id, expires_at from vault.password_resets order by expires_at desc limit ${most}`;
    return rows.map(({ user_id, expires_at }) => ({
      userId: user_id,
      issuedAt: new Date(expires_at.getTime() - RESET_SECONDS * 1_000).toISOString(),
      expired: expires_at.getTime() <= this.clock().getTime(),
    }));
  }

  /** Whose password a token may set, and the revision at which it was issued; null if it is invalid. */
  async resetFor(token: string): Promise<{ userId: string; issuedAt: number } | null> {
    const [row] = await this.sql<{ user_id: string; issued_at: string }[]>`
      select user_id, issued_at from vault.password_resets
      where hash = ${digest(token)} and expires_at > ${this.in(0)}`;
    return row ? { userId: row.user_id, issuedAt: Number(row.issued_at) } : null;
  }

  /** Uses the token and sets the password; null if the token was used meanwhile. */
  async reset(token: string, password: string): Promise<Replaced | null> {
    const fresh = await hashPassword(password);
    // All parts of a statement see the table as it was before the statement.
    const [set] = await this.sql<{ user_id: string; before: string | null }[]>`
      with used as (
        delete from vault.password_resets where hash = ${digest(token)} and expires_at > ${this.in(0)} returning user_id),
      set as (
        insert into vault.credentials (user_id, password_hash) select user_id, ${fresh} from used
        on conflict (user_id) do update set password_hash = excluded.password_hash returning user_id)
      select set.user_id, c.password_hash as before from set left join vault.credentials c on c.user_id = set.user_id`;
    return set ? { userId: set.user_id, before: set.before, now: fresh } : null;
  }

  async sweep(): Promise<void> {
    await this.sql`delete from vault.password_resets where expires_at < ${this.in(-KEEP_EXPIRED_DAYS * 86_400)}`;
  }

  private in(seconds: number): Date {
    return new Date(this.clock().getTime() + seconds * 1_000);
  }
}
