import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';

/** What must never be in an event or a read model: credentials, tokens, claims to names. Cannot be rebuilt; back it up. */
export const migrateVault = (sql: Sql): Promise<void> =>
  migrate(sql, 'vault', 'accounts', [
    `create table vault.credentials (user_id uuid primary key, password_hash text not null);
     create table vault.sessions (
       id uuid primary key, user_id uuid not null, created_at timestamptz not null default now(), revoked_at timestamptz);
     create index sessions_revoked on vault.sessions (revoked_at) where revoked_at is not null;
     create table vault.refresh_tokens (
       hash text primary key, session_id uuid not null references vault.sessions on delete cascade,
       expires_at timestamptz not null, used_at timestamptz);
     create index refresh_tokens_session on vault.refresh_tokens (session_id);
     create table vault.tickets (hash text primary key, session_id uuid not null, user_id uuid not null, expires_at timestamptz not null);
     create table vault.signing_keys (id text primary key, wrapped text not null, created_at timestamptz not null default now());
     create table vault.names (
       kind text not null, key text not null, owner uuid not null, claim uuid not null,
       claimed_at timestamptz not null default now(), primary key (kind, key));
     create index names_owner on vault.names (owner);
     create table vault.room_passwords (id uuid primary key, room_id uuid not null, password_hash text not null)`,
  ]);
