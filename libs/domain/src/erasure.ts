import type { Actor, Decider, Decision, Erasable, Happened, NewFact } from './decider.js';
import { PersistentMap } from './persistent-map.js';
import { type Rejection, reject } from './rejection.js';
import { isSameRetentionScope, type RetentionRule, type RetentionScope, retentionLimits } from './retention.js';
import { limits, visibleTextProblem } from './text.js';

// Erasures, retention rules and legal holds. They share one stream, so that an erasure never begins under a hold that
// was recorded before it.

/** The id of the one register of erasures and holds. */
export const ERASURES = '00000000-0000-8000-8000-000000000007';

/** A span of days is inclusive, each day as `2026-01-31`, in UTC. */
export type HoldScope =
  | { readonly kind: 'person'; readonly userId: string }
  | { readonly kind: 'room'; readonly roomId: string }
  | { readonly kind: 'days'; readonly roomId: string; readonly from: string; readonly to: string };
/** `authorId` and `day` belong to the message. */
export type ErasureScope =
  | HoldScope
  | {
      readonly kind: 'message';
      readonly roomId: string;
      readonly messageId: string;
      readonly authorId: string;
      readonly day: string;
    };

/** The legal ground of an erasure; the first five are from article 17 of the GDPR. */
export const erasureGrounds = [
  ...(['consent_withdrawn', 'no_longer_needed', 'unlawful', 'objection', 'legal_duty', 'other'] as const),
] as const;
export type ErasureGround = (typeof erasureGrounds)[number];

// Events ------------------------------------------------------------------------------------------------------------

export type ErasureRequested = Happened<
  'ErasureRequested',
  {
    readonly erasureId: string;
    readonly scope: ErasureScope;
    readonly ground: ErasureGround;
    readonly reason: Erasable;
    /** The retention rule that requested it; absent if a person did. */
    readonly ruleId?: string;
  }
>;
/** From here on nothing recorded in its scope before is served. */
export type ErasureBegan = Happened<'ErasureBegan', { readonly erasureId: string; readonly scope: ErasureScope }>;
/** Nothing in its scope can be read any more; `certificate` is a signed note that says so. */
export type ErasureFinished = Happened<
  'ErasureFinished',
  { readonly erasureId: string; readonly scope: ErasureScope; readonly certificate: string }
>;
export type HoldPlaced = Happened<
  'HoldPlaced',
  { readonly holdId: string; readonly scope: HoldScope; readonly reason: Erasable }
>;
export type HoldLifted = Happened<'HoldLifted', { readonly holdId: string; readonly scope: HoldScope }>;

/** It replaces a rule for the same rooms. Erasures requested by rules that have not begun are withdrawn. */
export type RetentionRuleSet = Happened<
  'RetentionRuleSet',
  {
    readonly ruleId: string;
    readonly scope: RetentionScope;
    readonly days: number | null;
    readonly reason: Erasable;
  }
>;
export type RetentionRuleRemoved = Happened<
  'RetentionRuleRemoved',
  { readonly ruleId: string; readonly scope: RetentionScope; readonly reason: Erasable }
>;

export type ErasureEvent =
  | ErasureRequested
  | ErasureBegan
  | ErasureFinished
  | HoldPlaced
  | HoldLifted
  | RetentionRuleSet
  | RetentionRuleRemoved;

// State -------------------------------------------------------------------------------------------------------------

/** An unfinished erasure. */
export interface PendingErasure {
  readonly scope: ErasureScope;
  readonly ground: ErasureGround;
  /** Null for a retention rule. */
  readonly by: string | null;
  readonly ruleId: string | null;
  readonly requestedAt: string;
  /** When it began; null while it waits. */
  readonly beganAt: string | null;
  /** Revision of the event that requested it. */
  readonly requested: string;
}

/** A finished erasure, as the revisions of its events. */
export interface FinishedErasure {
  readonly requested: string;
  readonly beganAt: string | null;
  readonly finished: string;
}

/** A hold in force. */
export interface Hold {
  readonly scope: HoldScope;
  /** Revision of the event that placed it. */
  readonly placed: string;
}

export interface ErasureState {
  readonly revision: bigint;
  readonly pending: PersistentMap<PendingErasure>;
  readonly holds: PersistentMap<Hold>;
  readonly rules: PersistentMap<RetentionRule>;
  /** The last ones. */
  readonly finished: PersistentMap<FinishedErasure>;
}

export const erasureLimits = {
  /** Unfinished erasures, holds in force, and finished erasures in the state. */
  pending: 1_000,
  holds: 10_000,
  finished: 10_000,
} as const;

const initialState: ErasureState = {
  revision: -1n,
  pending: PersistentMap.empty,
  holds: PersistentMap.empty,
  rules: PersistentMap.empty,
  finished: PersistentMap.empty,
};

