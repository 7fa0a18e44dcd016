import type { Sql, TransactionSql } from 'postgres';
import type { Clock } from '../../clock.js';
import type { NameCipher } from './name-cipher.js';
import { digest, secret } from './sessions.js';

/** Lifetime of the code that ends a single sign-on, in seconds. */
export const CODE_SECONDS = 30;

/** A user at an identity provider. The subject never changes, unlike names and addresses. */
export interface ForeignIdentity {
  readonly issuer: string;
  readonly subject: string;
}

/** What a browser gets from the callback: the code in the address, and the other secret in a cookie. */
export interface SignOnCode {
  readonly code: string;
  readonly browser: string;
}

/** The external identities of accounts (subjects as keyed hashes), and the codes that end a single sign-on (as hashes). */
export class Identities {
  constructor(
    private readonly sql: Sql,
    private readonly cipher: NameCipher,
    private readonly clock: Clock,
  ) {}

  async ownerOf(identity: ForeignIdentity): Promise<string | null> {
    const [row] = await this.sql<{ user_id: string }[]>`
      select user_id from vault.identities where issuer = ${identity.issuer} and subject = ${hashOf(this.cipher, identity)}`;
    return row?.user_id ?? null;
  }

  /** The providers at which a user has an identity. */
  async issuersOf(userId: string): Promise<string[]> {
    const rows = await this.sql<{ issuer: string }[]>`select issuer from vault.identities where user_id = ${userId}`;
    return rows.map(({ issuer }) => issuer);
  }

  /** Links an identity to an account, unless it is linked already. */
  async link(id: string, identity: ForeignIdentity, userId: string): Promise<void> {
    await this.sql`
      insert into vault.identities (id, issuer, subject, user_id) values (${id}, ${identity.issuer}, ${hashOf(this.cipher, identity)}, ${userId})
      on conflict (issuer, subject) do nothing`;
  }

  async issueCode(userId: string): Promise<SignOnCode> {
    const [code, browser] = [secret(), secret()];
    await this.sql`
      insert into vault.sign_on_codes (hash, browser, user_id, expires_at)
      values (${digest(code)}, ${digest(browser)}, ${userId}, ${this.in(CODE_SECONDS)})`;
    return { code, browser };
  }

  /** The user of a code, or null. A code can be used once, even if it comes from the wrong browser. */
  async redeemCode({ code, browser }: SignOnCode): Promise<string | null> {
    const [row] = await this.sql<{ user_id: string; good: boolean }[]>`
      delete from vault.sign_on_codes where hash = ${digest(code)}
      returning user_id, expires_at > ${this.in(0)} and browser = ${digest(browser)} as good`;
    return row?.good ? row.user_id : null;
  }

  async sweep(): Promise<void> {
    await this.sql`delete from vault.sign_on_codes where expires_at < ${this.in(0)}`;
  }

  private in(seconds: number): Date {
    return new Date(this.clock().getTime() + seconds * 1_000);
  }
}

const hashOf = (cipher: NameCipher, { issuer, subject }: ForeignIdentity): string =>
  cipher.hash('identity', JSON.stringify([issuer, subject]));

/** A step of migration: earlier releases kept subjects in plain text. */
export const hashSubjects =
  (cipher: NameCipher) =>
  async (tx: TransactionSql): Promise<void> => {
    const rows = await tx<(ForeignIdentity & { id: string })[]>`select id, issuer, subject from vault.identities`;
    await tx`
      update vault.identities i set subject = hashed.subject
      from unnest(
        ${rows.map(({ id }) => id)}::uuid[], ${rows.map((identity) => hashOf(cipher, identity))}::text[]
      ) as hashed (id, subject)
      where i.id = hashed.id`;
  };

/** Any number that nothing else in the database locks. */
const LINKING_LOCK = 7_216_003;

/**
 * Links identities to existing accounts one at a time, across all replicas: two people must not get the same account. A
 * process uses one connection for it, however many wait.
 */
export class Linking {
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly sql: Sql) {}

  inTurn<T>(link: () => Promise<T>): Promise<T> {
    const locked = async () => {
      const outcome = await this.sql.begin(async (lock) => {
        await lock`select pg_advisory_xact_lock(${LINKING_LOCK})`;
        return { value: await link() };
      });
      return outcome.value;
    };
    const turn = this.last.then(locked);
    this.last = turn.catch(() => undefined);
    return turn;
  }
}
