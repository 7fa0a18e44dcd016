import { disconnect, ownConnection, within } from './connection.js';
import type { Sql } from './projection.js';

const HEARTBEAT_MS = 1_000;
const PATIENCE_MS = 5_000;
/** A holder that was not heard of for so long has no connection any more, even if nobody has told PostgreSQL. */
const SILENCE_MS = 10_000;

/** Its code is the one that postgres.js has for lost connections. */
const lockLost = Object.assign(new Error('The connection that held the lock was lost.'), { code: 'CONNECTION_CLOSED' });

/**
 * A lock that at most one process of the database holds at a time. It is bound to a connection, so PostgreSQL frees it
 * when its holder dies, and after some seconds when the holder's machine is lost, which closes no connection. A holder
 * that is cut off learns of it some seconds late: hold nothing more precious than work that may be done twice.
 */
export class AdvisoryLock {
  /** Aborted when the lock was lost or released. */
  get lost(): AbortSignal {
    return this.over.signal;
  }

  private readonly over = new AbortController();
  private heartbeat: NodeJS.Timeout | undefined;

  private constructor(
    private readonly connection: Sql,
    private readonly pid: number,
  ) {}

  /** Takes the lock if it is free, else null. `direct` must lead to the database itself, not to a transaction pooler. */
  static async tryTake(direct: Sql, name: string): Promise<AdvisoryLock | null> {
    if (!(await isFree(direct, name))) return null;
    let lock: AdvisoryLock | undefined;
    const connection = ownConnection(direct, () => lock?.over.abort(lockLost));
    try {
      const [row] = await within(
        PATIENCE_MS,
        connection<{ held: boolean; pid: number }[]>`
        SELECT pg_try_advisory_lock(hashtextextended(${name}, 0)) AS held, pg_backend_pid() AS pid,
          set_config('idle_session_timeout', ${`${SILENCE_MS}`}, false)`,
      );
      if (row?.held) {
        lock = new AdvisoryLock(connection, row.pid);
        lock.scheduleHeartbeat();
        return lock;
      }
    } finally {
      if (!lock) await disconnect(connection);
    }
    return null;
  }

  async release(): Promise<void> {
    clearTimeout(this.heartbeat);
    if (!this.lost.aborted) {
      this.over.abort();
      // That it is free when this resolves; the end of the connection would free it a moment later.
      await within(PATIENCE_MS, this.connection`SELECT pg_advisory_unlock_all()`).catch(() => {});
    }
    await disconnect(this.connection);
  }

  private scheduleHeartbeat(): void {
    this.heartbeat = setTimeout(() => void this.beat(), HEARTBEAT_MS);
  }

  /** The connection comes back by itself after a loss, but the lock does not: it is then another backend that answers. */
  private async beat(): Promise<void> {
    const answer = within(PATIENCE_MS, this.connection<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`);
    const pid = await answer.then(
      ([row]) => row?.pid,
      () => undefined,
    );
    if (this.lost.aborted) return;
    if (pid === this.pid) this.scheduleHeartbeat();
    else this.over.abort(lockLost);
  }
}

/** Whether anybody holds the lock at this moment. It is only looked at, so nobody who wants it is in the way of anybody. */
export async function isHeld(sql: Sql, name: string): Promise<boolean> {
  const [row] = await within(
    PATIENCE_MS,
    sql<{ held: boolean }[]>`
    SELECT EXISTS (
      SELECT FROM pg_locks
      WHERE locktype = 'advisory' AND granted AND objsubid = 1
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND ((classid::bigint << 32) | objid::bigint) = hashtextextended(${name}, 0)) AS held`,
  );
  return row?.held ?? false;
}

/** Asked first, so that those who wait for the lock need no connection of their own. Takes it for a moment. */
async function isFree(sql: Sql, name: string): Promise<boolean> {
  const [row] = await within(
    PATIENCE_MS,
    sql<{ free: boolean }[]>`
    SELECT pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) AS free`,
  );
  return row?.free ?? false;
}
