import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';

/**
 * The transparency log: its trees, of which the newest one grows, their tiles, checkpoints and cosignatures, and which of
 * the keys in the vault sign. Tiles can be computed again from the log; checkpoints and cosignatures cannot.
 *
 * `size`, `position` and `hash` of a tree say how many events it covers, and which one is last in the event store. A tile
 * of level -1 is an entry bundle; `first_position` is that of its first event. Tiles are hashes, which do not compress.
 */
export async function migrateTransparency(sql: Sql): Promise<void> {
  await migrate(sql, 'vault', 'log-keys', [
    `create table vault.log_keys (
       name text, number int, verifier_key text not null unique, created_at timestamptz not null default now(),
       signs_until timestamptz, primary key (name, number))`,
  ]);
  await migrate(sql, 'desk', 'transparency', [
    `create table desk.log_trees (
       number int primary key, origin text not null unique, size bigint not null default 0, position bigint, hash text,
       published bigint, below_quorum_since timestamptz, halted text, witness_ahead text,
       begun_at timestamptz not null default now());
     create table desk.log_tiles (
       tree int, level smallint, index bigint, width smallint not null, first_position bigint, bytes bytea not null,
       primary key (tree, level, index));
     alter table desk.log_tiles alter column bytes set storage external;
     create index log_tiles_position on desk.log_tiles (tree, first_position) where level = -1;
     create table desk.log_checkpoints (
       tree int, size bigint, root bytea not null, note text, begun_at timestamptz not null default now(),
       primary key (tree, size));
     create table desk.log_cosignatures (
       tree int, size bigint, verifier_key text, signature bytea not null, time bigint not null,
       primary key (tree, size, verifier_key))`,
  ]);
}
