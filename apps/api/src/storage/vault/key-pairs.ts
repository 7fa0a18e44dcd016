import { randomBytes } from 'node:crypto';
import { userStream } from '@verbatim/domain';
import { type KeyRing, migrate, openOwn, ownKey, sealText } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import { toBase32 } from '../../base32.js';
import type { Clock } from '../../clock.js';
import { digest } from './issued-secret.js';
import type { SessionRef } from './sessions.js';

/** Unexpired nonces remembered for each key pair; about 150 bytes each. */
export const MAX_NONCES = 10_000;

/** What a client signs its requests with. Each pair belongs to a session and ends with it. */
export interface KeyPair extends SessionRef {
  readonly accessKey: string;
  readonly secret: string;
}

export interface IssuedKeyPair extends KeyPair {
  /** When the session got its first pair, and this one. */
  readonly createdAt: Date;
  readonly modifiedAt: Date;
}

/**
 * The key pairs of clients that sign their requests, one for each session. Signatures are verified with the secret, so it cannot
 * be stored as a hash: it is sealed under the key of its owner. The nonces of signatures are stored as hashes.
 */
export class KeyPairs {
  private constructor(
    private readonly sql: Sql,
    private readonly keys: KeyRing,
    private readonly clock: Clock,
  ) {}

  static async open(sql: Sql, keys: KeyRing, clock: Clock): Promise<KeyPairs> {
    await migrate(sql, 'vault', 'key pairs', [
      `create table vault.key_pairs (
         session_id uuid primary key references vault.sessions on delete cascade, user_id uuid not null,
         access_key text not null unique, sealed_secret text not null,
         created_at timestamptz not null, modified_at timestamptz not null);
       create table vault.nonces (
         session_id uuid not null references vault.key_pairs on delete cascade, hash text not null,
         expires_at timestamptz not null, primary key (session_id, hash));
       create index nonces_expired on vault.nonces (expires_at)`,
    ]);
    return new KeyPairs(sql, keys, clock);
  }

  /** Creates the key pair of a session. An earlier one is invalid from now on, and so are the nonces of its signatures. */
  async issue({ sessionId, userId }: SessionRef): Promise<IssuedKeyPair> {
    const [accessKey, secret] = [toBase32(randomBytes(32)), toBase32(randomBytes(32))];
    const sealed = sealText(secret, await ownKey(this.keys, userStream(userId)), associated(accessKey));
    const now = this.clock();
    const [row] = await this.sql<{ created_at: Date }[]>`
      with earlier as (delete from vault.nonces where session_id = ${sessionId})
      insert into vault.key_pairs (session_id, user_id, access_key, sealed_secret, created_at, modified_at)
      values (${sessionId}, ${userId}, ${accessKey}, ${sealed}, ${now}, ${now})
      on conflict (session_id) do update set
        access_key = excluded.access_key, sealed_secret = excluded.sealed_secret, modified_at = excluded.modified_at
      returning created_at`;
    return { sessionId, userId, accessKey, secret, createdAt: row?.created_at ?? now, modifiedAt: now };
  }

  /** The pair with this access key; null if there is none, or its owner's key has been destroyed. */
  async find(accessKey: string): Promise<KeyPair | null> {
    if (!/^[A-Z2-7]{52}$/.test(accessKey)) return null;
    const [row] = await this.sql<{ session_id: string; user_id: string; sealed_secret: string }[]>`
      select session_id, user_id, sealed_secret from vault.key_pairs where access_key = ${accessKey}`;
    if (!row) return null;
    const secret = await openOwn(this.keys, userStream(row.user_id), row.sealed_secret, associated(accessKey));
    return secret === null ? null : { sessionId: row.session_id, userId: row.user_id, accessKey, secret };
  }

  /**
   * Uses up nonces of signatures with this pair, on all replicas; they are remembered until `until`. Returns whether all of
   * them were new. When too many are remembered, none counts as new.
   */
  async useNonces({ sessionId }: KeyPair, nonces: readonly string[], until: Date): Promise<boolean> {
    const used = await this.sql`
      insert into vault.nonces (session_id, hash, expires_at)
      select ${sessionId}, hash, ${until} from unnest(${nonces.map(digest)}::text[]) as hash
      where ${MAX_NONCES} > (
        select count(*) from vault.nonces where session_id = ${sessionId} and expires_at > ${this.clock()})
      on conflict (session_id, hash) do nothing returning 1`;
    return used.length === nonces.length;
  }

  /** Forgets the nonces of signatures that have expired. */
  async sweep(): Promise<void> {
    await this.sql`delete from vault.nonces where expires_at < ${this.clock()}`;
  }
}

const associated = (accessKey: string): string => `secret of key pair|${accessKey}`;
