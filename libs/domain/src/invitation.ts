import { type Actor, type Decider, type Decision, type Happened, type NewFact, streamName } from './decider.js';
import { PersistentMap } from './persistent-map.js';
import { reject } from './rejection.js';

export const invitationStream = (invitationId: string): string => streamName('invitation', invitationId);

// Events ------------------------------------------------------------------------------------------------------------

/** What an invitation opens: the server, for somebody without an account, or a room. */
export type InvitedTo =
  | { readonly kind: 'server' }
  | { readonly kind: 'room'; readonly roomId: string; readonly role: InvitedRole };
export type InvitedRole = 'member' | 'guest';

/** `uses`: how many people it lets in, null for no limit but that of this file. The code itself is in no event. */
export type InvitationCreated = Happened<
  'InvitationCreated',
  { readonly to: InvitedTo; readonly uses: number | null; readonly expiresAt: string }
>;
export type InvitationRedeemed = Happened<'InvitationRedeemed', { readonly userId: string }>;
export type InvitationRevoked = Happened<'InvitationRevoked', Record<string, never>>;

export type InvitationEvent = InvitationCreated | InvitationRedeemed | InvitationRevoked;

// State -------------------------------------------------------------------------------------------------------------

export interface InvitationState {
  readonly status: 'unborn' | 'open' | 'revoked';
  readonly revision: bigint;
  readonly to: InvitedTo;
  readonly uses: number | null;
  readonly expiresAt: string;
  readonly createdBy: string | null;
  readonly createdAt: string;
  /** Whom it let in. */
  readonly redeemedBy: PersistentMap<true>;
}

const initialState: InvitationState = {
  status: 'unborn',
  revision: -1n,
  to: { kind: 'server' },
  uses: null,
  expiresAt: '',
  createdBy: null,
  createdAt: '',
  redeemedBy: PersistentMap.empty,
};

function evolve(before: InvitationState, event: InvitationEvent): InvitationState {
  const state = { ...before, revision: event.revision };
  switch (event.type) {
    case 'InvitationCreated':
      return { ...state, ...event.data, status: 'open', createdBy: event.actor, createdAt: event.at };
    case 'InvitationRedeemed':
      return { ...state, redeemedBy: state.redeemedBy.set(event.data.userId, true) };
    case 'InvitationRevoked':
      return { ...state, status: 'revoked' };
    default:
      return state;
  }
}

// Commands ----------------------------------------------------------------------------------------------------------

/** Whether the actor may invite there is decided by what is invited to, before. */
export type CreateInvitation = {
  readonly type: 'CreateInvitation';
  readonly actor: Actor;
  readonly to: InvitedTo;
  readonly uses: number | null;
  readonly expiresAt: string;
  /** RFC 3339, UTC, milliseconds; here and below. */
  readonly now: string;
};
/** Lets somebody in, once. `actor` is null for those who have no account yet. */
export type RedeemInvitation = {
  readonly type: 'RedeemInvitation';
  readonly actor: Actor | null;
  readonly userId: string;
  readonly now: string;
};
export type RevokeInvitation = { readonly type: 'RevokeInvitation'; readonly actor: Actor };

export type InvitationCommand = CreateInvitation | RedeemInvitation | RevokeInvitation;

// Decisions ---------------------------------------------------------------------------------------------------------

/** Bounds of an invitation; those who were let in by one without a number of uses are kept in its state. */
export const invitationLimits = { uses: 10_000, usesWithoutNumber: 100_000, days: 365 } as const;

type InvitationDecision = Decision<InvitationEvent>;

const accept = (...events: NewFact<InvitationEvent>[]): InvitationDecision => ({ events });
const noSuchInvitation = reject('NotFound', 'There is no such invitation.');
const notGood = reject('NotAllowed', 'This invitation is not good any more.');

function decide(command: InvitationCommand, state: InvitationState): InvitationDecision {
  if (command.type === 'CreateInvitation') return create(command, state);
  if (state.status === 'unborn') return noSuchInvitation;
  if (command.type === 'RevokeInvitation') {
    return state.status === 'revoked' ? accept() : accept({ type: 'InvitationRevoked', data: {} });
  }
  return redeem(command, state);
}

function create({ to, uses, expiresAt, now }: CreateInvitation, state: InvitationState): InvitationDecision {
  if (state.status !== 'unborn') return reject('Conflict', 'An invitation with this id exists already.');
  if (uses !== null && !(Number.isInteger(uses) && uses >= 1 && uses <= invitationLimits.uses)) {
    return reject('Invalid', `An invitation is for 1 to ${invitationLimits.uses} people.`);
  }
  const days = (Date.parse(expiresAt) - Date.parse(now)) / 86_400_000;
  if (!(days > 0 && days <= invitationLimits.days)) {
    return reject('Invalid', `An invitation expires within ${invitationLimits.days} days.`);
  }
  return accept({ type: 'InvitationCreated', data: { to, uses, expiresAt } });
}

/** Whoever was let in before is let in again while it is good, and uses it up no further. */
function redeem({ userId, now }: RedeemInvitation, state: InvitationState): InvitationDecision {
  if (state.status === 'revoked' || now >= state.expiresAt) return notGood;
  if (state.redeemedBy.has(userId)) return accept();
  return usesLeft(state) > 0 ? accept({ type: 'InvitationRedeemed', data: { userId } }) : notGood;
}

const usesLeft = ({ uses, redeemedBy }: InvitationState): number =>
  (uses ?? invitationLimits.usesWithoutNumber) - redeemedBy.size;

/** Whether it would let somebody new in. */
export const isGood = (state: InvitationState, now: string): boolean =>
  state.status === 'open' && now < state.expiresAt && usesLeft(state) > 0;

export const invitation: Decider<InvitationState, InvitationCommand, InvitationEvent> = {
  category: 'invitation',
  stateVersion: 1,
  initialState,
  evolve,
  decide,
};
