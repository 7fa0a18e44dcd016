import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';

/** Durable private state of people or the service that is in no event. It cannot be rebuilt: back it up. */
export async function migrateDesk(sql: Sql): Promise<void> {
  await migrate(sql, 'desk', 'idempotency', [
    `create table desk.idempotency (
       user_id uuid not null, key text not null, fingerprint text not null, begun_at timestamptz not null default now(),
       status int, sealed text, primary key (user_id, key));
     create index idempotency_begun on desk.idempotency (begun_at)`,
    // Rows from before this step have no seed: their ids derive from the key alone, as they did when those requests began.
    `alter table desk.idempotency add column seed uuid;
     alter table desk.idempotency alter column seed set default gen_random_uuid();
     alter table desk.idempotency alter column fingerprint drop not null`,
  ]);
  await migrate(sql, 'desk', 'guests', [
    `create table desk.guests (user_id uuid primary key, used_at timestamptz not null);
     create index guests_used on desk.guests (used_at)`,
  ]);
}
