import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSilent, settledInTime } from '@verbatim/event-store';
import postgres from 'postgres';
import type { Sql } from './projection.js';

/**
 * A client with one connection of its own, to the same database and with the same settings as `sql`. Whoever has it can
 * throw it away when it fails: a new one is the cure for whatever state the connection or postgres.js has got into.
 */
export function ownConnection(sql: Sql, onclose: () => void = () => {}): Sql {
  // postgres.js takes parsed options as they are, which its types do not say; `sql.listen` makes its connection so too.
  // The look at the types of the database is left out: when the connection is lost during it, nobody can catch the error.
  const own = { max: 1, idle_timeout: null, max_lifetime: null, fetch_types: false, onclose, onnotice: () => {} };
  const options = { ...sql.options, ...own };
  return postgres(options as unknown as postgres.Options<Record<string, never>>) as unknown as Sql;
}

/** Throws a connection of one's own away, with whatever it is still doing. */
export const disconnect = (connection: Sql): Promise<void> => connection.end({ timeout: 0 }).catch(() => {});

/** Waits for `work`, at most `milliseconds`, and rejects then; what becomes of it later is not looked at. */
export function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  return settledInTime(work, milliseconds, () => new DatabaseSilent(milliseconds));
}

/** Waits, but not longer than until `signal` aborts. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}

/** Milliseconds to wait after so many failures in a row: 100 ms at first, doubling up to 5 s. */
export const backoff = (failures: number): number => Math.min(5_000, 50 * 2 ** Math.min(failures, 10));
