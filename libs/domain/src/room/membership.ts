import { type Actor, type Decision, type Erasable, type Happened, happenedAt, type NewFact } from '../decider.js';
import type { InvitedRole } from '../invitation.js';
import { isRejection, type Rejection, reject } from '../rejection.js';
import type { Importable } from './imports.js';
import { isBanned, reasonProblem } from './moderation.js';
import {
  governs,
  isLastOwner,
  lastOwner,
  moderates,
  noSuchRoom,
  notAllowed,
  notAMember,
  notThere,
  outranks,
  type RoomRole,
  rank,
  rankOf,
  refusal,
  roomClosed,
} from './rights.js';
import type { Member, RoomState } from './state.js';

// Events ------------------------------------------------------------------------------------------------------------

export type MemberJoined = Happened<'MemberJoined', { readonly userId: string; readonly role: RoomRole } & Importable>;
export type MemberLeft = Happened<'MemberLeft', { readonly userId: string } & Importable>;
export type MemberRemoved = Happened<
  'MemberRemoved',
  { readonly userId: string; readonly reason: Erasable } & Importable
>;
export type MemberRoleChanged = Happened<'MemberRoleChanged', { readonly userId: string; readonly role: RoomRole }>;

export type MembershipEvent = MemberJoined | MemberLeft | MemberRemoved | MemberRoleChanged;

export function evolveMembership(state: RoomState, event: MembershipEvent): RoomState {
  const { userId } = event.data;
  switch (event.type) {
    case 'MemberJoined': {
      const member = { role: event.data.role, joined: event.revision, joinedAt: happenedAt(event) };
      const isNewInPair = state.visibility === 'direct' && !state.pair.includes(userId);
      return withMember(isNewInPair ? { ...state, pair: [...state.pair, userId] } : state, userId, member);
    }
    case 'MemberLeft':
    case 'MemberRemoved':
      return withMember(state, userId, null);
    case 'MemberRoleChanged': {
      const member = state.members.get(userId);
      return member ? withMember(state, userId, { ...member, role: event.data.role }) : state;
    }
  }
}

/** Null: no longer a member. */
function withMember(state: RoomState, userId: string, member: Member | null): RoomState {
  const owner = state.members.get(userId)?.role === 'owner' ? 1 : 0;
  const owners = state.owners - owner + (member?.role === 'owner' ? 1 : 0);
  return { ...state, owners, members: member ? state.members.set(userId, member) : state.members.delete(userId) };
}

// Commands ----------------------------------------------------------------------------------------------------------

interface By {
  readonly actor: Actor;
}

/**
 * `provenPasswordId`: the correct password was given, and its hash has this id. `invited`: an invitation to this room was
 * redeemed that gives this role.
 */
export type JoinRoom = By & {
  readonly type: 'JoinRoom';
  readonly provenPasswordId?: string;
  readonly invited?: InvitedRole;
} & Importable;
export type AddMember = By & { readonly type: 'AddMember'; readonly userId: string; readonly role: RoomRole };
/** `successor` becomes owner in place of the person who leaves. The last owner of an open room cannot leave without one. */
export type RemoveMember = By & {
  readonly type: 'RemoveMember';
  readonly userId: string;
  readonly reason: string | null;
  readonly successor?: string;
} & Importable;
export type ChangeMemberRole = By & {
  readonly type: 'ChangeMemberRole';
  readonly userId: string;
  readonly role: RoomRole;
};
/** The actor, an owner, makes a member owner and stays as moderator. */
export type TransferOwnership = By & { readonly type: 'TransferOwnership'; readonly userId: string };

export type MembershipCommand = JoinRoom | AddMember | RemoveMember | ChangeMemberRole | TransferOwnership;

// Decisions ---------------------------------------------------------------------------------------------------------

type MembershipDecision = Decision<MembershipEvent>;

const accept = (...events: NewFact<MembershipEvent>[]): MembershipDecision => ({ events });

export function join(command: JoinRoom, state: RoomState, at: string): MembershipDecision {
  const { actor, provenPasswordId, invited: role, imported } = command;
  if (state.members.get(actor.id)) return accept();
  const invited = role !== undefined || (state.passwordId !== null && provenPasswordId === state.passwordId);
  if (state.visibility === 'direct' || (state.visibility === 'hidden' && !invited && actor.role !== 'admin'))
    return noSuchRoom;
  if (isBanned(actor.id, state, at)) return reject('NotAllowed', 'You are banned from this room.');
  if (state.status === 'closed') return roomClosed;
  if (!invited && actor.role !== 'admin') {
    if (state.passwordId !== null) return reject('WrongPassword', 'You need the password to join this room.');
    if (state.visibility === 'private') return reject('NotAllowed', 'You need an invitation to join this room.');
  }
  return accept({
    type: 'MemberJoined',
    data: { userId: actor.id, role: role ?? 'member', ...(imported && { imported }) },
  });
}

