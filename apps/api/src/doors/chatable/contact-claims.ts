import { emailKey } from '@verbatim/domain';
import type { Sql } from 'postgres';
import type { Migration } from '../../composition/migration.js';
import type { NameCipher } from '../../storage/vault/name-cipher.js';
import type { Users } from '../../write-side/entities.js';

/** Seconds after which a claim counts no more if its account was not opened; a registration is over by then. */
const STALE_SECONDS = 60;

export const contactTables: Migration = {
  schema: 'vault',
  name: 'chatable contacts',
  statements: [
    `create table vault.chatable_contacts (
       hash text primary key, user_id uuid not null, claimed_at timestamptz not null default now())`,
  ],
};

/** What no two registrations may share. */
export interface Contact {
  readonly email: string;
  readonly phone: string;
}

/**
 * Phone numbers and e-mail addresses of those who registered here, so that nobody registers with one that is taken. They are
 * kept as keyed hashes only: nothing ever asks for a number. A claim counts when the account was opened.
 */
export class ContactClaims {
  constructor(
    private readonly sql: Sql,
    private readonly cipher: NameCipher,
    private readonly users: Pick<Users, 'newest'>,
  ) {}

  /** Claims both for an account that is about to be opened, or neither. */
  async claim(userId: string, contact: Contact): Promise<boolean> {
    const hashes = this.hashesOf(contact);
    for (const hash of hashes) {
      if (await this.claimOne(userId, hash)) continue;
      await this.release(userId);
      return false;
    }
    return true;
  }

  /** Gives up the claims of an account that was not opened. */
  async release(userId: string): Promise<void> {
    await this.sql`delete from vault.chatable_contacts where user_id = ${userId}`;
  }

  private async claimOne(userId: string, hash: string): Promise<boolean> {
    for (let attempt = 0; attempt < 3; attempt++) {
      const mine = await this.sql`
        insert into vault.chatable_contacts (hash, user_id) values (${hash}, ${userId})
        on conflict (hash) do nothing returning 1`;
      if (mine.length > 0) return true;
      const [held] = await this.sql<{ user_id: string; stale: boolean }[]>`
        select user_id, claimed_at < now() - make_interval(secs => ${STALE_SECONDS}) as stale
        from vault.chatable_contacts where hash = ${hash}`;
      if (held?.user_id === userId) return true;
      if (held && !(held.stale && (await this.isUnborn(held.user_id)))) return false;
      await this.sql`delete from vault.chatable_contacts where hash = ${hash} and user_id = ${held?.user_id ?? null}`;
    }
    return false;
  }

  private async isUnborn(userId: string): Promise<boolean> {
    const { status } = (await this.users.newest(userId)).state;
    return status === 'unborn' || status === 'abandoned';
  }

  private hashesOf({ email, phone }: Contact): string[] {
    return [this.cipher.hash('phone', phone), this.cipher.hash('mailbox', emailKey(email))];
  }
}
