import type { Actor, Decision, Erasable, Happened, NewFact } from '../decider.js';
import { CLOCK_TOLERANCE_MS } from '../event-time.js';
import { PersistentMap } from '../persistent-map.js';
import { isRejection, type Rejection, reject } from '../rejection.js';
import { fingerprint, limits, visibleTextProblem } from '../text.js';
import {
  governs,
  isLastOwner,
  lastOwner,
  type Membership,
  moderates,
  notAllowed,
  notAMember,
  notThere,
  outranks,
  rank,
  rankOf,
  refusal,
  roomClosed,
} from './rights.js';

// Events ------------------------------------------------------------------------------------------------------------

/** Times are RFC 3339, UTC, milliseconds; a ban without end has none. */
export type MemberBanned = Happened<
  'MemberBanned',
  { readonly userId: string; readonly until: string | null; readonly reason: Erasable }
>;
export type MemberUnbanned = Happened<'MemberUnbanned', { readonly userId: string }>;
export type MemberMuted = Happened<
  'MemberMuted',
  { readonly userId: string; readonly until: string; readonly reason: Erasable }
>;
export type MemberUnmuted = Happened<'MemberUnmuted', { readonly userId: string }>;
/** A member reports a message to the moderators. */
export type MessageReported = Happened<
  'MessageReported',
  { readonly reportId: string; readonly messageId: string; readonly reason: Erasable }
>;
export type ReportOutcome = 'dismissed' | 'acted';
export type ReportSettled = Happened<
  'ReportSettled',
  { readonly reportId: string; readonly outcome: ReportOutcome; readonly note: Erasable }
>;
/** What an administrator or auditor who is not in the room started to read. */
export type Inspected =
  | 'messages'
  | 'events'
  | 'members'
  | 'search'
  | 'live'
  | 'bans'
  | 'reports'
  | 'replay'
  | 'proof'
  | 'export';
export type RoomInspected = Happened<'RoomInspected', { readonly what: Inspected; readonly reason: Erasable }>;

export type ModerationEvent =
  | MemberBanned
  | MemberUnbanned
  | MemberMuted
  | MemberUnmuted
  | MessageReported
  | ReportSettled
  | RoomInspected;

// State -------------------------------------------------------------------------------------------------------------

/** What is in force in a room. All of it is bounded: see `moderationLimits`. */
export interface Moderation {
  /** Seconds that members wait from one message to the next; 0: slow mode is off. */
  readonly slowModeSeconds: number;
  /** When people subject to slow mode last posted; empty while it is off. */
  readonly lastPosts: LastPosts;
  /** Until when people are banned; null: permanently. May include expired bans. */
  readonly bans: PersistentMap<string | null>;
  /** Until when people are muted, in the room or not. May include expired mutes. */
  readonly mutes: PersistentMap<string>;
  /** Unsettled reports, by id. */
  readonly reports: PersistentMap<OpenReport>;
  /** The latest reads, so that continued reading is not recorded again. */
  readonly inspections: readonly Inspection[];
}

/** The part of a room's state that the rules of moderation need. */
export interface ModeratedRoom extends Membership {
  readonly status: string;
  readonly visibility: string;
  readonly moderation: Moderation;
}

export interface OpenReport {
  readonly messageId: string;
  readonly by: string;
}

export interface Inspection {
  readonly by: string;
  readonly what: Inspected;
  /** Fingerprint of the reason. */
  readonly reason: number;
  readonly at: string;
}

/** Milliseconds since 1970 by person: those of the current interval of `slowModeSeconds`, and of the one before. */
export interface LastPosts {
  readonly since: number;
  readonly young: PersistentMap<number>;
  readonly old: PersistentMap<number>;
}

export const moderationLimits = {
  /** Bans in force at a time. */
  bans: 10_000,
  /** Mutes in force at a time. */
  mutes: 1_000,
  slowModeSeconds: 3_600,
  /** Open reports of a room, and of one person in it. */
  reports: 1_000,
  reportsOfOne: 50,
  /** Milliseconds in which one person's reads for one reason are recorded once, and how many reads are remembered. */
  inspectionSpan: 600_000,
  inspections: 32,
} as const;

const noPosts: LastPosts = { since: 0, young: PersistentMap.empty, old: PersistentMap.empty };