function evolve(before: ErasureState, event: ErasureEvent): ErasureState {
  const state = { ...before, revision: event.revision };
  switch (event.type) {
    case 'ErasureRequested': {
      const { erasureId, scope, ground, ruleId = null } = event.data;
      const requested = { by: event.actor, ruleId, requestedAt: event.at, requested: `${event.revision}` };
      return { ...state, pending: state.pending.set(erasureId, { scope, ground, ...requested, beganAt: null }) };
    }
    case 'ErasureBegan': {
      const { erasureId } = event.data;
      const pending = state.pending.get(erasureId);
      return pending ? { ...state, pending: state.pending.set(erasureId, { ...pending, beganAt: event.at }) } : state;
    }
    case 'ErasureFinished': {
      const { erasureId } = event.data;
      const pending = state.pending.get(erasureId);
      if (!pending) return state;
      const { requested, beganAt } = pending;
      const finished = withinLimit(state.finished).set(erasureId, {
        requested,
        beganAt,
        finished: `${event.revision}`,
      });
      return { ...state, pending: state.pending.delete(erasureId), finished };
    }
    case 'HoldPlaced':
      return {
        ...state,
        holds: state.holds.set(event.data.holdId, { scope: event.data.scope, placed: `${event.revision}` }),
      };
    case 'HoldLifted':
      return { ...state, holds: state.holds.delete(event.data.holdId) };
    case 'RetentionRuleSet': {
      const { ruleId, scope, days } = event.data;
      const rules = without(state.rules, (rule) => isSameRetentionScope(rule.scope, scope));
      const rule = { scope, days, by: event.actor ?? '', setAt: event.at };
      return { ...state, rules: rules.set(ruleId, rule), pending: withoutWaitingForRules(state) };
    }
    case 'RetentionRuleRemoved':
      return { ...state, rules: state.rules.delete(event.data.ruleId), pending: withoutWaitingForRules(state) };
    default:
      // An event of a later release.
      return state;
  }
}

/** The rules in force now request erasures again. */
const withoutWaitingForRules = ({ pending }: ErasureState) =>
  without(pending, ({ ruleId, beganAt }) => ruleId !== null && beganAt === null);

const without = <T>(map: PersistentMap<T>, isMeant: (value: T) => boolean): PersistentMap<T> =>
  [...map.entries()].reduce((left, [id, value]) => (isMeant(value) ? left.delete(id) : left), map);

/** Drops the oldest if there is no space for another one. */
function withinLimit(finished: PersistentMap<FinishedErasure>): PersistentMap<FinishedErasure> {
  if (finished.size < erasureLimits.finished) return finished;
  const [oldest] = [...finished.entries()].sort(([, a], [, b]) => Number(a.finished) - Number(b.finished));
  return oldest ? finished.delete(oldest[0]) : finished;
}

// Commands ----------------------------------------------------------------------------------------------------------

export type RequestErasure = {
  readonly type: 'RequestErasure';
  /** Null with a `ruleId`: requested by a retention rule. */
  readonly actor: Actor | null;
  readonly erasureId: string;
  readonly scope: ErasureScope;
  readonly ground: ErasureGround;
  readonly reason: string;
  readonly ruleId?: string;
};
/**
 * `entangled`: those of the `considered` holds that overlap with the scope, as only the vault can show; see
 * `entangles`.
 */
export type BeginErasure = {
  readonly type: 'BeginErasure';
  readonly actor: null;
  readonly erasureId: string;
  readonly entangled: readonly string[];
  readonly considered: readonly string[];
};
export type FinishErasure = {
  readonly type: 'FinishErasure';
  readonly actor: null;
  readonly erasureId: string;
  readonly certificate: string;
};
export type PlaceHold = {
  readonly type: 'PlaceHold';
  readonly actor: Actor;
  readonly holdId: string;
  readonly scope: HoldScope;
  readonly reason: string;
};
export type LiftHold = { readonly type: 'LiftHold'; readonly actor: Actor; readonly holdId: string };

export type SetRetentionRule = {
  readonly type: 'SetRetentionRule';
  readonly actor: Actor;
  readonly ruleId: string;
  readonly scope: RetentionScope;
  readonly days: number | null;
  readonly reason: string;
};
export type RemoveRetentionRule = {
  readonly type: 'RemoveRetentionRule';
  readonly actor: Actor;
  readonly ruleId: string;
  readonly reason: string;
};

export type ErasureCommand =
  | RequestErasure
  | BeginErasure
  | FinishErasure
  | PlaceHold
  | LiftHold
  | SetRetentionRule
  | RemoveRetentionRule;

// Decisions ---------------------------------------------------------------------------------------------------------

const accept = (...events: NewFact<ErasureEvent>[]): Decision<ErasureEvent> => ({ events });

