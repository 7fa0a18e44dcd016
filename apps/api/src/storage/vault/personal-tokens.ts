import type { Recorded } from '@verbatim/domain';
import { parseStream, type TokenScope, userStream } from '@verbatim/domain';
import { type KeyRing, migrate, openText, ownKey, ownKeysOf, sealText } from '@verbatim/event-store';
import { cursorKey, isId, type Page, type PageRequest, toPage } from '@verbatim/projections';
import { LRUCache } from 'lru-cache';
import type { Fragment, Sql, TransactionSql } from 'postgres';
import type { Clock } from '../../clock.js';
import { digest, issueSecret, looksIssued } from './issued-secret.js';

/** Tokens kept in memory; about 500 bytes each. */
const CACHE_SIZE = 20_000;
/** A cached token is looked up again after this time, in case the feed is late with its revocation. */
const FRESH_MS = 800;
/** How often the last use of a token is stored. */
const NOTE_USE_EVERY_MS = 60_000;
/** For how long uses are collected before they are stored. */
const COLLECT_USES_MS = 500;

/** A personal token in the vault. Whether it was revoked is decided by its owner's stream. */
export interface PersonalToken {
  readonly id: string;
  readonly userId: string;
  readonly scopes: ReadonlySet<TokenScope>;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  /** The token with which it was created, and with which it ends. */
  readonly parentId: string | null;
}

/** A token as its owner sees it; the name is empty once the owner's key has been destroyed. */
export interface NamedToken extends PersonalToken {
  readonly name: string;
}

export type TokenWish = Pick<NamedToken, 'id' | 'userId' | 'name' | 'expiresAt' | 'parentId'> & {
  readonly scopes: readonly TokenScope[];
};

/** A filter: tokens of one user, of bots (true) or people (false) only. */
export interface WantedTokens {
  readonly user?: string;
  readonly bot?: boolean;
  /** A query for the ids of all bots. */
  readonly bots: Fragment;
}

interface Cached {
  readonly token: PersonalToken;
  /** When it was looked up, by a monotonic clock. */
  readonly at: number;
}

/** Personal tokens, as hashes; their names are sealed under the owner's key. */
export class PersonalTokens {
  private readonly byHash = new LRUCache<string, Cached>({ max: CACHE_SIZE });
  /** Lookups in progress, so that concurrent requests with the same token share one. */
  private readonly asking = new Map<string, Promise<PersonalToken | null>>();
  private readonly lastNoted = new LRUCache<string, number>({ max: CACHE_SIZE });
  private readonly uses = new Map<string, Date>();
  private noting: NodeJS.Timeout | null = null;

  private constructor(
    private readonly sql: Sql,
    private readonly keys: KeyRing,
    private readonly clock: Clock,
  ) {}

  static async open(sql: Sql, keys: KeyRing, clock: Clock): Promise<PersonalTokens> {
    await migrate(sql, 'vault', 'personal tokens', [
      `create table vault.personal_tokens (
         id uuid primary key, hash text not null unique, user_id uuid not null, name text not null, scopes text not null,
         created_at timestamptz not null, expires_at timestamptz, last_used_at timestamptz);
       create index personal_tokens_user on vault.personal_tokens (user_id);
       alter table vault.tickets add column token_id uuid`,
      sealNames(keys),
      'alter table vault.personal_tokens rename column name to sealed_name',
      `alter table vault.personal_tokens add column parent_id uuid;
       create index personal_tokens_parent on vault.personal_tokens (parent_id) where parent_id is not null`,
    ]);
    return new PersonalTokens(sql, keys, clock);
  }

  /** A sink of the feed: drops ended tokens from the cache. */
  handle(events: readonly Recorded[]): void {
    for (const event of events) {
      if (event.type === 'TokenRevoked') this.forget(({ id }) => id === event.data.tokenId);
      if (endsAllTokens(event)) {
        const { id } = parseStream(event.stream);
        this.forget(({ userId }) => userId === id);
      }
    }
  }

