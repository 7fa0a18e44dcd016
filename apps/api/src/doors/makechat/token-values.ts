import { createHash, randomBytes } from 'node:crypto';
import { userStream } from '@verbatim/domain';
import { type KeyRing, openText, ownKeyName, sealText } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import type { Migration } from '../../composition/migration.js';

export const tokenTables: Migration = {
  schema: 'vault',
  name: 'makechat tokens',
  statements: [
    `create table vault.makechat_tokens (
       hash text primary key, token_id uuid not null unique, user_id uuid not null, sealed text not null);
     create index makechat_tokens_user on vault.makechat_tokens (user_id)`,
  ],
};

/**
 * The values of API tokens, each of which refers to a personal token and ends with it. They are found by their hashes.
 * makechat lists tokens in plain form, so a value is also stored sealed under its owner's key, and shown only to the owner.
 */
export class TokenValues {
  constructor(
    private readonly sql: Sql,
    private readonly keys: KeyRing,
  ) {}

  /** A new value for a personal token: 32 hexadecimal digits. */
  async issue(tokenId: string, userId: string): Promise<string> {
    const value = randomBytes(16).toString('hex');
    const sealed = sealText(value, await this.keyOf(userId), associated(tokenId));
    await this.sql`
      insert into vault.makechat_tokens (hash, token_id, user_id, sealed)
      values (${hashOf(value)}, ${tokenId}, ${userId}, ${sealed})`;
    return value;
  }

  /** The id of the personal token with this value, ended or not; null if the value was never issued. */
  async find(value: string): Promise<string | null> {
    if (!/^[0-9a-z]{32}$/.test(value)) return null;
    const [row] = await this.sql<{ token_id: string }[]>`
      select token_id from vault.makechat_tokens where hash = ${hashOf(value)}`;
    return row?.token_id ?? null;
  }

  /** The values of a person's tokens, by the ids of the personal tokens. */
  async of(userId: string): Promise<ReadonlyMap<string, string>> {
    const rows = await this.sql<{ token_id: string; sealed: string }[]>`
      select token_id, sealed from vault.makechat_tokens where user_id = ${userId}`;
    if (rows.length === 0) return new Map();
    const name = ownKeyName(userStream(userId));
    const key = (await this.keys.find([name])).get(name);
    if (!key) return new Map();
    const opened = rows.map(({ token_id, sealed }) => [token_id, openText(sealed, key, associated(token_id))] as const);
    return new Map(opened.filter((entry): entry is readonly [string, string] => entry[1] !== null));
  }

  private async keyOf(userId: string): Promise<Buffer> {
    const name = ownKeyName(userStream(userId));
    const key = (await this.keys.obtain([name])).get(name);
    if (!key) throw new Error(`There is no key ${name}.`);
    return key;
  }

  /** Removes the values of deleted tokens. */
  async sweep(): Promise<void> {
    await this.sql`
      delete from vault.makechat_tokens m where not exists (select from vault.personal_tokens t where t.id = m.token_id)`;
  }
}

/** A plain hash suffices for 128 random bits. */
const hashOf = (value: string): string => createHash('sha256').update(value).digest('base64url');

const associated = (tokenId: string): string => `makechat token|${tokenId}`;