export const noModeration: Moderation = {
  slowModeSeconds: 0,
  lastPosts: noPosts,
  bans: PersistentMap.empty,
  mutes: PersistentMap.empty,
  reports: PersistentMap.empty,
  inspections: [],
};

export function evolveModeration(state: Moderation, event: ModerationEvent): Moderation {
  switch (event.type) {
    case 'MemberBanned': {
      const { userId, until } = event.data;
      return { ...state, bans: inForce(state.bans, moderationLimits.bans, event.at).set(userId, until) };
    }
    case 'MemberUnbanned':
      return { ...state, bans: state.bans.delete(event.data.userId) };
    case 'MemberMuted': {
      const { userId, until } = event.data;
      return { ...state, mutes: inForce(state.mutes, moderationLimits.mutes, event.at).set(userId, until) };
    }
    case 'MemberUnmuted':
      return { ...state, mutes: state.mutes.delete(event.data.userId) };
    case 'MessageReported': {
      const { reportId, messageId } = event.data;
      return { ...state, reports: state.reports.set(reportId, { messageId, by: event.actor ?? '' }) };
    }
    case 'ReportSettled':
      return { ...state, reports: state.reports.delete(event.data.reportId) };
    case 'RoomInspected': {
      const { what, reason } = event.data;
      const latest = { by: event.actor ?? '', what, reason: fingerprint(reason ?? ''), at: event.at };
      return { ...state, inspections: [...state.inspections, latest].slice(-moderationLimits.inspections) };
    }
  }
}

/** Expired ones are dropped when there is no space for others. */
function inForce<T extends string | null>(all: PersistentMap<T>, most: number, at: string): PersistentMap<T> {
  if (all.size < most) return all;
  return PersistentMap.from([...all.entries()].filter(([, until]) => until === null || until > at));
}

export const withSlowMode = (state: Moderation, slowModeSeconds: number): Moderation => ({
  ...state,
  slowModeSeconds,
  lastPosts: slowModeSeconds > 0 ? state.lastPosts : noPosts,
});

/** Records that a person has posted, while slow mode is on. Posts before the previous interval are dropped. */
export function withPost(state: Moderation, by: string, at: string): Moderation {
  const time = Date.parse(at);
  const { since, young, old } = state.lastPosts;
  if (Math.abs(time - since) <= state.slowModeSeconds * 1_000) {
    return { ...state, lastPosts: { since, young: young.set(by, time), old } };
  }
  const begun = (PersistentMap.empty as PersistentMap<number>).set(by, time);
  return { ...state, lastPosts: { since: time, young: begun, old: young } };
}

// Commands ----------------------------------------------------------------------------------------------------------

interface By {
  readonly actor: Actor;
}
interface OnPerson extends By {
  readonly userId: string;
}
/** Members are removed from the room. Banning again changes the end of the ban. */
export type BanMember = OnPerson & {
  readonly type: 'BanMember';
  readonly reason: string | null;
  readonly until: string | null;
};
export type UnbanMember = OnPerson & { readonly type: 'UnbanMember' };
export type MuteMember = OnPerson & {
  readonly type: 'MuteMember';
  readonly reason: string | null;
  readonly until: string;
};
export type UnmuteMember = OnPerson & { readonly type: 'UnmuteMember' };
export type SettleReport = By & {
  readonly type: 'SettleReport';
  readonly reportId: string;
  readonly outcome: ReportOutcome;
  readonly note: string | null;
};
/** Precedes a read by a person who may read the room without being in it. */
export type InspectRoom = By & {
  readonly type: 'InspectRoom';
  readonly what: Inspected;
  readonly reason: string;
};

export type ModerationCommand = BanMember | UnbanMember | MuteMember | UnmuteMember | SettleReport | InspectRoom;

// Decisions ---------------------------------------------------------------------------------------------------------

type Removal = Happened<'MemberRemoved', { readonly userId: string; readonly reason: Erasable }>;
type ModerationDecision = Decision<ModerationEvent | Removal>;

const accept = (...events: NewFact<ModerationEvent | Removal>[]): ModerationDecision => ({ events });

export function moderate(command: ModerationCommand, state: ModeratedRoom, at: string): ModerationDecision {
  switch (command.type) {
    case 'BanMember':
      return ban(command, state, at);
    case 'UnbanMember':
      return unban(command, state, at);
    case 'MuteMember':
      return mute(command, state, at);
    case 'UnmuteMember':
      return unmute(command, state, at);
    case 'SettleReport':
      return settle(command, state);
    case 'InspectRoom':
      return inspect(command, state, at);
  }
}

