import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';

/**
 * Exports and the bundles that they make. They can be asked for again, so no backup holds them. What is in a bundle is sealed
 * with a key of its own in the vault; what was asked for in words stands in the log.
 */
export async function migrateExports(sql: Sql): Promise<void> {
  await migrate(sql, 'cache', 'exports', [
    `create table cache.exports (
       id uuid primary key, user_id uuid not null, of_room text, of_person text, from_time timestamptz, to_time timestamptz,
       requested_at timestamptz not null default now(), position bigint, status text not null default 'queued',
       run int not null default 0, edition int not null default 0, aware_of text[] not null default '{}', turn_at timestamptz not null default now(),
       failures int not null default 0, tree int, size bigint, root bytea, note text, last_position bigint,
       begins_at bigint, cursor bigint not null default 0, chunks int not null default 0, done bigint not null default 0, total bigint,
       events bigint not null default 0, first_ordinal bigint, last_ordinal bigint, bytes bigint not null default 0,
       problem text, finished_at timestamptz, expires_at timestamptz);
     create index exports_of_person on cache.exports (user_id, requested_at);
     create index exports_waiting on cache.exports (turn_at) where status in ('queued', 'running');
     create table cache.export_chunks (
       export uuid references cache.exports on delete cascade, file text, number int, length int not null,
       sealed bytea not null, primary key (export, file, number));
     alter table cache.export_chunks alter column sealed set storage external;
     create table cache.export_streams (
       export uuid references cache.exports on delete cascade, stream text, taken boolean not null, primary key (export, stream));
     create table cache.export_people (
       export uuid references cache.exports on delete cascade, person text, primary key (export, person))`,
  ]);
}
