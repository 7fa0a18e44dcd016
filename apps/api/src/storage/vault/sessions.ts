import { createHash, createHmac, randomBytes } from 'node:crypto';
import { parseStream, type Recorded, type SignInWay, userStream } from '@verbatim/domain';
import { type KeyRing, openText, ownKeyName, sealText } from '@verbatim/event-store';
import { cursorKey, isId, type Page, type PageRequest, toPage } from '@verbatim/projections';
import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';
import { ACCESS_SECONDS } from './access-tokens.js';

const DAY_SECONDS = 86_400;
/** Days for which a session can be renewed, since its last renewal and since its start. */
export const REFRESH_DAYS = 30;
export const SESSION_DAYS = 90;
/** Seconds in which the exchange of a refresh token may be repeated because its response was lost. */
const GRACE_SECONDS = 10;
/** Lifetime of a ticket in seconds. */
export const TICKET_SECONDS = 30;
/** Sessions ended per batch; their events are appended together. */
const ENDED_AT_ONCE = 100;
/** Days for which an ended session is kept. */
const REMEMBERED_DAYS = 7;

export interface SessionRef {
  readonly sessionId: string;
  readonly userId: string;
}

/** The session that a ticket was issued to, and the personal token used instead, if any. */
export interface TicketHolder extends SessionRef {
  readonly tokenId?: string;
}

/** Where a user signed in, as far as known. */
export interface Device {
  readonly address: string | null;
  readonly userAgent: string | null;
}

export interface NewSession extends SessionRef {
  readonly how: SignInWay;
  readonly device: Device;
  /** The hash of the password that was just verified; if it has changed since, no session starts. */
  readonly passwordHash?: string;
  /** Seconds after which the session ends, even if renewed; absent: it can be renewed for as long as any other. */
  readonly seconds?: number;
}

/** A session that has not ended. */
export interface LiveSession extends Device {
  readonly id: string;
  readonly how: SignInWay;
  readonly createdAt: string;
  readonly lastUsedAt: string;
}

/** The same with the user it belongs to. */
export interface OwnedSession extends LiveSession {
  readonly userId: string;
}

export type Rotation = (SessionRef & { readonly outcome: 'rotated'; readonly refreshToken: string }) | ReusedOrUnknown;
type ReusedOrUnknown = (SessionRef & { readonly outcome: 'reused' }) | { readonly outcome: 'unknown' };

/** Which sessions of a user: one, all but one, or all. */
export type Which = { readonly only: string } | { readonly except: string } | 'all';

/**
 * Sessions, their refresh tokens (as hashes) and tickets for sockets. Ending a session takes two steps. First it is revoked
 * here, which invalidates it in this process and for renewals everywhere. Then the event is recorded that notifies the
 * replicas, and the session is marked as recorded (column `told`). An interrupted end can simply be repeated.
 */
export class Sessions {
  /** Recently revoked sessions, with the time after which none of their access tokens can be valid. */
  private readonly revoked = new Map<string, number>();
  /** Reinstated users whose revoked sessions are not loaded yet. */
  private readonly reloading = new Map<string, { readonly until: number }>();

  constructor(
    private readonly sql: Sql,
    private readonly keys: KeyRing,
    private readonly clock: Clock,
  ) {}

  /** Loads the revoked sessions of all users, or of one, whose events this process missed. */
  async load(userId: string | null = null): Promise<void> {
    const rows = await this.sql<{ id: string }[]>`
      select id from vault.sessions
      where revoked_at > now() - make_interval(secs => ${ACCESS_SECONDS * 2}) and user_id = coalesce(${userId}, user_id)`;
    for (const { id } of rows) this.noteRevoked(id);
  }

  /**
   * A sink of the feed: a revocation by any replica is known here at once. Which sessions of reinstated users were revoked
   * is unknown at first; until `reload` has finished, all of them count as revoked.
   */
  handle(events: readonly Recorded[]): void {
    for (const event of events) {
      if (event.type === 'SessionRevoked') this.noteRevoked(event.data.sessionId);
      else if (letsInAgain(event)) this.reloading.set(parseStream(event.stream).id, { until: this.usefulUntil() });
    }
  }

  /** Loads which sessions of a reinstated user were revoked. */
  async reload(userId: string): Promise<void> {
    const before = this.reloading.get(userId);
    await this.load(userId);
    if (this.reloading.get(userId) === before) this.reloading.delete(userId);
  }

