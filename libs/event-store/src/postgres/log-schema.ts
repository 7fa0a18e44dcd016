import { migrate } from '../migrate.js';
import { DatabaseClient, type Sql } from './database-client.js';

/** The database is set up in a way that breaks the promises of an event store. */
export class UnsafeDatabase extends Error {
  constructor(reasons: readonly string[]) {
    super(`This PostgreSQL could lose or disorder events: ${reasons.join(', ')}. Change that and start again.`);
    this.name = 'UnsafeDatabase';
  }
}

/**
 * `log.events` is not analysed before it has some size: a plan made for a tiny table reads all of it, is kept, and would
 * still do so for a while when the log has begun to grow.
 *
 * `log.append` stores some appends, at most one of each stream, and returns the places of the last event of those that
 * stand in the log; the others were stale. `streams` and `expected` have an element for each append, the other arrays
 * one for each event; `appends` says to which append it belongs, counting from 1.
 *
 * - The lock lets one call in at a time, until its commit can be seen by all. So positions have no gaps and become
 *   visible in order. In READ COMMITTED every statement of a volatile function has a snapshot of its own: those after
 *   the lock see everything committed under it. A statement that took the lock itself would see an older state.
 * - Waiting for the lock ends before the client gives up, so that its tries do not pile up behind a stuck one.
 * - A stale append whose events stand at their places was stored by an earlier call whose answer was lost.
 * - Subqueries instead of joins leave no choice but one index lookup for each stream or event.
 */
const steps = [
  `
  create table log.events (
    position bigint primary key,
    stream text not null,
    revision bigint not null,
    id uuid not null,
    type text not null,
    hash text not null,
    sealed text not null,
    unique (stream, revision)
  ) with (autovacuum_analyze_threshold = 10000)`,
  `
  create function log.append(
    streams text[], expected bigint[],
    appends int[], revisions bigint[], ids uuid[], types text[], hashes text[], sealed text[]
  ) returns table (stream text, revision bigint, "position" bigint)
  language plpgsql volatile set lock_timeout = '4s' as $$
  #variable_conflict use_column
  declare
    head bigint;
    fresh boolean[];
  begin
    perform pg_advisory_xact_lock(7216000);

    select coalesce(max(position), -1) into head from log.events;

    select array_agg(asked.expected = coalesce((select max(e.revision) from log.events e where e.stream = asked.stream), -1)
                     order by asked.append)
      into fresh
      from unnest(streams, expected) with ordinality as asked (stream, expected, append);

    return query
      with stored as (
        insert into log.events (position, stream, revision, id, type, hash, sealed)
        select head + row_number() over (order by place), streams[append], event.revision, id, type, hash, event.sealed
          from unnest(appends, revisions, ids, types, hashes, sealed)
            with ordinality as event (append, revision, id, type, hash, sealed, place)
         where fresh[append]
        returning stream, revision, position
      )
      select stored.stream, max(stored.revision), max(stored.position) from stored group by stored.stream;

    if false = any (fresh) then
      return query
        select streams[append], max(found.revision), max(found.position)
          from (
            select append, revision,
                   (select e.position from log.events e
                     where e.stream = streams[append] and e.revision = event.revision and e.id = event.id)
              from unnest(appends, revisions, ids) as event (append, revision, id)
             where not fresh[append]
          ) as found (append, revision, position)
         group by append
        having count(found.position) = count(*);
    end if;
  end
  $$`,
];

/**
 * Makes a database ready to hold the log, or refuses it with UnsafeDatabase.
 *
 * @param url of a direct connection, not one through a transaction pooler.
 */
export async function prepareDatabase(url: string): Promise<void> {
  const client = new DatabaseClient(url, { connections: 1, patience: 60_000 });
  try {
    await client.ask(refuseUnsafe);
    await client.ask((sql) => migrate(sql, 'log', 'events', steps));
  } finally {
    await client.close();
  }
}

async function refuseUnsafe(sql: Sql): Promise<void> {
  const settings = await sql<{ name: string; setting: string }[]>`
    select name, setting from pg_settings
     where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off'
        or name = 'default_transaction_isolation' and setting <> 'read committed'`;
  if (settings.length > 0) throw new UnsafeDatabase(settings.map(({ name, setting }) => `${name} is ${setting}`));
}
