import type { Sql } from 'postgres';
import { v4 as uuidv4 } from 'uuid';
import type { NameCipher } from './name-cipher.js';
import type { NameKind } from './names.js';

/** A name to be claimed, in normalized form. */
export interface NameClaim {
  readonly kind: NameKind;
  readonly key: string;
  readonly owner: string;
}

/** Claims many names at once, for tools that fill a log of their own. Returns how many were claimed. */
export async function claimNames(sql: Sql, cipher: NameCipher, claims: readonly NameClaim[]): Promise<number> {
  const { count } = await sql`
    insert into vault.names as held (kind, key, owner, claim, username)
    select * from unnest(
      ${claims.map(({ kind }) => kind)}::text[], ${claims.map(({ kind, key }) => cipher.hash(kind, key))}::text[],
      ${claims.map(({ owner }) => owner)}::uuid[], ${claims.map(() => uuidv4())}::uuid[],
      ${claims.map(({ kind, key, owner }) => (kind === 'user' ? cipher.sealUsername(key, owner) : null))}::text[])
    on conflict (kind, key) do update set claim = excluded.claim where held.owner = excluded.owner`;
  return count;
}
