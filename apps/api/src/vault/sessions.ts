import { createHash, randomBytes } from 'node:crypto';
import { parseStream, type Recorded } from '@verbatim/domain';
import type { Sql } from 'postgres';
import type { Clock } from '../clock.js';
import { ACCESS_SECONDS } from './access-tokens.js';

/** Days for which a session can be renewed, counted from its last renewal. */
const REFRESH_DAYS = 30;
const DAY = 86_400;
/** Seconds for which a ticket opens a socket. */
export const TICKET_SECONDS = 30;

export interface SessionRef {
  readonly sessionId: string;
  readonly userId: string;
}

/** Who opens a socket with a ticket, and the personal token, if any, with which they got it. */
export interface TicketHolder extends SessionRef {
  readonly tokenId?: string;
}

export type Rotation = (SessionRef & { readonly outcome: 'rotated'; readonly refreshToken: string }) | ReusedOrUnknown;
type ReusedOrUnknown = (SessionRef & { readonly outcome: 'reused' }) | { readonly outcome: 'unknown' };

/** Sessions, their refresh tokens (only as hashes) and tickets for sockets. */
export class Sessions {
  /** Sessions revoked lately, with the time after which no access token of theirs can be good any more. */
  private readonly revoked = new Map<string, number>();

  constructor(
    private readonly sql: Sql,
    private readonly clock: Clock,
  ) {}

  /** Learns which sessions, of everybody or of one person, were revoked without this process being told. */
  async load(userId: string | null = null): Promise<void> {
    const rows = await this.sql<{ id: string }[]>`
      select id from vault.sessions
      where revoked_at > now() - make_interval(secs => ${ACCESS_SECONDS * 2}) and user_id = coalesce(${userId}, user_id)`;
    for (const { id } of rows) this.noteRevoked(id);
  }

  /** A sink of the feed: a revocation by any replica is known here at once. */
  async take(events: readonly Recorded[]): Promise<void> {
    for (const event of events) if (event.type === 'SessionRevoked') this.noteRevoked(event.data.sessionId);
    for (const event of events) if (event.type === 'UserReinstated') await this.load(parseStream(event.stream).id);
  }

  isRevoked(sessionId: string): boolean {
    return this.revoked.has(sessionId);
  }

  async start({ sessionId, userId }: SessionRef): Promise<string> {
    const token = secret();
    // One statement rather than a transaction: postgres.js sends ROLLBACK into a connection that was lost, and the process dies.
    await this.sql`
      with session as (insert into vault.sessions (id, user_id) values (${sessionId}, ${userId}))
      insert into vault.refresh_tokens (hash, session_id, expires_at)
      values (${digest(token)}, ${sessionId}, ${this.in(REFRESH_DAYS * DAY)})`;
    return token;
  }

  /** Exchanges a refresh token for the next one. One that was exchanged before is a sign of theft. */
  async rotate(refreshToken: string): Promise<Rotation> {
    const next = secret();
    // One statement here as well.
    const [token] = await this.sql<
      { session_id: string; user_id: string; used: boolean; revoked: boolean; expired: boolean }[]
    >`
      with token as (
        select t.hash, t.session_id, s.user_id, t.used_at is not null as used, s.revoked_at is not null as revoked, t.expires_at < ${this.in(0)} as expired
        from vault.refresh_tokens t join vault.sessions s on s.id = t.session_id
        where t.hash = ${digest(refreshToken)} for update of t),
      good as (select * from token where not used and not revoked and not expired),
      spent as (update vault.refresh_tokens t set used_at = now() from good where t.hash = good.hash),
      successor as (
        insert into vault.refresh_tokens (hash, session_id, expires_at)
        select ${digest(next)}, session_id, ${this.in(REFRESH_DAYS * DAY)} from good)
      select * from token`;
    if (!token || token.revoked || token.expired) return { outcome: 'unknown' };
    const ref = { sessionId: token.session_id, userId: token.user_id };
    return token.used ? { ...ref, outcome: 'reused' } : { ...ref, outcome: 'rotated', refreshToken: next };
  }

  /** Makes the session useless here at once and everywhere for renewals; the event that tells the replicas comes after. */
  async revoke(sessionId: string): Promise<void> {
    await this.sql`update vault.sessions set revoked_at = now() where id = ${sessionId} and revoked_at is null`;
    this.noteRevoked(sessionId);
  }

  /** The same for all sessions that a person has. */
  async revokeAll(userId: string): Promise<void> {
    await this.sql`update vault.sessions set revoked_at = now() where user_id = ${userId} and revoked_at is null`;
    await this.load(userId);
  }

  async issueTicket({ sessionId, userId, tokenId }: TicketHolder): Promise<string> {
    const ticket = secret();
    await this.sql`
      insert into vault.tickets (hash, session_id, user_id, token_id, expires_at)
      values (${digest(ticket)}, ${sessionId}, ${userId}, ${tokenId ?? null}, ${this.in(TICKET_SECONDS)})`;
    return ticket;
  }

  /** Whose ticket it is, or null; a ticket is good once. */
  async redeemTicket(ticket: string): Promise<TicketHolder | null> {
    const [row] = await this.sql<{ session_id: string; user_id: string; token_id: string | null; good: boolean }[]>`
      delete from vault.tickets where hash = ${digest(ticket)} returning session_id, user_id, token_id, expires_at > ${this.in(0)} as good`;
    if (!row?.good || this.isRevoked(row.session_id)) return null;
    return { sessionId: row.session_id, userId: row.user_id, tokenId: row.token_id ?? undefined };
  }

  /** Removes what can be of no use to anyone any more. */
  async sweep(): Promise<void> {
    const now = this.in(0);
    for (const [id, until] of this.revoked) if (until < now.getTime()) this.revoked.delete(id);
    await this.sql`delete from vault.tickets where expires_at < ${now}`;
    await this.sql`delete from vault.refresh_tokens where expires_at < ${now}`;
  }

  private noteRevoked(sessionId: string): void {
    this.revoked.set(sessionId, this.in(ACCESS_SECONDS * 2).getTime());
  }

  private in(seconds: number): Date {
    return new Date(this.clock().getTime() + seconds * 1_000);
  }
}

const secret = (): string => randomBytes(32).toString('base64url');
const digest = (token: string): string => createHash('sha256').update(token).digest('hex');
