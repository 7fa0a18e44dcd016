import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';

/**
 * Exports and the bundles that they make. What is in a bundle is sealed with a key of its own in the vault; what was asked
 * for stands in the log. `of_room` and `of_person` are not called like the columns by which an erasure deletes rows, because
 * a person should learn what became of their export.
 */
export async function migrateExports(sql: Sql): Promise<void> {
  await migrate(sql, 'desk', 'exports', [
    `create table desk.exports (
       id uuid primary key, user_id uuid not null, of_room text, of_person text, from_time timestamptz, to_time timestamptz,
       requested_at timestamptz not null default now(), position bigint, status text not null default 'queued',
       run int not null default 0, edition int not null default 0, aware_of text[] not null default '{}', turn_at timestamptz not null default now(),
       failures int not null default 0, tree int, size bigint, root bytea, note text, last_position bigint,
       begins_at bigint, cursor bigint not null default 0, chunks int not null default 0, done bigint not null default 0, total bigint,
       events bigint not null default 0, first_ordinal bigint, last_ordinal bigint, bytes bigint not null default 0,
       problem text, finished_at timestamptz, expires_at timestamptz);
     create index exports_of_person on desk.exports (user_id, requested_at);
     create table desk.export_chunks (
       export uuid references desk.exports on delete cascade, file text, number int, length int not null,
       sealed bytea not null, primary key (export, file, number));
     alter table desk.export_chunks alter column sealed set storage external;
     create table desk.export_streams (
       export uuid references desk.exports on delete cascade, stream text, taken boolean not null, primary key (export, stream))`,
  ]);
}
