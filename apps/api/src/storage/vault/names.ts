import { nameKey } from '@verbatim/domain';
import type { Sql, TransactionSql } from 'postgres';
import { v4 as uuidv4 } from 'uuid';
import type { NameCipher } from './name-cipher.js';

export type NameKind = 'user' | 'room';

/** A claim to a name; `claim` is its id, new for each attempt, and `hash` is the keyed hash of the name. */
export interface Claim {
  readonly hash: string;
  readonly claim: string;
}

/** Decides whether a claim still counts, by the stream of the entity that made it. */
export interface NameOwners {
  /**
   * Whether `owner` has the name or may still get it. A `stale` claim is abandoned by an event in the owner's stream, unless
   * that stream shows that the name was taken: so the log decides the race. Throws Busy if that cannot be decided now.
   */
  stands(kind: NameKind, owner: string, key: string, claim: string, stale: boolean): Promise<boolean>;
}

/** Seconds after which an unused claim may be taken over. */
const STALE_SECONDS = 30;

/**
 * Claims to names that must be unique across streams; a name is claimed before the event that takes it. The column `key`
 * contains keyed hashes, and `username` the sealed username of a user.
 */
export class Names {
  constructor(
    private readonly sql: Sql,
    private readonly owners: NameOwners,
    private readonly cipher: NameCipher,
  ) {}

  /** The hash of a name in claims. */
  hash(kind: NameKind, key: string): string {
    return this.cipher.hash(kind, key);
  }

  /** The id of the claim, or null if someone else has the name. Claiming a name that you already have succeeds. */
  async claim(kind: NameKind, key: string, owner: string): Promise<string | null> {
    const hash = this.hash(kind, key);
    const username = kind === 'user' ? this.cipher.sealUsername(key, owner) : null;
    for (let attempt = 0; attempt < 5; attempt++) {
      const claim = uuidv4();
      const [mine] = await this.sql<{ claim: string }[]>`
        insert into vault.names as held (kind, key, owner, claim, username)
        values (${kind}, ${hash}, ${owner}, ${claim}, ${username})
        on conflict (kind, key) do update set claim = excluded.claim, claimed_at = now() where held.owner = excluded.owner
        returning claim`;
      if (mine) return mine.claim;
      const [held] = await this.sql<{ owner: string; claim: string; stale: boolean }[]>`
        select owner, claim, claimed_at < now() - make_interval(secs => ${STALE_SECONDS}) as stale
        from vault.names where kind = ${kind} and key = ${hash}`;
      if (!held) continue;
      if (await this.owners.stands(kind, held.owner, key, held.claim, held.stale)) return null;
      await this.sql`delete from vault.names where kind = ${kind} and key = ${hash} and claim = ${held.claim}`;
    }
    return null;
  }

  /** All claims of one owner. */
  heldBy(owner: string): Promise<Claim[]> {
    return this.sql<Claim[]>`select key as hash, claim from vault.names where owner = ${owner}`;
  }

  /** Releases claims by id: a name that its owner has claimed again meanwhile stays claimed. */
  async release(claims: readonly string[]): Promise<void> {
    if (claims.length > 0) await this.sql`delete from vault.names where claim = any(${[...claims]}::uuid[])`;
  }

  /** Who claimed the name; whether they took it is decided by their stream. */
  async ownerOf(kind: NameKind, key: string): Promise<string | null> {
    const [row] = await this.sql<
      { owner: string }[]
    >`select owner from vault.names where kind = ${kind} and key = ${this.hash(kind, key)}`;
    return row?.owner ?? null;
  }

  /** The usernames of these users; unknown ones are absent. */
  async usernames(owners: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await this.sql<{ owner: string; username: string }[]>`
      select owner, username from vault.names
      where kind = 'user' and username is not null and owner = any(${[...owners]}::uuid[])`;
    const usernames = new Map<string, string>();
    for (const { owner, username } of rows) {
      const opened = this.cipher.openUsername(username, owner);
      if (opened !== null) usernames.set(owner, opened);
    }
    return usernames;
  }
}

/**
 * A migration step: updates the key of every claim to the current rules. The lower-case keys of earlier releases lead to the
 * same keys as the names themselves. Where two claims collide, the older one stays; the other room keeps its name until it
 * is renamed.
 */
export async function bringNamesUpToDate(tx: TransactionSql): Promise<void> {
  // Keys of ASCII characters with single spaces are unchanged.
  const held = await tx<{ kind: NameKind; key: string }[]>`
    select kind, key from vault.names where key !~ '^[!-~]+( [!-~]+)*$'`;
  const changed = held.filter(({ key }) => nameKey(key) !== key);
  if (changed.length === 0) return;
  await tx`
    create temporary table changed_names on commit drop as
    select * from unnest(
      ${changed.map(({ kind }) => kind)}::text[], ${changed.map(({ key }) => key)}::text[],
      ${changed.map(({ key }) => nameKey(key))}::text[]
    ) as c (kind, key, today)`;
  await tx`
    delete from vault.names where claim in (
      select claim from (
        select claim, row_number() over (partition by kind, coalesce(today, key) order by claimed_at, claim) as nth
        from vault.names left join changed_names using (kind, key)
      ) as claims
      where nth > 1)`;
  await tx`
    update vault.names n set key = c.today from changed_names c where n.kind = c.kind and n.key = c.key`;
}

/** A migration step: replaces plain-text names of earlier releases by hashes, and seals usernames. */
export const hashNames =
  (cipher: NameCipher) =>
  async (tx: TransactionSql): Promise<void> => {
    const rows = await tx<{ kind: NameKind; key: string; owner: string; claim: string }[]>`
      select kind, key, owner, claim from vault.names`;
    const plain = rows.filter(({ key }) => !cipher.isHash(key));
    await tx`
      update vault.names n set key = hashed.key, username = hashed.username
      from unnest(
        ${plain.map(({ claim }) => claim)}::uuid[], ${plain.map(({ kind, key }) => cipher.hash(kind, key))}::text[],
        ${plain.map(({ kind, key, owner }) => (kind === 'user' ? cipher.sealUsername(key, owner) : null))}::text[]
      ) as hashed (claim, key, username)
      where n.claim = hashed.claim`;
  };
