import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';

/** How far a webhook has got, and how its last attempts went. */
export interface Delivery {
  readonly webhookId: string;
  readonly roomId: string;
  /** Revision of the last event that was sent or passed over; -1 for none. */
  readonly through: bigint;
  /** Attempts in a row that failed, and since when. */
  readonly failures: number;
  readonly failingSince: Date | null;
  readonly lastAttemptAt: Date | null;
  readonly lastSuccessAt: Date | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly nextAttemptAt: Date | null;
}

/** The position in its room from which each webhook continues, whichever replica sends. */
export class WebhookDeliveries {
  private constructor(private readonly sql: Sql) {}

  static async open(sql: Sql): Promise<WebhookDeliveries> {
    await migrate(sql, 'desk', 'webhooks', [
      `create table desk.webhook_deliveries (
         webhook_id uuid primary key, room_id uuid not null, through bigint not null default -1,
         failures int not null default 0, failing_since timestamptz, last_attempt_at timestamptz,
         last_success_at timestamptz, last_status int, last_error text, next_attempt_at timestamptz);
       create index webhook_deliveries_room on desk.webhook_deliveries (room_id)`,
    ]);
    return new WebhookDeliveries(sql);
  }

  async begin(webhookId: string, roomId: string): Promise<void> {
    await this.sql`insert into desk.webhook_deliveries (webhook_id, room_id) values (${webhookId}, ${roomId})`;
  }

  async all(): Promise<Pick<Delivery, 'webhookId' | 'roomId'>[]> {
    const rows = await this.sql<Row[]>`select webhook_id, room_id from desk.webhook_deliveries`;
    return rows.map((row) => ({ webhookId: row.webhook_id, roomId: row.room_id }));
  }

  async read(webhookId: string): Promise<Delivery | null> {
    const [row] = await this.sql<Row[]>`select * from desk.webhook_deliveries where webhook_id = ${webhookId}`;
    return row ? toDelivery(row) : null;
  }

  async ofRoom(roomId: string): Promise<ReadonlyMap<string, Delivery>> {
    const rows = await this.sql<Row[]>`select * from desk.webhook_deliveries where room_id = ${roomId}`;
    return new Map(rows.map((row) => [row.webhook_id, toDelivery(row)]));
  }

  /** Records the outcome of a delivery; false when another replica has advanced the webhook meanwhile. */
  async note(before: Delivery, after: Delivery): Promise<boolean> {
    const { through, failures, failingSince, lastAttemptAt, lastSuccessAt, lastStatus, lastError, nextAttemptAt } =
      after;
    const { count } = await this.sql`
      update desk.webhook_deliveries set
        through = ${`${through}`}, failures = ${failures}, failing_since = ${failingSince},
        last_attempt_at = ${lastAttemptAt}, last_success_at = ${lastSuccessAt}, last_status = ${lastStatus},
        last_error = ${lastError}, next_attempt_at = ${nextAttemptAt}
      where webhook_id = ${before.webhookId} and through = ${`${before.through}`}`;
    return count === 1;
  }

  /** Clears the failures and retries immediately. */
  async startAfresh(webhookId: string): Promise<void> {
    await this.sql`
      update desk.webhook_deliveries set failures = 0, failing_since = null, next_attempt_at = null
      where webhook_id = ${webhookId}`;
  }

  async remove(webhookId: string): Promise<void> {
    await this.sql`delete from desk.webhook_deliveries where webhook_id = ${webhookId}`;
  }
}

interface Row {
  webhook_id: string;
  room_id: string;
  through: string;
  failures: number;
  failing_since: Date | null;
  last_attempt_at: Date | null;
  last_success_at: Date | null;
  last_status: number | null;
  last_error: string | null;
  next_attempt_at: Date | null;
}

const toDelivery = (row: Row): Delivery => ({
  webhookId: row.webhook_id,
  roomId: row.room_id,
  through: BigInt(row.through),
  failures: row.failures,
  failingSince: row.failing_since,
  lastAttemptAt: row.last_attempt_at,
  lastSuccessAt: row.last_success_at,
  lastStatus: row.last_status,
  lastError: row.last_error,
  nextAttemptAt: row.next_attempt_at,
});
