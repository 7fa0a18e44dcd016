import { emailKey } from '@verbatim/domain';
import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import type { NameCipher } from './name-cipher.js';

/** Seconds after which a claim expires if its account was not opened; no registration takes that long. */
const STALE_SECONDS = 60;

/** Contact details that no two registrations may share. */
export interface Contact {
  readonly email: string;
  readonly phone: string;
}

/** Whether an account was opened, or may still be. */
type Opened = (userId: string) => Promise<boolean>;

/**
 * Phone numbers and e-mail addresses of registrations, where these must be unique. They are kept as keyed hashes only,
 * because nothing needs the originals. A claim counts if its account was opened.
 */
export class ContactClaims {
  private constructor(
    private readonly sql: Sql,
    private readonly cipher: NameCipher,
  ) {}

  static async open(sql: Sql, cipher: NameCipher): Promise<ContactClaims> {
    await migrate(sql, 'vault', 'contact claims', [
      `create table vault.contact_claims (
         hash text primary key, user_id uuid not null, claimed_at timestamptz not null default now());
       create index contact_claims_user on vault.contact_claims (user_id)`,
    ]);
    return new ContactClaims(sql, cipher);
  }

  /** Claims both for an account that is about to be opened, or neither. */
  async claim(userId: string, contact: Contact, opened: Opened): Promise<boolean> {
    for (const hash of this.hashesOf(contact)) {
      if (await this.claimOne(userId, hash, opened)) continue;
      await this.release(userId);
      return false;
    }
    return true;
  }

  /** Releases the claims of an account that was not opened. */
  async release(userId: string): Promise<void> {
    await this.sql`delete from vault.contact_claims where user_id = ${userId}`;
  }

  private async claimOne(userId: string, hash: string, opened: Opened): Promise<boolean> {
    for (let attempt = 0; attempt < 3; attempt++) {
      const mine = await this.sql`
        insert into vault.contact_claims (hash, user_id) values (${hash}, ${userId})
        on conflict (hash) do nothing returning 1`;
      if (mine.length > 0) return true;
      const [held] = await this.sql<{ user_id: string; stale: boolean }[]>`
        select user_id, claimed_at < now() - make_interval(secs => ${STALE_SECONDS}) as stale
        from vault.contact_claims where hash = ${hash}`;
      if (held?.user_id === userId) return true;
      if (held && (!held.stale || (await opened(held.user_id)))) return false;
      await this.sql`delete from vault.contact_claims where hash = ${hash} and user_id = ${held?.user_id ?? null}`;
    }
    return false;
  }

  private hashesOf({ email, phone }: Contact): string[] {
    return [this.cipher.hash('phone', phone), this.cipher.hash('mailbox', emailKey(email))];
  }
}
