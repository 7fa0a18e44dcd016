import type { Actor, Decision, Happened, NewFact } from '../decider.js';
import { titleProblem } from '../names.js';
import { type Rejection, reject } from '../rejection.js';
import { limits, visibleTextProblem } from '../text.js';
import { type Moderation, moderationLimits, withSlowMode } from './moderation.js';
import { governs, refusal, roomClosed } from './rights.js';
import type { HistoryAccess, RoomSettings, RoomState, Visibility } from './state.js';

// Events ------------------------------------------------------------------------------------------------------------

type SlowMode = Pick<Moderation, 'slowModeSeconds'>;

/** Contains only the changed fields. */
export type RoomChanged = Happened<'RoomChanged', Partial<RoomSettings> & Partial<SlowMode>>;
/** A claim to a name was abandoned, so that another room may take the name. */
export type RoomNameAbandoned = Happened<'RoomNameAbandoned', { readonly claim: string }>;

export type SettingsEvent = RoomChanged | RoomNameAbandoned;

const MOST_ABANDONED_CLAIMS = 8;

export function evolveSettings(state: RoomState, event: SettingsEvent): RoomState {
  switch (event.type) {
    case 'RoomChanged': {
      const { slowModeSeconds, ...settings } = event.data;
      const moderation =
        slowModeSeconds === undefined ? state.moderation : withSlowMode(state.moderation, slowModeSeconds);
      return { ...state, ...settings, moderation };
    }
    case 'RoomNameAbandoned':
      return {
        ...state,
        abandonedClaims: [...state.abandonedClaims, event.data.claim].slice(-MOST_ABANDONED_CLAIMS),
      };
  }
}

// Commands ----------------------------------------------------------------------------------------------------------

interface By {
  readonly actor: Actor;
}

/** `claim` is the claim under which a new name was reserved; `known` are the settings at that time. */
export type ChangeRoom = By & {
  readonly type: 'ChangeRoom';
  readonly claim?: string;
  readonly known?: Pick<RoomSettings, 'name' | 'visibility'>;
  readonly name?: string;
  readonly topic?: string;
  readonly visibility?: Exclude<Visibility, 'direct'>;
  readonly history?: HistoryAccess;
  readonly passwordId?: string | null;
} & Partial<SlowMode>;
export type AbandonRoomName = By & { readonly type: 'AbandonRoomName'; readonly claim: string };

// Decisions ---------------------------------------------------------------------------------------------------------

type SettingsDecision = Decision<SettingsEvent>;

const accept = (...events: NewFact<SettingsEvent>[]): SettingsDecision => ({ events });

export function change(command: ChangeRoom, state: RoomState): SettingsDecision {
  if (state.visibility === 'direct') return reject('NotAllowed', 'A direct room has no settings.');
  if (!governs(command.actor, state)) return refusal(command.actor, state);
  if (state.status === 'closed') return roomClosed;
  if (command.claim && state.abandonedClaims.includes(command.claim)) {
    return reject('Conflict', 'Renaming the room took too long. Try again.');
  }
  const { known, name, topic, visibility, history, passwordId, slowModeSeconds } = command;
  const problem = settingsProblem(command);
  if (problem) return problem;
  const wanted: RoomChanged['data'] = { name, topic, visibility, history, passwordId, slowModeSeconds };
  const present: RoomChanged['data'] = { ...state, slowModeSeconds: state.moderation.slowModeSeconds };
  const changed = Object.entries(wanted).filter(
    ([key, value]) => value !== undefined && value !== present[key as keyof RoomChanged['data']],
  );
  if (changed.length === 0) return accept();
  const outdated = known && (known.name !== state.name || known.visibility !== state.visibility);
  if (outdated && changed.some(([key]) => key === 'name' || key === 'visibility')) {
    return reject('Conflict', 'Somebody else has just changed the room. Try again.');
  }
  return accept({ type: 'RoomChanged', data: Object.fromEntries(changed) as RoomChanged['data'] });
}

export function settingsProblem({
  name,
  topic,
  slowModeSeconds = 0,
}: Pick<ChangeRoom, 'name' | 'topic' | 'slowModeSeconds'>): Rejection | null {
  const most = moderationLimits.slowModeSeconds;
  if (!Number.isInteger(slowModeSeconds) || slowModeSeconds < 0 || slowModeSeconds > most)
    return reject('Invalid', `Slow mode must be 0 to ${most} seconds.`);
  // A name of nothing but spaces counts as empty.
  const problem = name === undefined ? null : titleProblem(name.trim() && name, limits.roomName);
  if (problem) return reject('Invalid', `The name ${problem}.`);
  const topicProblem = topic === undefined ? null : visibleTextProblem(topic, 0, limits.roomTopic);
  return topicProblem ? reject('Invalid', `The topic ${topicProblem}.`) : null;
}

/** A closed room takes no names, so there a claim fails without an event. */
export function abandonName({ claim }: AbandonRoomName, state: RoomState): SettingsDecision {
  if (state.status === 'closed' || state.abandonedClaims.includes(claim)) return accept();
  return accept({ type: 'RoomNameAbandoned', data: { claim } });
}