  /** Deletes the tokens that a user had at that time (ISO 8601). None of them becomes valid again; a reinstated user creates new ones. */
  async deleteAll(userId: string, until: string): Promise<void> {
    await this.sql`delete from vault.personal_tokens where user_id = ${userId} and created_at <= ${until}`;
  }

  /** Creates a token and returns its text, which is not stored. It is valid once it is in the owner's stream. */
  async issue({
    id,
    userId,
    name,
    scopes,
    expiresAt,
    parentId,
  }: TokenWish): Promise<{ token: NamedToken; text: string }> {
    const text = issueSecret('vbt_');
    const createdAt = this.clock();
    const sealed = sealText(name, await ownKey(this.keys, userStream(userId)), associated(id));
    await this.sql`
      insert into vault.personal_tokens (id, hash, user_id, sealed_name, scopes, created_at, expires_at, parent_id)
      values (
        ${id}, ${digest(text)}, ${userId}, ${sealed}, ${scopes.join(' ')}, ${createdAt}, ${expiresAt}, ${parentId})`;
    const token = { id, userId, name, scopes: new Set(scopes), createdAt, expiresAt, lastUsedAt: null, parentId };
    return { token, text };
  }

  /** The token with this text, cached for less than a second; null if there is none or it has expired. */
  async byText(text: string): Promise<PersonalToken | null> {
    if (!looksIssued('vbt_', text)) return null;
    const hash = digest(text);
    const known = this.byHash.get(hash);
    const token = known && performance.now() - known.at < FRESH_MS ? known.token : await this.lookUp(hash);
    if (!token || this.expired(token)) return null;
    this.noteUse(token);
    return token;
  }

  /** The token with this id, read now; null if there is none or it has expired. */
  async byId(id: string): Promise<PersonalToken | null> {
    const [row] = await this.sql<Row[]>`select * from vault.personal_tokens where id = ${id}`;
    const token = row ? toToken(row) : null;
    if (!token || this.expired(token)) return null;
    this.noteUse(token);
    return token;
  }

  /** Which of these tokens still exist and have not expired. */
  async still(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.sql<{ id: string }[]>`
      select id from vault.personal_tokens
      where id = any(${[...ids]}::uuid[]) and (expires_at is null or expires_at > ${this.clock()})`;
    return new Set(rows.map(({ id }) => id));
  }

  /** Ids of the tokens of a user that were created with this one. */
  async createdWith(id: string, userId: string): Promise<string[]> {
    const rows = await this.sql<{ id: string }[]>`
      select id from vault.personal_tokens where parent_id = ${id} and user_id = ${userId}`;
    return rows.map((row) => row.id);
  }

  /** All tokens of a user, latest first. */
  async of(userId: string): Promise<NamedToken[]> {
    const rows = await this.sql<Row[]>`
      select * from vault.personal_tokens
      where user_id = ${userId} order by created_at desc, id desc`;
    return this.named(rows);
  }

  /** The wanted tokens that have not expired, latest first. */
  async everywhere({ user, bot, bots }: WantedTokens, page: PageRequest): Promise<Page<NamedToken>> {
    const list = 'all tokens';
    const after = cursorKey(page, list, isId);
    const { sql } = this;
    const rows = await sql<Row[]>`
      select * from vault.personal_tokens
      where (expires_at is null or expires_at > ${this.clock()})
        ${user ? sql`and user_id = ${user}` : sql``}
        ${bot === true ? sql`and user_id in (${bots})` : sql``}
        ${bot === false ? sql`and user_id not in (${bots})` : sql``}
        ${after ? sql`and id < ${after[0]}::uuid` : sql``}
      order by id desc limit ${page.limit + 1}`;
    const named = new Map((await this.named(rows)).map((token) => [token.id, token]));
    return toPage(
      rows,
      page,
      list,
      ({ id }) => named.get(id) as NamedToken,
      (row) => [row.id],
    );
  }

  private async named(rows: readonly Row[]): Promise<NamedToken[]> {
    const keys = await ownKeysOf(
      this.keys,
      rows.map((row) => row.user_id),
      'find',
    );
    return rows.map((row) => {
      const key = keys.get(row.user_id);
      return { ...toToken(row), name: (key && openText(row.sealed_name, key, associated(row.id))) ?? '' };
    });
  }

