import type { Actor, Decider, Decision, Happened, NewFact } from './decider.js';
import { type Rejection, reject } from './rejection.js';
import { limits, visibleTextProblem } from './text.js';

/** The id of the one maintenance of a service, which begins and ends any number of times. */
export const MAINTENANCE = '00000000-0000-8000-8000-000000000003';

// Events ------------------------------------------------------------------------------------------------------------

/** The notice that people see: a sentence, and the expected end (RFC 3339, UTC, milliseconds). */
export interface MaintenanceNote {
  readonly text: string | null;
  readonly until: string | null;
}

/** From here on only administrators can make changes. */
export type MaintenanceBegan = Happened<'MaintenanceBegan', MaintenanceNote>;
/** The notice changed. */
export type MaintenanceRevised = Happened<'MaintenanceRevised', MaintenanceNote>;
export type MaintenanceEnded = Happened<'MaintenanceEnded', Record<string, never>>;

export type MaintenanceEvent = MaintenanceBegan | MaintenanceRevised | MaintenanceEnded;

// State -------------------------------------------------------------------------------------------------------------

export interface MaintenanceState {
  readonly revision: bigint;
  /** The notice, and since when maintenance has lasted; null: no maintenance. */
  readonly on: (MaintenanceNote & { readonly since: string }) | null;
}

const initialState: MaintenanceState = { revision: -1n, on: null };

function evolve({ on }: MaintenanceState, event: MaintenanceEvent): MaintenanceState {
  const { revision, at } = event;
  switch (event.type) {
    case 'MaintenanceBegan':
    case 'MaintenanceRevised': {
      const { text, until } = event.data;
      return { revision, on: { text, until, since: on?.since ?? at } };
    }
    case 'MaintenanceEnded':
      return { revision, on: null };
    default:
      // An event of a later release.
      return { revision, on };
  }
}

// Commands ----------------------------------------------------------------------------------------------------------

/** During maintenance, it replaces the notice. */
export type BeginMaintenance = { readonly type: 'BeginMaintenance'; readonly actor: Actor } & MaintenanceNote;
export type EndMaintenance = { readonly type: 'EndMaintenance'; readonly actor: Actor };

export type MaintenanceCommand = BeginMaintenance | EndMaintenance;

// Decisions ---------------------------------------------------------------------------------------------------------

const accept = (...events: NewFact<MaintenanceEvent>[]): Decision<MaintenanceEvent> => ({ events });

function decide(command: MaintenanceCommand, { on }: MaintenanceState, at: string): Decision<MaintenanceEvent> {
  if (command.actor.role !== 'admin') return reject('NotAllowed', 'Only administrators begin and end maintenance.');
  if (command.type === 'EndMaintenance') return on === null ? accept() : accept({ type: 'MaintenanceEnded', data: {} });
  const { text, until } = command;
  if (on !== null && on.text === text && on.until === until) return accept();
  const problem = text === null ? null : visibleTextProblem(text, 1, limits.announcement);
  if (problem) return reject('Invalid', `The text ${problem}.`);
  if (until !== null && until <= at) return reject('Invalid', 'The expected end has passed.');
  return accept({ type: on === null ? 'MaintenanceBegan' : 'MaintenanceRevised', data: { text, until } });
}

export const maintenance: Decider<MaintenanceState, MaintenanceCommand, MaintenanceEvent> = {
  category: 'maintenance',
  stateVersion: 1,
  initialState,
  evolve,
  decide,
};

// What it stops -----------------------------------------------------------------------------------------------------

/**
 * What is still recorded, for everyone: signing in to read, keeping an account safe, and reads of a room by
 * people who are not in it.
 */
const goesOn: ReadonlySet<string> = new Set([
  ...['RevokeSessions', 'ChangePassword', 'EnableTotp', 'DisableTotp', 'IssueRecoveryCodes', 'RevokeToken'],
  'InspectRoom',
]);

/** The part of a command that matters here. */
interface AnyCommand {
  readonly type: string;
  readonly actor?: Actor | null;
  /** Of `RegisterUser`. */
  readonly origin?: string;
}

/**
 * Whether maintenance stops a command from recording anything. The service's own commands are not stopped, except for new
 * people; creating a webhook's bot is allowed, because it follows a command that was allowed.
 */
export function stopsInMaintenance({ type, actor, origin }: AnyCommand): boolean {
  if (!actor) return type === 'RegisterUser' && origin !== 'bot' && origin !== 'webhook';
  return actor.role !== 'admin' && !goesOn.has(type);
}

/** Milliseconds after which a refused client may try again: until the expected end, which may come sooner or later. */
const soonest = 30_000;
const latest = 300_000;

/** The refusal of a stopped command, at the time `at`: nothing was done, and nothing is queued for later. */
export function inMaintenance({ text, until }: MaintenanceNote, at: string): Rejection {
  const left = until === null ? soonest : Date.parse(until) - Date.parse(at);
  return {
    ...reject('Maintenance', text ?? 'The service is in maintenance: reading goes on, changes have to wait.'),
    retryAfterMs: Math.min(latest, Math.max(soonest, left)),
  };
}
