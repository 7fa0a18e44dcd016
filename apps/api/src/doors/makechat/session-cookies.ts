import { createHash, randomBytes } from 'node:crypto';
import type { Sql } from 'postgres';
import type { Migration } from '../../composition/migration.js';
import type { SessionRef } from '../../storage/vault/sessions.js';

export const sessionTables: Migration = {
  schema: 'vault',
  name: 'makechat sessions',
  statements: [
    `create table vault.makechat_sessions (
       hash text primary key, session_id uuid not null references vault.sessions on delete cascade, user_id uuid not null);
     create index makechat_sessions_session on vault.makechat_sessions (session_id)`,
  ],
};

/** The values of session cookies, each of which refers to a native session. The vault has only their hashes. */
export class SessionCookies {
  constructor(private readonly sql: Sql) {}

  /** A new cookie value for a session: 64 hexadecimal digits, as in makechat. */
  async issue({ sessionId, userId }: SessionRef): Promise<string> {
    const value = randomBytes(32).toString('hex');
    await this.sql`
      insert into vault.makechat_sessions (hash, session_id, user_id) values (${hashOf(value)}, ${sessionId}, ${userId})`;
    return value;
  }

  /** The session that a cookie value refers to, ended or not; null if the value was never issued. */
  async find(value: string): Promise<SessionRef | null> {
    const [row] = await this.sql<{ session_id: string; user_id: string }[]>`
      select session_id, user_id from vault.makechat_sessions where hash = ${hashOf(value)}`;
    return row ? { sessionId: row.session_id, userId: row.user_id } : null;
  }
}

/** A plain hash suffices for 256 random bits. */
const hashOf = (value: string): string => createHash('sha256').update(value).digest('base64url');

const NAME = 'session';

/** The value of a request's session cookie, if it is well-formed. */
export function cookieIn(header: string | undefined): string | null {
  for (const pair of (header ?? '').split(';')) {
    const [name, value = ''] = pair.trim().split('=');
    const plain = value.replace(/^"(.*)"$/, '$1');
    if (name === NAME && /^[0-9a-f]{64}$/.test(plain)) return plain;
  }
  return null;
}

/** Whether a request has a session cookie at all. */
export const hasCookie = (header: string | undefined): boolean =>
  (header ?? '').split(';').some((pair) => pair.trim().startsWith(`${NAME}=`));

/** A `Set-Cookie` with this value and lifetime in seconds. */
export const setCookie = (value: string, seconds: number, secure: boolean): string =>
  `${NAME}=${value}; Max-Age=${seconds}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;

/** A `Set-Cookie` that removes the cookie. */
export const removeCookie = (secure: boolean): string =>
  `${NAME}=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
