import { copyLog, openEventStore, type StoredEvent } from '@verbatim/event-store';
import postgres, { type Sql } from 'postgres';
import { vi } from 'vitest';
import { memoryStoreOf } from '../../../../../libs/event-store/src/generated-log.testing.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';

/** A database with a log in it, or one that is to get a log. */
export interface LogDatabase {
  readonly url: string;
  readonly sql: Sql;
}

const made: LogDatabase[] = [];

/** A database of its own, which holds these events if any are given. */
export async function logDatabase(events: readonly StoredEvent[] = []): Promise<LogDatabase> {
  const url = await createDatabase();
  const database = { url, sql: postgres(url, { max: 1, onnotice: () => undefined }) };
  made.push(database);
  if (events.length > 0) {
    const store = await openEventStore({ url });
    await copyLog(await memoryStoreOf(events), store);
    await store.close();
  }
  return database;
}

export async function dropLogDatabases(): Promise<void> {
  for (const { url, sql } of made.splice(0)) {
    await sql.end();
    await dropDatabase(url);
  }
}

/** All rows of a log as the database has them. */
export const rowsOf = async ({ sql }: LogDatabase): Promise<object[]> => [
  ...(await sql`
    select position::int, stream, revision::int, id::text, type, hash, sealed from log.events order by position`),
];

/** What `rowsOf` gives for these events. */
export const asRows = (events: readonly StoredEvent[]): object[] =>
  events.map(({ position, stream, revision, id, type, hash, sealed }) => ({
    ...{ position: Number(position), stream, revision: Number(revision), id, type, hash, sealed },
  }));

/** Lets no event into a log from some position on, until it is opened: its insert waits for a lock that the gate holds. */
export class Gate {
  private constructor(
    private readonly sql: Sql,
    private readonly lock: Sql,
  ) {}

  /** The log must have its tables, and no gate. */
  static async at(position: number, { url, sql }: LogDatabase): Promise<Gate> {
    const lock = postgres(url, { max: 1, onnotice: () => undefined });
    await lock`select pg_advisory_lock(42)`;
    // Who waits at the gate stays there after its client was killed, however long the next one takes to start.
    await sql.unsafe(`do $$ begin
      execute format('alter database %I set client_connection_check_interval = 0', current_database());
    end $$`);
    await sql.unsafe(`
      create or replace function public.gate() returns trigger language plpgsql as
        'begin perform pg_advisory_xact_lock_shared(42); return new; end';
      create trigger gate before insert on log.events for each row
        when (new.position >= ${position}) execute function public.gate()`);
    return new Gate(sql, lock);
  }

  /** Resolves with the process id of the database that waits at the gate. */
  waiting(): Promise<number> {
    return vi.waitUntil(async () => (await this.waiters())[0], { timeout: 60_000, interval: 5 });
  }

  /** Process ids of the database that wait for a lock, this one or another, the first to come first. */
  async waiters(): Promise<number[]> {
    const waiting = await this.sql<{ pid: number }[]>`
      select pid from pg_locks where locktype = 'advisory' and not granted
         and database = (select oid from pg_database where datname = current_database()) order by waitstart`;
    return waiting.map(({ pid }) => pid);
  }

  async open(): Promise<void> {
    await this.lock.end();
    await this.sql`drop trigger gate on log.events`;
  }

  /** Ends who waits at the gate, whose insert is then lost, and opens it. */
  async openForNobody(): Promise<void> {
    await this.sql`select pg_terminate_backend(${await this.waiting()})`;
    await this.open();
  }
}
