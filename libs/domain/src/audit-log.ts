import type { Decider, Decision, Erasable, Happened, NewFact } from './decider.js';
import { reject } from './rejection.js';
import { limits, visibleTextProblem } from './text.js';

/** The id of the service's only transparency log, which may consist of several consecutive trees. */
export const AUDIT_LOG = '00000000-0000-8000-8000-000000000004';

// Events ------------------------------------------------------------------------------------------------------------

/** The last checkpoint of a tree that no longer grows. `root` is base64. */
export interface LastCheckpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
}

/** An operator started a new tree over all events of the log, because the previous one could not be continued. */
export type AuditLogBegun = Happened<
  'AuditLogBegun',
  {
    /** Number of the new tree: 2 for the second one. */
    readonly tree: number;
    readonly origin: string;
    /** Null if the previous tree was never signed. */
    readonly previous: LastCheckpoint | null;
    readonly reason: Erasable;
  }
>;

export type AuditLogEvent = AuditLogBegun;

// State -------------------------------------------------------------------------------------------------------------

export interface AuditLogState {
  readonly revision: bigint;
  /** Number of the current tree. The first one starts with the log, without an event. */
  readonly tree: number;
}

const initialState: AuditLogState = { revision: -1n, tree: 1 };

function evolve(state: AuditLogState, event: AuditLogEvent): AuditLogState {
  // Events of later releases have other types.
  return { revision: event.revision, tree: event.type === 'AuditLogBegun' ? event.data.tree : state.tree };
}

// Commands ----------------------------------------------------------------------------------------------------------

/** On the command line only. Starting the same tree again changes nothing. */
export interface BeginAuditLog {
  readonly type: 'BeginAuditLog';
  /** The operator, who has no account. */
  readonly actor: null;
  readonly tree: number;
  readonly origin: string;
  readonly previous: LastCheckpoint | null;
  readonly reason: string;
}

// Decisions ---------------------------------------------------------------------------------------------------------

const accept = (...events: NewFact<AuditLogEvent>[]): Decision<AuditLogEvent> => ({ events });

function decide({ tree, origin, previous, reason }: BeginAuditLog, state: AuditLogState): Decision<AuditLogEvent> {
  if (tree === state.tree) return accept();
  if (tree < state.tree) return reject('Conflict', `Tree ${state.tree} of the log has begun already.`);
  const problem = visibleTextProblem(reason, 1, limits.reason);
  if (problem) return reject('Invalid', `The reason ${problem}.`);
  return accept({ type: 'AuditLogBegun', data: { tree, origin, previous, reason } });
}

export const auditLog: Decider<AuditLogState, BeginAuditLog, AuditLogEvent> = {
  category: 'auditlog',
  stateVersion: 1,
  initialState,
  evolve,
  decide,
};
