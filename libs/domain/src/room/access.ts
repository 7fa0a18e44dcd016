import type { Actor } from '../decider.js';
import { type Rejection, reject } from '../rejection.js';
import { governs, moderates, noSuchRoom, refusal } from './rights.js';
import type { Member, RoomState } from './state.js';

/** Whether a person may know that the room exists, with its name and its members. */
export function maySee(state: RoomState, actor: Actor): boolean {
  if (state.status === 'unborn' || state.status === 'abandoned') return false;
  if (actor.role !== 'user' || state.members.get(actor.id)) return true;
  return state.visibility === 'public' || state.visibility === 'private';
}

/** Why this person may not change the room, its settings or its webhooks, or null if they may. */
export function governingProblem(state: RoomState, actor: Actor): Rejection | null {
  if (!maySee(state, actor)) return noSuchRoom;
  return governs(actor, state) ? null : refusal(actor, state);
}

/** Why this person may not create, see or revoke invitations to the room, or null if they may. */
export function invitingProblem(actor: Actor, state: RoomState): Rejection | null {
  if (!maySee(state, actor)) return noSuchRoom;
  if (!moderates(actor, state)) return refusal(actor, state);
  return state.visibility === 'direct' ? reject('NotAllowed', 'A direct room is for two people.') : null;
}

/** Whether the room holds the claim to its name: names are unique among open rooms that are not hidden. */
export const holdsName = (state: RoomState): boolean =>
  state.status === 'open' && (state.visibility === 'public' || state.visibility === 'private');

/** The revision from which this member may read, from 0. The creator joined at revision 1 and reads everything. */
export const readableFrom = (state: RoomState, member: Member): bigint =>
  state.visibility !== 'public' && state.history === 'joined' && member.joined > 1n ? member.joined : 0n;