function decide(command: ErasureCommand, state: ErasureState): Decision<ErasureEvent> {
  if (command.actor !== null && command.actor.role !== 'admin')
    return reject('NotAllowed', 'Only administrators erase, place and lift holds, and set rules of retention.');
  switch (command.type) {
    case 'RequestErasure': {
      const { erasureId, scope, ground, reason, ruleId } = command;
      if (state.pending.has(erasureId) || state.finished.has(erasureId)) return accept();
      if (state.pending.size >= erasureLimits.pending)
        return reject('Conflict', `There are ${erasureLimits.pending} erasures that are not finished.`);
      if (ruleId !== undefined && !state.rules.has(ruleId))
        return reject('NotFound', 'There is no such rule any more.');
      const data = { erasureId, scope, ground, reason, ...(ruleId !== undefined && { ruleId }) };
      return reasonProblem(reason) ?? accept({ type: 'ErasureRequested', data });
    }
    case 'BeginErasure': {
      const { erasureId, entangled, considered } = command;
      const pending = state.pending.get(erasureId);
      if (!pending || pending.beganAt !== null) return accept();
      if (isHeld(pending.scope, state, entangled)) return reject('Conflict', 'A hold forbids it.');
      const unknown = [...state.holds.entries()].some(
        ([id, hold]) => entangles(pending.scope, hold.scope) && !considered.includes(id),
      );
      if (unknown) return reject('Conflict', 'A hold was placed meanwhile, and has to be looked at first.');
      return accept({ type: 'ErasureBegan', data: { erasureId, scope: pending.scope } });
    }
    case 'FinishErasure': {
      const { erasureId, certificate } = command;
      const pending = state.pending.get(erasureId);
      if (!pending) return accept();
      return accept({ type: 'ErasureFinished', data: { erasureId, scope: pending.scope, certificate } });
    }
    case 'PlaceHold': {
      const { holdId, scope, reason } = command;
      if (state.holds.has(holdId)) return accept();
      if (state.holds.size >= erasureLimits.holds)
        return reject('Conflict', `There are ${erasureLimits.holds} holds. Lift some of them first.`);
      return reasonProblem(reason) ?? accept({ type: 'HoldPlaced', data: { holdId, scope, reason } });
    }
    case 'LiftHold': {
      const hold = state.holds.get(command.holdId);
      if (!hold) return reject('NotFound', 'There is no such hold.');
      return accept({ type: 'HoldLifted', data: { holdId: command.holdId, scope: hold.scope } });
    }
    case 'SetRetentionRule': {
      const { ruleId, scope, days, reason } = command;
      if (state.rules.has(ruleId)) return accept();
      const replaces = [...state.rules.entries()].some(([, rule]) => isSameRetentionScope(rule.scope, scope));
      if (!replaces && state.rules.size >= retentionLimits.rules)
        return reject('Conflict', `There are ${retentionLimits.rules} rules. Remove some of them first.`);
      if (days !== null && !(Number.isInteger(days) && days >= 1 && days <= retentionLimits.days))
        return reject('Invalid', `The number of days must be between 1 and ${retentionLimits.days}.`);
      return reasonProblem(reason) ?? accept({ type: 'RetentionRuleSet', data: { ruleId, scope, days, reason } });
    }
    case 'RemoveRetentionRule': {
      const { ruleId, reason } = command;
      const rule = state.rules.get(ruleId);
      if (!rule) return reject('NotFound', 'There is no such rule.');
      const data = { ruleId, scope: rule.scope, reason };
      return reasonProblem(reason) ?? accept({ type: 'RetentionRuleRemoved', data });
    }
  }
}

function reasonProblem(reason: string): Rejection | null {
  const problem = visibleTextProblem(reason, 1, limits.reason);
  return problem ? reject('Invalid', `The reason ${problem}.`) : null;
}

export const erasure: Decider<ErasureState, ErasureCommand, ErasureEvent> = {
  category: 'erasure',
  stateVersion: 2,
  initialState,
  evolve,
  decide,
};

// Which holds forbid which erasures ---------------------------------------------------------------------------------

/** Whether a hold forbids starting or continuing this erasure. */
export const isHeld = (scope: ErasureScope, state: ErasureState, entangled: readonly string[]): boolean =>
  heldBy(scope, state, entangled).length > 0;

/** The ids of the holds that forbid it. */
export const heldBy = (scope: ErasureScope, { holds }: ErasureState, entangled: readonly string[]): string[] =>
  [...holds.entries()].flatMap(([id, hold]) => (entangled.includes(id) || overlap(scope, hold.scope) ? id : []));

/** Whether the two scopes overlap, as far as that follows from the scopes alone. */
function overlap(scope: ErasureScope, hold: HoldScope): boolean {
  if (hold.kind === 'person')
    return (scope.kind === 'person' ? scope.userId : scope.kind === 'message' && scope.authorId) === hold.userId;
  if (scope.kind === 'person' || scope.roomId !== hold.roomId) return false;
  if (hold.kind === 'room' || scope.kind === 'room') return true;
  // A message may have been edited on any day since.
  const [from, to] = scope.kind === 'message' ? [scope.day, '9999-12-31'] : [scope.from, scope.to];
  return from <= hold.to && hold.from <= to;
}

/** Whether the overlap depends on what the person wrote in the room. */
export const entangles = (scope: ErasureScope, hold: HoldScope): boolean =>
  (scope.kind === 'person') !== (hold.kind === 'person') && scope.kind !== 'message';
