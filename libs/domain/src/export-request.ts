import type { Actor, Decider, Decision, Erasable, Happened, NewFact } from './decider.js';
import { reject } from './rejection.js';
import { limits, visibleTextProblem } from './text.js';

// A request for a copy of part of the log. Each request has its own stream.

/** Which events an export contains: those that match all given fields; times are inclusive, RFC 3339 in UTC. */
export interface ExportScope {
  readonly room?: string;
  /** What this person did and, without a room, what happened to their account. */
  readonly person?: string;
  readonly from?: string;
  readonly to?: string;
}

// Events ------------------------------------------------------------------------------------------------------------

export type ExportRequested = Happened<
  'ExportRequested',
  {
    readonly scope: ExportScope;
    /** Only messages that a search for these words finds; null: all events. */
    readonly words: Erasable;
    readonly reason: Erasable;
  }
>;

export type ExportRequestEvent = ExportRequested;

// State -------------------------------------------------------------------------------------------------------------

export interface ExportRequestState {
  readonly revision: bigint;
}

const initialState: ExportRequestState = { revision: -1n };

// Commands ----------------------------------------------------------------------------------------------------------

/** Requesting the same export again changes nothing. */
export interface RequestExport {
  readonly type: 'RequestExport';
  readonly actor: Actor;
  readonly scope: ExportScope;
  readonly words: string | null;
  readonly reason: string;
}

// Decisions ---------------------------------------------------------------------------------------------------------

const accept = (...events: NewFact<ExportRequestEvent>[]): Decision<ExportRequestEvent> => ({ events });

function decide(
  { scope, words, reason, actor }: RequestExport,
  { revision }: ExportRequestState,
): Decision<ExportRequestEvent> {
  if (revision >= 0n) return accept();
  const problem = visibleTextProblem(reason, 1, limits.reason);
  if (problem) return reject('Invalid', `The reason ${problem}.`);
  if (scope.room === undefined && actor.role === 'user')
    return reject('NotAllowed', 'Only administrators and auditors may export more than a room of theirs.');
  if (scope.from !== undefined && scope.to !== undefined && scope.from > scope.to)
    return reject('Invalid', 'The export ends before it begins.');
  return accept({ type: 'ExportRequested', data: { scope, words, reason } });
}

export const exportRequest: Decider<ExportRequestState, RequestExport, ExportRequestEvent> = {
  category: 'export',
  stateVersion: 1,
  initialState,
  evolve: (_, { revision }) => ({ revision }),
  decide,
};
