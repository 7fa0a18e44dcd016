import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';

/**
 * Tables of chats that leave nothing behind. They are unlogged: nothing in them ever reaches the write-ahead log, a standby
 * or a base backup, and a crash of PostgreSQL empties them. Only the number of chats is kept, in the desk.
 */
export async function migrateEphemeral(sql: Sql): Promise<void> {
  await migrate(sql, 'ephemeral', 'chats', [
    `create unlogged table ephemeral.chats (
       id uuid primary key, code_hash text not null unique, salt bytea, status text not null, version int not null default 0,
       opened_at timestamptz not null, ready_at timestamptz, closed_at timestamptz);
     create index chats_opened on ephemeral.chats (opened_at) where closed_at is null;
     create index chats_closed on ephemeral.chats (closed_at);
     create unlogged table ephemeral.participants (
       chat_id uuid references ephemeral.chats on delete cascade, side text not null, token_hash text not null,
       seen_at timestamptz not null, poll uuid, primary key (chat_id, side)) with (fillfactor = 70);
     create unlogged table ephemeral.messages (
       id text primary key, chat_id uuid not null references ephemeral.chats on delete cascade, addressee text not null,
       place bigint generated always as identity, note text, sealed text)
       with (autovacuum_vacuum_threshold = 20, autovacuum_vacuum_scale_factor = 0);
     create index messages_waiting on ephemeral.messages (chat_id, addressee, place)`,
  ]);
  await migrate(sql, 'desk', 'ephemeral chats', [
    `create table desk.ephemeral_chats (day date, turn text, chats int not null, primary key (day, turn))`,
  ]);
}