  /** The owner and the expiry of a session, read now; null if it has ended. */
  async find(sessionId: string): Promise<(SessionRef & { readonly expiresAt: Date }) | null> {
    const [row] = await this.sql<{ user_id: string; expires_at: Date }[]>`
      select user_id, expires_at from vault.sessions
      where id = ${sessionId} and revoked_at is null and expires_at > ${this.in(0)}`;
    return row ? { sessionId, userId: row.user_id, expiresAt: row.expires_at } : null;
  }

  isRevoked(sessionId: string, userId: string): boolean {
    return this.revoked.has(sessionId) || this.reloading.has(userId);
  }

  /** Whether the database has the session as live: for credentials that outlive what is remembered here. */
  async isLive(sessionId: string): Promise<boolean> {
    const live = await this.sql`
      select 1 from vault.sessions where id = ${sessionId} and revoked_at is null and ends_at > ${this.in(0)}`;
    return live.length > 0;
  }

  // Starting and renewing -------------------------------------------------------------------------------------------

  /** The first refresh token, or null if the password has changed meanwhile. */
  async start({ sessionId, userId, how, device, passwordHash, seconds }: NewSession): Promise<string | null> {
    const token = secret();
    const sealed = sealText(JSON.stringify(device), await this.keyOf(userId), sessionId);
    const now = this.in(0);
    const [expires, ends] = [REFRESH_DAYS, SESSION_DAYS].map((days) => this.in(seconds ?? days * DAY_SECONDS)) as [
      Date,
      Date,
    ];
    // One statement instead of a transaction: postgres.js sends ROLLBACK on lost connections, which kills the process. The
    // lock makes a password change wait, so that it finds this session and ends it.
    const started = await this.sql`
      with credential as (
        select 1 from vault.credentials
        where user_id = ${userId} and password_hash = ${passwordHash ?? null}::text for share),
      session as (
        insert into vault.sessions (id, user_id, how, device, created_at, last_used_at, expires_at, ends_at, proved_at)
        select ${sessionId}, ${userId}, ${how}, ${sealed}, ${now}, ${now}, ${expires}, ${ends},
          case when ${how} = 'sso' then null else ${now}::timestamptz end
        where ${passwordHash === undefined} or exists (select 1 from credential) returning id)
      insert into vault.refresh_tokens (hash, session_id, expires_at)
      select ${digest(token)}, id, ${expires} from session returning 1`;
    return started.length > 0 ? token : null;
  }

  /**
   * Exchanges a refresh token for its successor. A second exchange indicates theft, except within 10 s and while the successor
   * is unused: then the response was lost, and the same successor is returned. It is not stored but derived from the token
   * and a random salt, with a key of the vault.
   */
  async rotate(refreshToken: string): Promise<Rotation> {
    const salt = secret();
    const next = await this.successor(refreshToken, salt);
    const [now, expires] = [this.in(0), this.in(REFRESH_DAYS * DAY_SECONDS)];
    // A single statement here as well.
    const [token] = await this.sql<UsedToken[]>`
      with token as (
        select t.hash, t.session_id, s.user_id, s.ends_at, t.used_at, t.salt, s.revoked_at is not null as revoked,
          least(t.expires_at, s.ends_at) < ${now} as expired
        from vault.refresh_tokens t join vault.sessions s on s.id = t.session_id
        where t.hash = ${digest(refreshToken)} for update of t),
      good as (select * from token where used_at is null and not revoked and not expired),
      spent as (update vault.refresh_tokens t set used_at = ${now}, salt = ${salt} from good where t.hash = good.hash),
      renewed as (
        update vault.sessions s set last_used_at = ${now}, expires_at = least(s.ends_at, ${expires})
        from good where s.id = good.session_id),
      successor as (
        insert into vault.refresh_tokens (hash, session_id, expires_at)
        select ${digest(next)}, session_id, least(ends_at, ${expires}) from good)
      select session_id, user_id, used_at, salt, revoked, expired from token`;
    if (!token || token.revoked || token.expired) return { outcome: 'unknown' };
    const ref = { sessionId: token.session_id, userId: token.user_id };
    const given = token.used_at === null ? next : await this.givenBefore(refreshToken, token);
    return given === null ? { ...ref, outcome: 'reused' } : { ...ref, outcome: 'rotated', refreshToken: given };
  }

