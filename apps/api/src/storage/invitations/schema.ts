import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';

/** The hashes of invitation codes. Everything else about an invitation is in its stream. */
export const migrateInvitations = (sql: Sql): Promise<void> =>
  migrate(sql, 'vault', 'invitations', [
    `create table vault.invitations (
       id uuid primary key, code_hash text not null unique, room_id uuid, created_at timestamptz not null default now());
     create index invitations_place on vault.invitations (room_id, id)`,
  ]);
