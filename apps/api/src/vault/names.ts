import type { Sql } from 'postgres';
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
