import { nameKey, type Rejection } from '@verbatim/domain';
import type { Sql } from 'postgres';
import { addressKey } from '../../limits/address-key.js';
import type { LimitSettings } from '../../limits/limit-settings.js';
import { limited } from '../../limits/limited.js';
import type { Rate } from '../../limits/rate.js';
import type { NameCipher } from '../vault/name-cipher.js';

/** Failed attempts are forgotten after this many hours. */
const FORGET_HOURS = 24;

/** An attempt that may proceed to the password or code. It counts as failed until `succeeded` is called. */
export interface Attempt {
  succeeded(): Promise<void>;
}

export interface SignInAttempt extends Attempt {
  /** If this attempt fails, the account is locked out. */
  readonly last: boolean;
}

/**
 * The limits on signing in and registering. They are exact across replicas and survive restarts, because guessing takes many
 * attempts. A single statement counts each attempt before the password is checked, so concurrent attempts gain nothing.
 * Whether the account exists makes no difference. Names and addresses are stored as keyed hashes.
 */
export class Attempts {
  constructor(
    private readonly sql: Sql,
    private readonly cipher: NameCipher,
    private readonly settings: Pick<
      LimitSettings,
      'LIMIT_SIGN_IN' | 'LIMIT_SIGN_IN_ADDRESS' | 'LIMIT_REGISTRATION' | 'LIMIT_GUESTS'
    >,
  ) {}

  /**
   * Counts an attempt; rejects it (`TooSoon`) while the account or the address has to wait. After `count` failures, each
   * further failure doubles the wait, from a second up to `seconds`.
   */
  async signIn(username: string, address: string): Promise<SignInAttempt | Rejection> {
    const { LIMIT_SIGN_IN: byAccount, LIMIT_SIGN_IN_ADDRESS: byAddress } = this.settings;
    if (!Number.isFinite(byAccount.count)) return { last: false, succeeded: async () => undefined };
    const account = this.keyOf('account', nameKey(username));
    const place = this.keyOf('address', addressKey(address));
    const [counted] = await this.sql<{ failures: number | null; wait: number | null }[]>`
      with at_address as (${this.counting(place, byAddress, this.sql`true`)}),
      at_account as (${this.counting(account, byAccount, this.sql`exists (select from at_address)`)})
      select (select failures from at_account) as failures, (
        select max(extract(epoch from open_at - clock_timestamp()))::float8
        from desk.sign_in_attempts where key in (${account}, ${place}) and open_at > clock_timestamp()) as wait`;
    // Attempts counted at the same moment are not in the snapshot that provides the wait.
    if (!counted?.failures) return limitedBy(counted?.wait);
    return { last: counted.failures === byAccount.count, succeeded: () => this.forgive(account, place) };
  }

  /**
   * Counts an attempt of a signed-in user to prove their identity again. Counted like sign-in attempts but separately: a
   * stolen session must not allow trying all codes, nor locking out its owner.
   */
  async proof(userId: string): Promise<Attempt | Rejection> {
    const { LIMIT_SIGN_IN: limit } = this.settings;
    if (!Number.isFinite(limit.count)) return { succeeded: async () => undefined };
    const key = this.keyOf('proof', userId);
    const [counted] = await this.sql<{ failures: number | null; wait: number | null }[]>`
      with counted as (${this.counting(key, limit, this.sql`true`)})
      select (select failures from counted) as failures, (
        select extract(epoch from open_at - clock_timestamp())::float8
        from desk.sign_in_attempts where key = ${key} and open_at > clock_timestamp()) as wait`;
    if (!counted?.failures) return limitedBy(counted?.wait);
    return {
      succeeded: async () => void (await this.sql`delete from desk.sign_in_attempts where key = ${key}`),
    };
  }

  /** Increments the failures of a key, unless it has to wait; returns the failures including this one. */
  private counting(key: string, { count, seconds }: { count: number; seconds: number }, when: ReturnType<Sql>) {
    const wait = (failures: ReturnType<Sql>) => this.sql`
      case when ${failures} < ${count}::int then '-infinity'::timestamptz
      else clock_timestamp() + make_interval(secs => least(${seconds}::float8, power(2::float8, least(${failures} - ${count}::int, 30)))) end`;
    return this.sql`
      insert into desk.sign_in_attempts as known (key, failures, tried_at, open_at)
      select ${key}, 1, now(), ${wait(this.sql`1`)} where ${when}
      on conflict (key) do update set
        failures = known.failures + 1, tried_at = excluded.tried_at, open_at = ${wait(this.sql`known.failures + 1`)}
        where known.open_at <= clock_timestamp()
      returning failures`;
  }

  /** Resets the account. For the address, only this attempt is undone: others may be guessing from there. */
  private async forgive(account: string, address: string): Promise<void> {
    await this.sql`
      with account as (delete from desk.sign_in_attempts where key = ${account})
      update desk.sign_in_attempts set failures = failures - 1, open_at = '-infinity'
      where key = ${address} and failures > 0`;
  }

  /** Counts a registration; rejects it (`TooSoon`) when there were too many from this address. */
  registration(address: string): Promise<Rejection | null> {
    return this.newAccount('registration', address, this.settings.LIMIT_REGISTRATION);
  }

  /** Counts a guest who was not known before, like a registration. */
  guest(address: string): Promise<Rejection | null> {
    return this.newAccount('guest', address, this.settings.LIMIT_GUESTS);
  }

  private async newAccount(
    kind: 'registration' | 'guest',
    address: string,
    { count, seconds }: Rate,
  ): Promise<Rejection | null> {
    if (!Number.isFinite(count)) return null;
    const key = this.keyOf(kind, addressKey(address));
    const interval = seconds / count;
    const [taken] = await this.sql<{ free: boolean; wait: number }[]>`
      with taken as (
        insert into desk.registrations as known (key, full_at)
        values (${key}, clock_timestamp() + make_interval(secs => ${interval}))
        on conflict (key) do update
          set full_at = greatest(known.full_at, clock_timestamp()) + make_interval(secs => ${interval})
          where known.full_at <= clock_timestamp() + make_interval(secs => ${seconds - interval})
        returning 1)
      select exists (select from taken) as free, coalesce((
        select extract(epoch from full_at - clock_timestamp())::float8 - ${seconds - interval}
        from desk.registrations where key = ${key}), 1) as wait`;
    return taken?.free ? null : limitedBy(taken?.wait);
  }

  async sweep(): Promise<void> {
    await this.sql`delete from desk.sign_in_attempts where tried_at < now() - make_interval(hours => ${FORGET_HOURS})`;
    await this.sql`delete from desk.registrations where full_at < now()`;
  }

  private keyOf(kind: 'account' | 'address' | 'proof' | 'registration' | 'guest', what: string): string {
    return this.cipher.hash(kind, what);
  }
}

const limitedBy = (waitSeconds: number | null | undefined): Rejection => limited(Math.max(1, waitSeconds ?? 1) * 1_000);
