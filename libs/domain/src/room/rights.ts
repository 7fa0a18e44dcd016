import type { Actor } from '../decider.js';
import type { PersistentMap } from '../persistent-map.js';
import { type Rejection, reject } from '../rejection.js';

// Ranks in a room, and the refusals that follow from them. What each rank may do is part of each decision.

export type RoomRole = 'owner' | 'moderator' | 'member' | 'guest';

/** Who is in a room. */
export interface Membership {
  readonly members: PersistentMap<{ readonly role: RoomRole }>;
  /** How many of the members are owners. */
  readonly owners: number;
}

export const rank: Record<RoomRole, number> = { guest: 0, member: 1, moderator: 2, owner: 3 };

/** Administrators of the server count as owners of every room but take part only in those they have joined. */
export function rankOf(actor: Actor, state: Membership): number {
  const member = state.members.get(actor.id);
  return actor.role === 'admin' ? rank.owner : member ? rank[member.role] : -1;
}

export const governs = (actor: Actor, state: Membership): boolean => rankOf(actor, state) >= rank.owner;
export const moderates = (actor: Actor, state: Membership): boolean => rankOf(actor, state) >= rank.moderator;

/** Whether a person may act on another: owners on everyone, others on lower ranks. */
export function outranks(actor: Actor, userId: string, state: Membership): boolean {
  const target = state.members.get(userId);
  return !target || governs(actor, state) || rank[target.role] < rankOf(actor, state);
}

/** Whether the room would be without an owner if this person stopped being one. */
export const isLastOwner = (userId: string, state: Membership): boolean =>
  state.owners === 1 && state.members.get(userId)?.role === 'owner';

export const noSuchRoom = reject('NotFound', 'There is no such room.');
export const notAMember = reject('NotAMember', 'Only members of the room may do this.');
export const notAllowed = reject('NotAllowed', 'Your role in the room does not allow this.');
export const notThere = reject('NotFound', 'This person is not in the room.');
export const roomClosed = reject('RoomClosed', 'The room is closed.');
export const onlyReads = reject('NotAllowed', 'Auditors read everything and change nothing.');
export const lastOwner = reject(
  'Conflict',
  'This is the last owner of the room. Make another member owner first, name a successor, or close the room.',
);

export const refusal = (actor: Actor, state: Membership): Rejection =>
  state.members.get(actor.id) ? notAllowed : notAMember;
