import { disconnect, ownConnection } from './connection.js';
import type { Sql, Transaction } from './projection.js';

/** Runs `work` in a transaction, as `transactionOn` does, on a connection made for it: for what is seldom done. */
export async function inTransaction<T>(sql: Sql, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const connection = ownConnection(sql);
  try {
    return await transactionOn(connection, work);
  } finally {
    await disconnect(connection);
  }
}

/**
 * Runs `work` in a transaction; it is committed when `work` resolves and rolled back when it rejects. When the
 * connection is lost the promise rejects, and it is unknown whether a commit under way took place. `connection` is one's
 * own (`ownConnection`), to be thrown away then: postgres.js may keep an error of the lost connection for a later query.
 *
 * This stands between us and `sql.begin` because of what postgres.js 3.4 does when `work` rejects over a lost
 * connection: it sends ROLLBACK into the closed socket, which throws where nobody can catch it and ends the process. So
 * `work` is then left unsettled; `begin` itself learns of the closed connection and rejects.
 */
export function transactionOn<T>(connection: Sql, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const guarded = async (tx: Transaction): Promise<T> => {
    try {
      return await work(tx);
    } catch (error) {
      if (connectionIsGone(error)) return new Promise<never>(() => {});
      throw error;
    }
  };
  return connection.begin(guarded) as Promise<T>;
}

/** Errors of postgres.js itself, of the socket, and those with which the server takes leave. */
function connectionIsGone(error: unknown): boolean {
  const { code, syscall, severity } = error as { code?: string; syscall?: string; severity?: string };
  return (
    (code ?? '').startsWith('CONNECTION_') || syscall !== undefined || severity === 'FATAL' || severity === 'PANIC'
  );
}