function ban({ actor, userId, reason, until }: BanMember, state: ModeratedRoom, at: string): ModerationDecision {
  const refused = mayNotRestrain(actor, userId, state) ?? untilProblem(until, at) ?? reasonProblem(reason);
  if (refused) return refused;
  if (isLastOwner(userId, state)) return lastOwner;
  const { bans } = state.moderation;
  if (isBanned(userId, state, at) && bans.get(userId) === until) return accept();
  if (isFull(bans, userId, moderationLimits.bans, at)) {
    return reject('Conflict', `A room has at most ${moderationLimits.bans} bans. Lift some of them first.`);
  }
  const banned = { type: 'MemberBanned', data: { userId, until, reason } } as const;
  // The ban comes first, so that the person still receives it.
  return state.members.has(userId)
    ? accept(banned, { type: 'MemberRemoved', data: { userId, reason } })
    : accept(banned);
}

function unban({ actor, userId }: UnbanMember, state: ModeratedRoom, at: string): ModerationDecision {
  const refused = mayNotRestrain(actor, userId, state);
  if (refused) return refused;
  return isBanned(userId, state, at) ? accept({ type: 'MemberUnbanned', data: { userId } }) : accept();
}

function mute({ actor, userId, reason, until }: MuteMember, state: ModeratedRoom, at: string): ModerationDecision {
  const refused = mayNotRestrain(actor, userId, state) ?? untilProblem(until, at) ?? reasonProblem(reason);
  if (refused) return refused;
  if (!state.members.has(userId)) return notThere;
  const { mutes } = state.moderation;
  if (mutes.get(userId) === until) return accept();
  if (isFull(mutes, userId, moderationLimits.mutes, at)) {
    return reject('Conflict', `A room has at most ${moderationLimits.mutes} mutes. Lift some of them first.`);
  }
  return accept({ type: 'MemberMuted', data: { userId, until, reason } });
}

function unmute({ actor, userId }: UnmuteMember, state: ModeratedRoom, at: string): ModerationDecision {
  const refused = mayNotRestrain(actor, userId, state);
  if (refused) return refused;
  return mutedUntil(userId, state, at) ? accept({ type: 'MemberUnmuted', data: { userId } }) : accept();
}

/** Who may ban, mute, and lift either. */
function mayNotRestrain(actor: Actor, userId: string, state: ModeratedRoom): Rejection | null {
  if (state.visibility === 'direct') return reject('NotAllowed', 'A direct room has nobody who moderates it.');
  if (!moderates(actor, state)) return refusal(actor, state);
  if (state.status === 'closed') return roomClosed;
  if (userId === actor.id && !governs(actor, state)) return notAllowed;
  return userId === actor.id || outranks(actor, userId, state) ? null : notAllowed;
}

function untilProblem(until: string | null, at: string): Rejection | null {
  return until !== null && until <= at ? reject('Invalid', 'The time until which it holds has passed.') : null;
}

/** Counting those in force checks each one, so it is done only if there may be too many. */
function isFull<T extends string | null>(all: PersistentMap<T>, userId: string, most: number, at: string): boolean {
  if (all.size < most || all.has(userId)) return false;
  return inForce(all, most, at).size >= most;
}

interface Report extends By {
  readonly messageId: string;
  readonly reportId: string;
  readonly reason: string;
}

/** `message` is the reported one, if it was found. */
export function report(
  { actor, messageId, reportId, reason }: Report,
  message: { readonly author: string; readonly redacted: boolean } | undefined | Rejection,
  state: ModeratedRoom,
): ModerationDecision {
  if (!state.members.has(actor.id)) return notAMember;
  if (!message) return reject('NotFound', 'There is no such message in this room.');
  if (isRejection(message)) return message;
  if (message.author === actor.id) return reject('NotAllowed', 'Nobody reports a message of their own.');
  if (openReport(state, messageId, actor.id)) return accept();
  if (message.redacted) return reject('Conflict', 'The message was redacted.');
  const problem = visibleTextProblem(reason, 1, limits.reason);
  if (problem) return reject('Invalid', `The reason ${problem}.`);
  const open = [...state.moderation.reports.entries()];
  const own = open.filter(([, { by }]) => by === actor.id).length;
  if (own >= moderationLimits.reportsOfOne || open.length >= moderationLimits.reports) {
    return reject('Conflict', 'Too many reports are waiting in this room. Try again when some have been settled.');
  }
  return accept({ type: 'MessageReported', data: { reportId, messageId, reason } });
}

