import { RevisionConflict, StoreClosed, StoreUnavailable } from './event-store.js';
import { MasterKeyUnavailable } from './master-key.js';

/**
 * What an error says about the server that was asked:
 * - `away`: it is down, restarting, out of reach, full, read-only, or does not let us in. Nothing works until that is over.
 * - `busy`: it works, but gave this one request up, such as for a deadlock. Asking again is likely to help.
 */
export interface Outage {
  readonly kind: 'away' | 'busy';
  /** In a few words, without secrets. */
  readonly reason: string;
  /** Whether it was the event store that was asked, rather than the database of everything else. */
  readonly ofStore: boolean;
  /** Whether it was the master key that was asked for; then neither of the two. */
  readonly ofMasterKey?: boolean;
  /** How many milliseconds ago the question was asked that got no answer, where that is known. */
  readonly askedMsAgo?: number;
}

/**
 * Tells errors that speak of the state of a database or event store, and pass, from all others; null for those. Both
 * stores go by this one function, wherever they are asked. Errors inside others count as well.
 */
export function outageOf(error: unknown): Outage | null {
  for (let one = error, depth = 0; one instanceof Error && depth < MOST_CAUSES; depth++) {
    if (one instanceof StoreUnavailable) return { kind: 'away', reason: one.reason, ofStore: true, ...waitedBy(one) };
    if (one instanceof MasterKeyUnavailable)
      return { kind: 'away', reason: one.message, ofStore: false, ofMasterKey: true };
    if (one instanceof RevisionConflict) return { kind: 'busy', reason: one.message, ofStore: true };
    const found = outageOfCode(one);
    if (found) return { ...found, ofStore: false, ...waitedBy(one) };
    // Node tries all addresses of a host, and fails with the errors of all of them.
    one = one instanceof AggregateError ? one.errors[0] : one.cause;
  }
  return null;
}

/** Whether the same request may succeed later, when the database or event store is well, or the service is back. */
export const isUnavailable = (error: unknown): boolean => error instanceof StoreClosed || outageOf(error) !== null;

/** Errors about silence say how long it lasted. */
function waitedBy({ milliseconds }: Error & { milliseconds?: unknown }): Pick<Outage, 'askedMsAgo'> {
  return typeof milliseconds === 'number' ? { askedMsAgo: milliseconds } : {};
}

const MOST_CAUSES = 5;

type Verdict = Omit<Outage, 'ofStore'> | null;

function outageOfCode(error: Error & { code?: unknown; syscall?: unknown }): Verdict {
  const { code, syscall } = error;
  if (typeof code !== 'string') return null;
  if (error.name === 'PostgresError') return outageOfSqlState(code, error.message);
  const known = network[code] ?? (syscall === 'connect' || syscall === 'getaddrinfo' ? error.message : undefined);
  if (known) return { kind: 'away', reason: known };
  if (certificate.test(code)) return { kind: 'away', reason: `TLS failed (${code})` };
  return null;
}

/** Codes of Node and of postgres.js for what may happen to a connection, or on the way to one. */
const network: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  ECONNABORTED: 'the connection was lost',
  EPIPE: 'the connection was lost',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'the host cannot be reached',
  EHOSTDOWN: 'the host is down',
  ENETUNREACH: 'the network cannot be reached',
  ENETDOWN: 'the network is down',
  ENOTFOUND: 'the name of the host is not known',
  EAI_AGAIN: 'the name of the host cannot be looked up',
  EADDRNOTAVAIL: 'no local port is free',
  EMFILE: 'this process has too many open files',
  ENFILE: 'this machine has too many open files',
  EPROTO: 'TLS failed',
  CONNECTION_CLOSED: 'the connection was lost',
  CONNECTION_DESTROYED: 'the connection was lost',
  CONNECTION_ENDED: 'the connection was lost',
  CONNECT_TIMEOUT: 'no answer while connecting',
  SASL_SIGNATURE_MISMATCH: 'the server could not prove that it knows the password',
};

const certificate = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA)/;

/**
 * SQLSTATE codes with which PostgreSQL reports its own state (appendix A of its manual). Away: class 08 connection, 28
 * authorization, 3D no such database, 53 out of resources, 57P0x shutdown and start, 58 system; 25006 read-only, 42501 no
 * permission, and sessions ended by a timeout. Busy: class 40 deadlocks and the like, 55006 and 55P03 locks, 57014
 * cancelled, 26000 a statement that a pooler has lost.
 */
function outageOfSqlState(code: string, message: string): Verdict {
  if (/^(40|55006|55P03|57014|26000)/.test(code)) return { kind: 'busy', reason: message };
  if (/^(08|28|3D|53|57|58|25006|25P03|25P04|42501)/.test(code)) return { kind: 'away', reason: message };
  return null;
}
