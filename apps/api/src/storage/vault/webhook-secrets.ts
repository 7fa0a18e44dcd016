import { roomStream } from '@verbatim/domain';
import { type KeyRing, migrate, openOwn, ownKey, sealText } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import { v4 as uuidv4 } from 'uuid';
import { digest, issueSecret, looksIssued } from './issued-secret.js';

/** An address that posts to a room. */
export interface IncomingAddress {
  readonly webhookId: string;
  readonly roomId: string;
  readonly botId: string;
}

/**
 * Secrets of webhooks: addresses and signing secrets of outgoing ones, sealed under the room's own key, so that they become
 * unreadable with it; and hashes of the addresses of incoming ones.
 */
export class WebhookSecrets {
  private constructor(
    private readonly sql: Sql,
    private readonly keys: KeyRing,
  ) {}

  static async open(sql: Sql, keys: KeyRing): Promise<WebhookSecrets> {
    await migrate(sql, 'vault', 'webhooks', [
      `create table vault.webhook_secrets (id uuid primary key, webhook_id uuid not null, room_id uuid not null, sealed text not null);
       create index webhook_secrets_webhook on vault.webhook_secrets (webhook_id);
       create table vault.incoming_webhooks (
         hash text primary key, webhook_id uuid not null unique, room_id uuid not null, bot_id uuid not null)`,
    ]);
    return new WebhookSecrets(sql, keys);
  }

  /** Stores an address or signing secret, and returns the id with which events refer to it. */
  async keep(roomId: string, webhookId: string, text: string): Promise<string> {
    const id = uuidv4();
    const sealed = sealText(text, await this.keyOf(roomId), id);
    await this.sql`
      insert into vault.webhook_secrets (id, webhook_id, room_id, sealed) values (${id}, ${webhookId}, ${roomId}, ${sealed})`;
    return id;
  }

  /** What is stored under an id, or null once it is deleted. */
  async read(roomId: string, id: string): Promise<string | null> {
    const [row] = await this.sql<{ sealed: string }[]>`select sealed from vault.webhook_secrets where id = ${id}`;
    return row ? openOwn(this.keys, roomStream(roomId), row.sealed, id) : null;
  }

  /** Removes all secrets of a webhook except those it still uses. */
  async remove(webhookId: string, but: readonly string[] = []): Promise<void> {
    await this
      .sql`delete from vault.webhook_secrets where webhook_id = ${webhookId} and not id = any(${[...but]}::uuid[])`;
  }

  /** Creates the secret at the end of an incoming address. It is not stored. */
  async issue({ webhookId, roomId, botId }: IncomingAddress): Promise<string> {
    const token = issueSecret('vbh_');
    await this.sql`
      insert into vault.incoming_webhooks (hash, webhook_id, room_id, bot_id)
      values (${digest(token)}, ${webhookId}, ${roomId}, ${botId})`;
    return token;
  }

  async findIncoming(token: string): Promise<IncomingAddress | null> {
    if (!looksIssued('vbh_', token)) return null;
    const [row] = await this.sql<{ webhook_id: string; room_id: string; bot_id: string }[]>`
      select webhook_id, room_id, bot_id from vault.incoming_webhooks where hash = ${digest(token)}`;
    return row ? { webhookId: row.webhook_id, roomId: row.room_id, botId: row.bot_id } : null;
  }

  async removeIncoming(webhookId: string): Promise<void> {
    await this.sql`delete from vault.incoming_webhooks where webhook_id = ${webhookId}`;
  }

  private keyOf(roomId: string): Promise<Buffer> {
    return ownKey(this.keys, roomStream(roomId));
  }
}
