import { nameKey } from '@verbatim/domain';
import type { Sql, TransactionSql } from 'postgres';
import { v4 as uuidv4 } from 'uuid';

export type NameKind = 'user' | 'room';

/** A claim to a name; `claim` is its id, new at each claiming. */
export interface Claim {
  readonly key: string;
  readonly claim: string;
}

/** Tells whether a claim to a name still counts, by asking the stream of the entity that made it. */
export interface NameOwners {
  /**
   * Whether `owner` has the name or may still come to have it. A claim that is `stale` is given up for good by an event
   * in the owner's stream, unless that stream shows that the name was taken after all: so the log decides the race.
   */
  stands(kind: NameKind, owner: string, key: string, claim: string, stale: boolean): Promise<boolean>;
}

/** Seconds after which a claim that came to nothing may be taken over. */
const STALE_SECONDS = 30;

/** Claims to names that must be unique over many streams: a claim is made before the event that takes the name. */
export class Names {
  constructor(
    private readonly sql: Sql,
    private readonly owners: NameOwners,
  ) {}

  /** The id of the claim, or null when somebody else has the name. Claiming again what one has claimed succeeds. */
  async claim(kind: NameKind, key: string, owner: string): Promise<string | null> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const claim = uuidv4();
      const [mine] = await this.sql<{ claim: string }[]>`
        insert into vault.names as held (kind, key, owner, claim) values (${kind}, ${key}, ${owner}, ${claim})
        on conflict (kind, key) do update set claim = excluded.claim, claimed_at = now() where held.owner = excluded.owner
        returning claim`;
      if (mine) return mine.claim;
      const [held] = await this.sql<{ owner: string; claim: string; stale: boolean }[]>`
        select owner, claim, claimed_at < now() - make_interval(secs => ${STALE_SECONDS}) as stale
        from vault.names where kind = ${kind} and key = ${key}`;
      if (!held) continue;
      if (await this.owners.stands(kind, held.owner, key, held.claim, held.stale)) return null;
      await this.sql`delete from vault.names where kind = ${kind} and key = ${key} and claim = ${held.claim}`;
    }
    return null;
  }

  /** All claims of one owner. */
  heldBy(owner: string): Promise<Claim[]> {
    return this.sql<Claim[]>`select key, claim from vault.names where owner = ${owner}`;
  }

  /** Lets claims go, by their ids: a name that its owner has claimed anew meanwhile stays claimed. */
  async release(claims: readonly string[]): Promise<void> {
    if (claims.length > 0) await this.sql`delete from vault.names where claim = any(${[...claims]}::uuid[])`;
  }

  /** Who claimed the name; whether the claim came to something is for the owner's stream to say. */
  async ownerOf(kind: NameKind, key: string): Promise<string | null> {
    const [row] = await this.sql<
      { owner: string }[]
    >`select owner from vault.names where kind = ${kind} and key = ${key}`;
    return row?.owner ?? null;
  }
}

/**
 * A step of migration: gives every claim the key that its name has today. The keys of earlier releases, made in lower case,
 * lead to the same keys as the names themselves. Where two claims have become the same, the older one stays; the other
 * room keeps its name until it is renamed.
 */
export async function bringNamesUpToDate(tx: TransactionSql): Promise<void> {
  // Keys of ASCII characters with single spaces between words are what they were.
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