  /** The successor that was returned for a token, while it may be returned again; else null. */
  private async givenBefore(refreshToken: string, { used_at, salt }: UsedToken): Promise<string | null> {
    if (!used_at || !salt || used_at < this.in(-GRACE_SECONDS)) return null;
    const given = await this.successor(refreshToken, salt);
    const unused = await this.sql`
      select 1 from vault.refresh_tokens where hash = ${digest(given)} and used_at is null`;
    return unused.length > 0 ? given : null;
  }

  private async successor(refreshToken: string, salt: string): Promise<string> {
    const name = 'refresh-tokens';
    const key = (await this.keys.obtain([name])).get(name);
    if (!key) throw new Error(`There is no key ${name}.`);
    return createHmac('sha256', key).update(`${salt}|${refreshToken}`).digest('base64url');
  }

  // Listing ---------------------------------------------------------------------------------------------------------

  /** The live sessions of a user, latest first. `list` names the list in cursors. */
  async live(userId: string, page: PageRequest, list: string): Promise<Page<LiveSession>> {
    const after = cursorKey(page, list, isId);
    const rows = await this.sql<SessionRow[]>`
      select id, how, device, created_at, last_used_at from vault.sessions
      where user_id = ${userId} and revoked_at is null and expires_at > ${this.in(0)}
        and (${after === null} or id < ${after?.[0] ?? null}::uuid)
      order by id desc limit ${page.limit + 1}`;
    const name = ownKeyName(userStream(userId));
    const key = (await this.keys.find([name])).get(name);
    return toPage(
      rows,
      page,
      list,
      (row) => toLiveSession(row, key),
      (row) => [row.id],
    );
  }

  /** The live sessions of all users, or of one, latest first. */
  async everywhere(userId: string | null, page: PageRequest): Promise<Page<OwnedSession>> {
    const list = 'all sessions';
    const after = cursorKey(page, list, isId);
    const { sql } = this;
    const rows = await sql<(SessionRow & { user_id: string })[]>`
      select id, user_id, how, device, created_at, last_used_at from vault.sessions
      where revoked_at is null and expires_at > ${this.in(0)}
        ${userId ? sql`and user_id = ${userId}` : sql``}
        ${after ? sql`and id < ${after[0]}::uuid` : sql``}
      order by id desc limit ${page.limit + 1}`;
    const keys = await this.keys.find(rows.map((row) => ownKeyName(userStream(row.user_id))));
    const owned = (row: (typeof rows)[number]): OwnedSession => {
      const key = keys.get(ownKeyName(userStream(row.user_id)));
      return { ...toLiveSession(row, key), userId: row.user_id };
    };
    return toPage(rows, page, list, owned, (row) => [row.id]);
  }

  /** Notes that the user has just proved their identity in this session. */
  async noteProof(sessionId: string): Promise<void> {
    await this.sql`update vault.sessions set proved_at = ${this.in(0)} where id = ${sessionId}`;
  }

  /** Whether the user proved their identity in this session within the last `seconds`. */
  async provedWithin(sessionId: string, seconds: number): Promise<boolean> {
    const proved = await this.sql`
      select 1 from vault.sessions where id = ${sessionId} and proved_at >= ${this.in(-seconds)}`;
    return proved.length > 0;
  }

  // Ending ----------------------------------------------------------------------------------------------------------

  /** Revokes sessions of a user; returns up to 100 whose end is not recorded yet. */
  async revoke(userId: string, which: Which): Promise<string[]> {
    const only = which !== 'all' && 'only' in which ? which.only : null;
    const except = which !== 'all' && 'except' in which ? which.except : null;
    const rows = await this.sql<{ id: string }[]>`
      update vault.sessions set revoked_at = coalesce(revoked_at, now())
      where id in (
        select id from vault.sessions
        where user_id = ${userId} and not told and (${only}::uuid is null or id = ${only}::uuid)
          and (${except}::uuid is null or id <> ${except}::uuid)
        limit ${ENDED_AT_ONCE})
      returning id`;
    for (const { id } of rows) this.noteRevoked(id);
    return rows.map(({ id }) => id);
  }

  /** Marks the end of these sessions as recorded in the log. */
  async markRecorded(sessionIds: readonly string[]): Promise<void> {
    await this.sql`update vault.sessions set told = true where id = any(${[...sessionIds]}::uuid[])`;
  }