export function addMember({ actor, userId, role }: AddMember, state: RoomState, at: string): MembershipDecision {
  if (state.visibility === 'direct') return reject('NotAllowed', 'A direct room is for two people.');
  if (!moderates(actor, state)) return refusal(actor, state);
  if (!governs(actor, state) && rank[role] >= rankOf(actor, state)) return notAllowed;
  if (state.members.get(userId)) return accept();
  if (state.status === 'closed') return roomClosed;
  if (isBanned(userId, state, at))
    return reject('Conflict', 'This person is banned from the room. Lift the ban first.');
  return accept({ type: 'MemberJoined', data: { userId, role } });
}

export function removeMember(command: RemoveMember, state: RoomState): MembershipDecision {
  const { actor, userId, reason, imported } = command;
  const target = state.members.get(userId);
  if (userId === actor.id) {
    if (!target) return notAMember;
    const promotion = promoteSuccessor(command, state);
    if (isRejection(promotion)) return promotion;
    return accept(...promotion, { type: 'MemberLeft', data: { userId, ...(imported && { imported }) } });
  }
  if (!moderates(actor, state)) return refusal(actor, state);
  if (!target) return notThere;
  if (state.visibility === 'direct') return reject('NotAllowed', 'Nobody can be removed from a direct room.');
  if (!outranks(actor, userId, state)) return notAllowed;
  const problem = reasonProblem(reason);
  if (problem) return problem;
  const promotion = promoteSuccessor(command, state);
  if (isRejection(promotion)) return promotion;
  return accept(...promotion, { type: 'MemberRemoved', data: { userId, reason, ...(imported && { imported }) } });
}

/** The event that makes the successor an owner. A closed room needs none. */
function promoteSuccessor(
  { userId, successor }: RemoveMember,
  state: RoomState,
): NewFact<MemberRoleChanged>[] | Rejection {
  if (state.status === 'closed') return [];
  if (successor === undefined) return isLastOwner(userId, state) ? lastOwner : [];
  const heir = state.members.get(successor);
  if (!heir || successor === userId) return reject('NotFound', 'The successor is not in the room.');
  if (state.members.get(userId)?.role !== 'owner') return reject('Invalid', 'Only an owner has a successor.');
  return heir.role === 'owner' ? [] : [{ type: 'MemberRoleChanged', data: { userId: successor, role: 'owner' } }];
}

export function changeMemberRole({ actor, userId, role }: ChangeMemberRole, state: RoomState): MembershipDecision {
  if (!moderates(actor, state)) return refusal(actor, state);
  const target = state.members.get(userId);
  if (!target) return notThere;
  if (state.status === 'closed') return roomClosed;
  if (state.visibility === 'direct') return reject('NotAllowed', 'A direct room has no roles.');
  const beyond = rank[role] >= rankOf(actor, state) || rank[target.role] >= rankOf(actor, state);
  if (!governs(actor, state) && beyond) return notAllowed;
  if (target.role === role) return accept();
  if (isLastOwner(userId, state)) return lastOwner;
  return accept({ type: 'MemberRoleChanged', data: { userId, role } });
}

export function transferOwnership({ actor, userId }: TransferOwnership, state: RoomState): MembershipDecision {
  const own = state.members.get(actor.id);
  if (own?.role !== 'owner') return refusal(actor, state);
  if (state.status === 'closed') return roomClosed;
  const heir = state.members.get(userId);
  if (!heir) return notThere;
  if (userId === actor.id) return reject('Invalid', 'This person is already an owner.');
  const stepDown = { type: 'MemberRoleChanged', data: { userId: actor.id, role: 'moderator' } } as const;
  if (heir.role === 'owner') return accept(stepDown);
  return accept({ type: 'MemberRoleChanged', data: { userId, role: 'owner' } }, stepDown);
}

/** The events that bring back those who are not in the room. */
export const broughtBack = (people: readonly string[], { members }: RoomState): NewFact<MemberJoined>[] =>
  people
    .filter((userId) => !members.has(userId))
    .map((userId) => ({ type: 'MemberJoined', data: { userId, role: 'member' } }));
