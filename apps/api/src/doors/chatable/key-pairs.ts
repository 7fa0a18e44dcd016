import { randomBytes } from 'node:crypto';
import { userStream } from '@verbatim/domain';
import { type KeyRing, openText, sealText } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';
import type { Migration } from '../../composition/migration.js';
import { digest } from '../../storage/vault/issued-secret.js';
import { ownKey } from '../../storage/vault/own-key.js';
import type { SessionRef } from '../../storage/vault/sessions.js';
import { toBase32 } from './base32.js';

/** Unexpired nonces remembered for each key pair; about 150 bytes each. */
export const MAX_NONCES = 10_000;

export const keyPairTables: Migration = {
  schema: 'vault',
  name: 'chatable key pairs',
  statements: [
    `create table vault.chatable_key_pairs (
       session_id uuid primary key references vault.sessions on delete cascade, user_id uuid not null,
       access_key text not null unique, sealed_secret text not null,
       created_at timestamptz not null, modified_at timestamptz not null);
     create table vault.chatable_nonces (
       access_key text not null references vault.chatable_key_pairs (access_key) on delete cascade, hash text not null,
       expires_at timestamptz not null, primary key (access_key, hash));
     create index chatable_nonces_expired on vault.chatable_nonces (expires_at)`,
  ],
};

/** What a client signs its requests with. Each pair belongs to a session and ends with it. */
export interface KeyPair extends SessionRef {
  readonly accessKey: string;
  readonly secret: string;
}

export interface IssuedKeyPair extends KeyPair {
  readonly createdAt: Date;
  readonly modifiedAt: Date;
}

/**
 * The key pairs of clients, one for each session. Signatures are verified with the secret, so it cannot be stored as a
 * hash: it is sealed under the key of its owner. The nonces of signatures are stored as hashes.
 */
export class KeyPairs {
  constructor(
    private readonly sql: Sql,
    private readonly keys: KeyRing,
    private readonly clock: Clock,
  ) {}

  /** Creates the key pair of a session. An earlier one is invalid from now on, and its nonces are forgotten. */
  async issue({ sessionId, userId }: SessionRef): Promise<IssuedKeyPair> {
    const [accessKey, secret] = [toBase32(randomBytes(32)), toBase32(randomBytes(32))];
    const sealed = sealText(secret, await ownKey(this.keys, userStream(userId)), associated(accessKey));
    const now = this.clock();
    const [row] = await this.sql<{ created_at: Date }[]>`
      with earlier as (
        delete from vault.chatable_nonces n using vault.chatable_key_pairs p
        where p.session_id = ${sessionId} and n.access_key = p.access_key)
      insert into vault.chatable_key_pairs (session_id, user_id, access_key, sealed_secret, created_at, modified_at)
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
      select session_id, user_id, sealed_secret from vault.chatable_key_pairs where access_key = ${accessKey}`;
    if (!row) return null;
    const key = await ownKey(this.keys, userStream(row.user_id));
    const secret = openText(row.sealed_secret, key, associated(accessKey));
    return secret === null ? null : { sessionId: row.session_id, userId: row.user_id, accessKey, secret };
  }

  /**
   * Uses up nonces, on all replicas: `used` if one of them was used with this pair before. They are remembered until
   * `until`. `full`: the pair has too many that have not expired.
   */
  async useNonces(accessKey: string, nonces: readonly string[], until: Date): Promise<'fresh' | 'used' | 'full'> {
    const hashes = nonces.map(digest);
    const rows = await this.sql<{ used: boolean }[]>`
      with remembered as (
        select count(*) < ${MAX_NONCES} as room from vault.chatable_nonces
        where access_key = ${accessKey} and expires_at > ${this.clock()}),
      added as (
        insert into vault.chatable_nonces (access_key, hash, expires_at)
        select ${accessKey}, hash, ${until} from unnest(${hashes}::text[]) as hash, remembered where room
        on conflict (access_key, hash) do nothing returning hash)
      select not room as full, (select count(*) from added) < ${hashes.length} as used from remembered`;
    const [{ full, used } = { full: true, used: true }] = rows as unknown as { full: boolean; used: boolean }[];
    return full ? 'full' : used ? 'used' : 'fresh';
  }

  /** Forgets nonces of signatures that have expired. */
  async sweep(): Promise<void> {
    await this.sql`delete from vault.chatable_nonces where expires_at < ${this.clock()}`;
  }
}

const associated = (accessKey: string): string => `chatable secret|${accessKey}`;