  /** Revokes all sessions of a user whose suspension or deactivation is recorded by another event. */
  async revokeAll(userId: string): Promise<void> {
    await this.sql`
      update vault.sessions set revoked_at = coalesce(revoked_at, now()), told = true
      where user_id = ${userId} and not told`;
    await this.load(userId);
  }

  /** Expired sessions whose end is not recorded yet. */
  async expired(): Promise<SessionRef[]> {
    const rows = await this.sql<{ id: string; user_id: string }[]>`
      select id, user_id from vault.sessions where not told and expires_at < ${this.in(0)} limit ${ENDED_AT_ONCE}`;
    return rows.map(({ id, user_id }) => ({ sessionId: id, userId: user_id }));
  }

  // Tickets ---------------------------------------------------------------------------------------------------------

  async issueTicket({ sessionId, userId, tokenId }: TicketHolder): Promise<string> {
    const ticket = secret();
    await this.sql`
      insert into vault.tickets (hash, session_id, user_id, token_id, expires_at)
      values (${digest(ticket)}, ${sessionId}, ${userId}, ${tokenId ?? null}, ${this.in(TICKET_SECONDS)})`;
    return ticket;
  }

  /** The session of a ticket, or null. A ticket can be used once. */
  async redeemTicket(ticket: string): Promise<TicketHolder | null> {
    const [row] = await this.sql<{ session_id: string; user_id: string; token_id: string | null; good: boolean }[]>`
      delete from vault.tickets where hash = ${digest(ticket)} returning session_id, user_id, token_id, expires_at > ${this.in(0)} as good`;
    if (!row?.good || this.isRevoked(row.session_id, row.user_id)) return null;
    return { sessionId: row.session_id, userId: row.user_id, tokenId: row.token_id ?? undefined };
  }

  /** Removes what has expired. */
  async sweep(): Promise<void> {
    const now = this.in(0);
    for (const [id, until] of this.revoked) if (until < now.getTime()) this.revoked.delete(id);
    for (const [id, { until }] of this.reloading) if (until < now.getTime()) this.reloading.delete(id);
    await this.sql`delete from vault.tickets where expires_at < ${now}`;
    await this.sql`delete from vault.refresh_tokens where expires_at < ${now}`;
    await this.sql`
      delete from vault.sessions
      where told and revoked_at < now() - make_interval(days => ${REMEMBERED_DAYS})`;
  }

  private noteRevoked(sessionId: string): void {
    this.revoked.set(sessionId, this.usefulUntil());
  }

  /** No access token that is valid now can be valid after this time. */
  private usefulUntil(): number {
    return this.in(ACCESS_SECONDS * 2).getTime();
  }

  /** Addresses and user agents are personal, so they are sealed under the user's own key. */
  private async keyOf(userId: string): Promise<Buffer> {
    const name = ownKeyName(userStream(userId));
    const key = (await this.keys.obtain([name])).get(name);
    if (!key) throw new Error(`There is no key ${name}.`);
    return key;
  }

  private in(seconds: number): Date {
    return new Date(this.clock().getTime() + seconds * 1_000);
  }
}

interface UsedToken {
  session_id: string;
  user_id: string;
  used_at: Date | null;
  salt: string | null;
  revoked: boolean;
  expired: boolean;
}

interface SessionRow {
  id: string;
  how: SignInWay;
  device: string | null;
  created_at: Date;
  last_used_at: Date;
}

const toLiveSession = (row: SessionRow, key: Buffer | undefined): LiveSession => ({
  id: row.id,
  how: row.how,
  createdAt: row.created_at.toISOString(),
  lastUsedAt: row.last_used_at.toISOString(),
  ...openDevice(row, key),
});

function openDevice({ id, device }: SessionRow, key: Buffer | undefined): Device {
  const text = device === null || !key ? null : openText(device, key, id);
  return text === null ? { address: null, userAgent: null } : (JSON.parse(text) as Device);
}

/** A random secret of 256 bits. */
export const secret = (): string => randomBytes(32).toString('base64url');
/** What is stored of such a secret. */
export const digest = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Whether an event reinstates or reactivates a user. */
export const letsInAgain = ({ type }: Recorded): boolean => type === 'UserReinstated' || type === 'UserReactivated';
