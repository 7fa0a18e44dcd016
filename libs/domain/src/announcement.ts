import type { Actor, Decider, Decision, Happened, NewFact } from './decider.js';
import { reject } from './rejection.js';
import { limits, visibleTextProblem } from './text.js';

/** The id of the one announcement of a service. */
export const ANNOUNCEMENT = '00000000-0000-8000-8000-000000000002';

// Events ------------------------------------------------------------------------------------------------------------

/** An administrator announces something to everyone, replacing the previous announcement. */
export type Announced = Happened<'Announced', { readonly text: string }>;
export type AnnouncementWithdrawn = Happened<'AnnouncementWithdrawn', Record<string, never>>;

export type AnnouncementEvent = Announced | AnnouncementWithdrawn;

// State -------------------------------------------------------------------------------------------------------------

export interface AnnouncementState {
  readonly revision: bigint;
  /** The current announcement, and since when; null: none. */
  readonly current: { readonly text: string; readonly since: string } | null;
}

const initialState: AnnouncementState = { revision: -1n, current: null };

function evolve({ current }: AnnouncementState, event: AnnouncementEvent): AnnouncementState {
  const { revision, at } = event;
  switch (event.type) {
    case 'Announced':
      return { revision, current: { text: event.data.text, since: at } };
    case 'AnnouncementWithdrawn':
      return { revision, current: null };
    default:
      // An event of a later release.
      return { revision, current };
  }
}

// Commands ----------------------------------------------------------------------------------------------------------

export type Announce = { readonly type: 'Announce'; readonly actor: Actor; readonly text: string };
export type WithdrawAnnouncement = { readonly type: 'WithdrawAnnouncement'; readonly actor: Actor };

export type AnnouncementCommand = Announce | WithdrawAnnouncement;

// Decisions ---------------------------------------------------------------------------------------------------------

const accept = (...events: NewFact<AnnouncementEvent>[]): Decision<AnnouncementEvent> => ({ events });

function decide(command: AnnouncementCommand, { current }: AnnouncementState): Decision<AnnouncementEvent> {
  if (command.actor.role !== 'admin') return reject('NotAllowed', 'Only administrators announce anything.');
  if (command.type === 'WithdrawAnnouncement')
    return current === null ? accept() : accept({ type: 'AnnouncementWithdrawn', data: {} });
  const problem = visibleTextProblem(command.text, 1, limits.announcement);
  if (problem) return reject('Invalid', `The text ${problem}.`);
  return current?.text === command.text ? accept() : accept({ type: 'Announced', data: { text: command.text } });
}

export const announcement: Decider<AnnouncementState, AnnouncementCommand, AnnouncementEvent> = {
  category: 'announcement',
  stateVersion: 2,
  initialState,
  evolve,
  decide,
};
