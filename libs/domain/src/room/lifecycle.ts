import { type Actor, type Decision, type Erasable, type Happened, happenedAt, type NewFact } from '../decider.js';
import { type Rejection, reject } from '../rejection.js';
import type { Importable } from './imports.js';
import { broughtBack, type MemberJoined } from './membership.js';
import { reasonProblem } from './moderation.js';
import { governs, refusal } from './rights.js';
import { settingsProblem } from './settings.js';
import type { HistoryAccess, RoomSettings, RoomState, Visibility } from './state.js';

// How a room begins and ends.

// Events ------------------------------------------------------------------------------------------------------------

export type RoomCreated = Happened<'RoomCreated', RoomSettings & Importable>;
/** The room id was abandoned before the room was created. */
export type RoomAbandoned = Happened<'RoomAbandoned', Record<string, never>>;
export type ChatClosed = Happened<'ChatClosed', { readonly reason: Erasable }>;

export type LifecycleEvent = RoomCreated | RoomAbandoned | ChatClosed;

export function evolveLifecycle(state: RoomState, event: LifecycleEvent): RoomState {
  switch (event.type) {
    case 'RoomCreated': {
      const { name, topic, visibility, history, passwordId } = event.data;
      const settings = { name, topic, visibility, history, passwordId };
      return { ...state, ...settings, status: 'open', createdBy: event.actor, createdAt: happenedAt(event) };
    }
    case 'RoomAbandoned':
      return { ...state, status: 'abandoned' };
    case 'ChatClosed':
      return { ...state, status: 'closed' };
  }
}

// Commands ----------------------------------------------------------------------------------------------------------

interface By {
  readonly actor: Actor;
}

export type CreateRoom = By & {
  readonly type: 'CreateRoom';
  readonly name: string;
  readonly topic: string;
  readonly visibility: Exclude<Visibility, 'direct'>;
  readonly history: HistoryAccess;
  readonly passwordId: string | null;
};
/** Adds both people. Sent again, it brings back people who have left, except a peer whose account is deactivated (`peerGone`). */
export type CreateDirectRoom = By & {
  readonly type: 'CreateDirectRoom';
  readonly peerId: string;
  readonly peerGone?: boolean;
};
export type AbandonRoom = By & { readonly type: 'AbandonRoom' };
export type CloseRoom = By & { readonly type: 'CloseRoom'; readonly reason: string | null };

// Decisions ---------------------------------------------------------------------------------------------------------

type LifecycleDecision = Decision<LifecycleEvent | MemberJoined>;

const accept = (...events: NewFact<LifecycleEvent | MemberJoined>[]): LifecycleDecision => ({ events });

export function create(command: CreateRoom, state: RoomState): LifecycleDecision {
  const { name, topic, visibility, passwordId, actor } = command;
  if (state.status === 'abandoned') return reject('Conflict', 'Creating this room took too long. Try again.');
  if (state.status !== 'unborn') {
    if (state.createdBy === actor.id && state.name === name) return accept();
    return reject('Conflict', 'A room with this id already exists.');
  }
  const problem = settingsProblem({ name, topic });
  if (problem) return problem;
  const history = visibility === 'public' ? 'full' : command.history;
  return accept(
    { type: 'RoomCreated', data: { name, topic, visibility, history, passwordId } },
    { type: 'MemberJoined', data: { userId: actor.id, role: 'owner' } },
  );
}

export function createDirect({ actor, peerId, peerGone }: CreateDirectRoom, state: RoomState): LifecycleDecision {
  if (state.status === 'abandoned') return reject('Conflict', 'This room can no longer be created.');
  if (actor.id === peerId) return reject('Invalid', 'A direct room needs two different people.');
  if (state.status !== 'unborn' && state.visibility !== 'direct')
    return reject('Conflict', 'A room with this id already exists.');
  if (peerGone && state.status === 'unborn') return accountGone;
  // The two share no other direct room, so both are brought back into this one.
  const joining = broughtBack(peerGone ? [actor.id] : [actor.id, peerId], state);
  if (state.status !== 'unborn') return accept(...joining);
  const settings = { name: '', topic: '', visibility: 'direct', history: 'full', passwordId: null } as const;
  return accept({ type: 'RoomCreated', data: settings }, ...joining);
}

/** No one can write to a deactivated account. */
export const accountGone: Rejection = reject('Conflict', 'This account was deactivated. Nobody can write to it.');

export function abandon(state: RoomState): LifecycleDecision {
  if (state.status === 'abandoned') return accept();
  if (state.status !== 'unborn') return reject('Conflict', 'The room exists.');
  return accept({ type: 'RoomAbandoned', data: {} });
}

export function close({ actor, reason }: CloseRoom, state: RoomState): LifecycleDecision {
  if (state.visibility === 'direct') return reject('NotAllowed', 'A direct room cannot be closed.');
  if (!governs(actor, state)) return refusal(actor, state);
  if (state.status === 'closed') return accept();
  const problem = reasonProblem(reason);
  if (problem) return problem;
  return accept({ type: 'ChatClosed', data: { reason } });
}