  /** Removes a token for good. */
  async remove(id: string): Promise<void> {
    await this.sql`delete from vault.personal_tokens where id = ${id}`;
    this.forget((token) => token.id === id);
  }

  expired({ expiresAt }: Pick<PersonalToken, 'expiresAt'>): boolean {
    return expiresAt !== null && expiresAt <= this.clock();
  }

  stop(): void {
    if (this.noting) clearTimeout(this.noting);
  }

  private lookUp(hash: string): Promise<PersonalToken | null> {
    let asking = this.asking.get(hash);
    if (!asking) {
      asking = this.read(hash).finally(() => this.asking.delete(hash));
      this.asking.set(hash, asking);
    }
    return asking;
  }

  private async read(hash: string): Promise<PersonalToken | null> {
    const at = performance.now();
    const [row] = await this.sql<Row[]>`
      select * from vault.personal_tokens where hash = ${hash}`;
    if (!row) {
      this.byHash.delete(hash);
      return null;
    }
    const token = toToken(row);
    this.byHash.set(hash, { token, at });
    return token;
  }

  private forget(which: (token: PersonalToken) => boolean): void {
    for (const [hash, { token }] of this.byHash.entries()) if (which(token)) this.byHash.delete(hash);
  }

  /** Stored after the request, together with others, at most once a minute. */
  private noteUse({ id, lastUsedAt }: PersonalToken): void {
    const now = this.clock();
    const noted = this.lastNoted.get(id) ?? lastUsedAt?.getTime() ?? 0;
    if (now.getTime() - noted < NOTE_USE_EVERY_MS) return;
    this.lastNoted.set(id, now.getTime());
    this.uses.set(id, now);
    this.noting ??= setTimeout(() => void this.writeUses(), COLLECT_USES_MS).unref();
  }

  private async writeUses(): Promise<void> {
    this.noting = null;
    const uses = [...this.uses];
    this.uses.clear();
    // Failures do not matter: the next use is stored.
    await this.sql`
      update vault.personal_tokens t set last_used_at = used.at
      from unnest(${uses.map(([id]) => id)}::uuid[], ${uses.map(([, at]) => at.toISOString())}::timestamptz[]) as used (id, at)
      where t.id = used.id and (t.last_used_at is null or t.last_used_at < used.at)`.catch(() => undefined);
  }
}

interface Row {
  id: string;
  user_id: string;
  sealed_name: string;
  /** Separated by spaces. */
  scopes: string;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
  parent_id: string | null;
}

const tokenScopes: readonly TokenScope[] = ['read', 'post', 'manage'];

const toToken = (row: Row): PersonalToken => ({
  id: row.id,
  userId: row.user_id,
  scopes: new Set(tokenScopes.filter((scope) => row.scopes.split(' ').includes(scope))),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
  parentId: row.parent_id,
});

/**
 * Whether an event ends all tokens of its account: the user was locked out, or someone else may have had access to the
 * account.
 */
export const endsAllTokens = (event: Recorded): boolean =>
  event.type === 'UserSuspended' ||
  event.type === 'UserDeactivated' ||
  (event.type === 'PasswordChanged' && event.data.how === 'removed');

const associated = (tokenId: string): string => `token name|${tokenId}`;

/** A step of migration: earlier releases kept names in plain text. */
const sealNames = (keys: KeyRing) => async (tx: TransactionSql) => {
  const rows = await tx<{ id: string; holder: string; name: string }[]>`
    select id, user_id as holder, name from vault.personal_tokens`;
  const byHolder = await ownKeysOf(
    keys,
    rows.map(({ holder }) => holder),
    'obtain',
  );
  const sealed = rows.map(({ id, holder, name }) => sealText(name, byHolder.get(holder) as Buffer, associated(id)));
  await tx`
    update vault.personal_tokens t set name = s.sealed
    from unnest(${rows.map(({ id }) => id)}::uuid[], ${sealed}::text[]) as s (id, sealed) where t.id = s.id`;
};
