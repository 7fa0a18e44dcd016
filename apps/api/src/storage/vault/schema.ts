import { type KeyRing, migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import { hashSubjects } from './identities.js';
import { NameCipher } from './name-cipher.js';
import { bringNamesUpToDate, hashNames } from './names.js';

/** What must never be in events or read models: credentials, tokens, name claims. It cannot be rebuilt; back it up. */
export async function migrateVault(sql: Sql, keys: KeyRing): Promise<void> {
  const cipher = await NameCipher.open(keys);
  await migrate(sql, 'vault', 'accounts', accounts);
  await migrate(sql, 'vault', 'names', [
    bringNamesUpToDate,
    'alter table vault.names add column if not exists username text',
    hashNames(cipher),
  ]);
  await migrate(sql, 'vault', 'sessions', sessions);
  await migrate(sql, 'vault', 'identities', [hashSubjects(cipher)]);
  await migrate(sql, 'vault', 'room passwords', [
    // The hashes of earlier releases are all checked once.
    `alter table vault.room_passwords add unchecked_since timestamptz default now();
     create index room_passwords_room on vault.room_passwords (room_id);
     create index room_passwords_unchecked on vault.room_passwords (unchecked_since) where unchecked_since is not null`,
  ]);
}

const accounts = [
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
  'alter table vault.signing_keys add root integer not null default 0 references vault.root_keys',
];

const sessions = [
  `alter table vault.sessions
     add how text not null default 'password', add device text, add last_used_at timestamptz, add expires_at timestamptz,
     add ends_at timestamptz, add proved_at timestamptz, add told boolean not null default false;
   update vault.sessions s set
     last_used_at = created_at, ends_at = created_at + interval '90 days', told = revoked_at is not null,
     expires_at = coalesce(
       (select max(expires_at) from vault.refresh_tokens t where t.session_id = s.id and t.used_at is null), created_at);
   alter table vault.sessions
     alter last_used_at set not null, alter expires_at set not null, alter ends_at set not null;
   alter table vault.refresh_tokens add salt text;
   create index sessions_user on vault.sessions (user_id, id);
   create index sessions_open on vault.sessions (expires_at) where not told;`,
  `create table vault.password_resets (
     hash text primary key, user_id uuid not null unique, expires_at timestamptz not null)`,
  `create table vault.totp (
     id uuid primary key, user_id uuid not null, sealed text not null, last_step bigint not null default -1,
     created_at timestamptz not null default now());
   create index totp_user on vault.totp (user_id, id);
   create table vault.recovery_codes (
     totp_id uuid not null references vault.totp on delete cascade, hash text not null, primary key (totp_id, hash))`,
  `create table vault.administrators (user_id uuid primary key, leaving_at timestamptz)`,
  `create table vault.identities (
     id uuid primary key, issuer text not null, subject text not null, user_id uuid not null, unique (issuer, subject));
   create index identities_user on vault.identities (user_id);
   create table vault.sign_on_codes (
     hash text primary key, browser text not null, user_id uuid not null, expires_at timestamptz not null)`,
  `create index sessions_living on vault.sessions (id) where revoked_at is null`,
  `alter table vault.password_resets add issued_at bigint not null default 0`,
];