/** The id of a person's unsettled report of a message. */
export function openReport(state: ModeratedRoom, messageId: string, userId: string): string | undefined {
  for (const [id, open] of state.moderation.reports.entries()) {
    if (open.messageId === messageId && open.by === userId) return id;
  }
  return undefined;
}

/** Also in a closed room, whose messages stay. */
function settle({ actor, reportId, outcome, note }: SettleReport, state: ModeratedRoom): ModerationDecision {
  if (!moderates(actor, state)) return refusal(actor, state);
  if (!state.moderation.reports.has(reportId)) return reject('NotFound', 'No such report is open in this room.');
  const problem = reasonProblem(note);
  if (problem) return problem;
  return accept({ type: 'ReportSettled', data: { reportId, outcome, note } });
}

/** Also in a closed room. Members need no reason. */
function inspect({ actor, what, reason }: InspectRoom, state: ModeratedRoom, at: string): ModerationDecision {
  if (actor.role !== 'admin' && actor.role !== 'auditor') return notAllowed;
  if (state.members.has(actor.id)) return accept();
  const problem = visibleTextProblem(reason, 1, limits.reason);
  if (problem) return reject('Invalid', `The reason ${problem}.`);
  const same = fingerprint(reason);
  const recorded = state.moderation.inspections.some(
    (one) =>
      one.by === actor.id &&
      one.reason === same &&
      covers(one.what, what) &&
      Math.abs(Date.parse(at) - Date.parse(one.at)) < moderationLimits.inspectionSpan,
  );
  return recorded ? accept() : accept({ type: 'RoomInspected', data: { what, reason } });
}

/** Continued reading of a room is one read, in whichever list; searches, replays, proofs and exports are recorded on their own. */
const covers = (recorded: Inspected, what: Inspected): boolean =>
  recorded === what || !(apart.has(recorded) || apart.has(what));
const apart: ReadonlySet<Inspected> = new Set(['search', 'replay', 'proof', 'export']);

export function reasonProblem(reason: string | null): Rejection | null {
  const problem = reason === null ? null : visibleTextProblem(reason, 0, limits.reason);
  return problem ? reject('Invalid', `The reason ${problem}.`) : null;
}

// What is in force ----------------------------------------------------------------------------------------------------

/** Whether a person is banned at a time. */
export function isBanned(userId: string, { moderation }: ModeratedRoom, at: string): boolean {
  const until = moderation.bans.get(userId);
  return until !== undefined && (until === null || until > at);
}

/** Until when a person is muted, or null if they are not at this time. */
export function mutedUntil(userId: string, { moderation }: ModeratedRoom, at: string): string | null {
  const until = moderation.mutes.get(userId);
  return until !== undefined && until > at ? until : null;
}

/** Why a person may not post because of a mute, or null. */
export function silenced({ id }: Actor, state: ModeratedRoom, at: string): Rejection | null {
  if (state.moderation.mutes.size === 0) return null;
  const until = mutedUntil(id, state, at);
  return until === null ? null : reject('NotAllowed', `You are muted in this room until ${until}.`);
}

/** Why a person has to wait before posting again, or null. */
export function slowedDown(actor: Actor, state: ModeratedRoom, at: string): Rejection | null {
  const { slowModeSeconds, lastPosts } = state.moderation;
  if (slowModeSeconds === 0 || rankOf(actor, state) >= rank.moderator) return null;
  const last = lastPosts.young.get(actor.id) ?? lastPosts.old.get(actor.id);
  if (last === undefined) return null;
  const span = slowModeSeconds * 1_000;
  const passed = Date.parse(at) - last;
  // A post from the future was recorded by a clock that was wrong.
  if (passed >= span || passed < -CLOCK_TOLERANCE_MS) return null;
  const detail = `In this room one message may follow another after ${slowModeSeconds} s.`;
  return reject('TooSoon', detail, Math.min(span - passed, span));
}
