import { type Actor, type Decider, type Decision, type Happened, type NewFact, streamName } from './decider.js';
import { PersistentMap } from './persistent-map.js';
import { reject } from './rejection.js';

export const invitationStream = (invitationId: string): string => streamName('invitation', invitationId);

// Events ------------------------------------------------------------------------------------------------------------

/** What an invitation gives access to: the server, for a person without an account, or a room. */
export type InvitedTo =
  | { readonly kind: 'server' }
  | { readonly kind: 'room'; readonly roomId: string; readonly role: InvitedRole };
export type InvitedRole = 'member' | 'guest';

/** `uses`: how many people can use it; null for no limit other than that of this file. No event contains the code. */
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
  /** The people who used it. */
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

/** Whether the actor may invite is decided beforehand, by the room or the server. */
export type CreateInvitation = {
  readonly type: 'CreateInvitation';
  readonly actor: Actor;
  readonly to: InvitedTo;
  readonly uses: number | null;
  readonly expiresAt: string;
  /** RFC 3339, UTC, milliseconds; here and below. */
  readonly now: string;
};
/** Admits a person, once. `actor` is null for people without an account. */
export type RedeemInvitation = {
  readonly type: 'RedeemInvitation';
  readonly actor: Actor | null;
  readonly userId: string;
  readonly now: string;
};
export type RevokeInvitation = { readonly type: 'RevokeInvitation'; readonly actor: Actor };

export type InvitationCommand = CreateInvitation | RedeemInvitation | RevokeInvitation;

// Decisions ---------------------------------------------------------------------------------------------------------

/** Bounds of an invitation. The state lists the people who used it, even if its uses are not limited. */
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

/** A person who used it before may use it again while it is valid, without counting as another use. */
function redeem({ userId, now }: RedeemInvitation, state: InvitationState): InvitationDecision {
  if (state.status === 'revoked' || now >= state.expiresAt) return notGood;
  if (state.redeemedBy.has(userId)) return accept();
  return usesLeft(state) > 0 ? accept({ type: 'InvitationRedeemed', data: { userId } }) : notGood;
}

const usesLeft = ({ uses, redeemedBy }: InvitationState): number =>
  (uses ?? invitationLimits.usesWithoutNumber) - redeemedBy.size;

/** Whether it would admit another person. */
export const isGood = (state: InvitationState, now: string): boolean =>
  state.status === 'open' && now < state.expiresAt && usesLeft(state) > 0;

export const invitation: Decider<InvitationState, InvitationCommand, InvitationEvent> = {
  category: 'invitation',
  stateVersion: 1,
  initialState,
  evolve,
  decide,
};
