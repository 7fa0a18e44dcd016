import type { Decision, Happened, NewFact } from '../decider.js';
import { emojiOf, reactionOf } from '../emoji.js';
import { isRejection, type Rejection, reject } from '../rejection.js';
import { limits, textProblem } from '../text.js';
import { alreadyRedacted, noSuchMessage, type OnMessage } from './messages.js';
import { silenced } from './moderation.js';
import { covers, findMessage, knowsAll, notCaughtUp } from './older-messages.js';
import { notAllowed, notAMember, roomClosed } from './rights.js';
import type { RoomState } from './state.js';

/** Different emoji among the reactions to one message. Messages from before this limit may have more. */
export const mostReactions = 20;

// Events ------------------------------------------------------------------------------------------------------------

export type ReactionAdded = Happened<'ReactionAdded', { readonly messageId: string; readonly emoji: string }>;
export type ReactionRemoved = Happened<'ReactionRemoved', { readonly messageId: string; readonly emoji: string }>;

export type ReactionEvent = ReactionAdded | ReactionRemoved;

export function evolveReactions(state: RoomState, event: ReactionEvent): RoomState {
  const key = reactionKey(event.data.messageId, event.actor ?? '', event.data.emoji);
  return { ...state, reactions: state.reactions.set(key, event.type === 'ReactionAdded', event.revision) };
}

const reactionKey = (messageId: string, userId: string, emoji: string): string =>
  `${messageId} ${userId} ${reactionOf(emoji)}`;

// Commands ----------------------------------------------------------------------------------------------------------

export type AddReaction = OnMessage & { readonly type: 'AddReaction'; readonly emoji: string };
export type RemoveReaction = OnMessage & { readonly type: 'RemoveReaction'; readonly emoji: string };

export type ReactionCommand = AddReaction | RemoveReaction;

/** The message that a reaction has to look up, if any. */
export function messagesToLookUpForReaction(command: ReactionCommand, state: RoomState): string[] {
  const { messageId, actor, emoji } = command;
  const adding = command.type === 'AddReaction';
  const present = state.reactions.get(reactionKey(messageId, actor.id, emoji));
  // Removing a reaction, or adding one that is there, needs no knowledge of the others.
  const knowsEnough = knowsReactions(messageId, state) || present === true || (present === false && !adding);
  return knowsEnough && knowsAll(messageId, state) ? [] : [messageId];
}

/** Whether the window holds every reaction that the message has ever had. */
function knowsReactions(messageId: string, state: RoomState): boolean {
  const { since } = state.reactions;
  return since < 0n || (state.messages.get(messageId)?.posted?.revision ?? -1n) > since;
}

// Decisions ---------------------------------------------------------------------------------------------------------

type ReactionDecision = Decision<ReactionEvent>;

const accept = (...events: NewFact<ReactionEvent>[]): ReactionDecision => ({ events });

export function react(command: ReactionCommand, state: RoomState, at: string): ReactionDecision {
  const { actor, messageId } = command;
  const member = state.members.get(actor.id);
  if (!member) return notAMember;
  if (state.status === 'closed') return roomClosed;
  if (member.role === 'guest') return notAllowed;
  const adding = command.type === 'AddReaction';
  // Reactions that an earlier release accepted can always be removed.
  const emoji = adding ? emojiOf(command.emoji) : reactionOf(command.emoji);
  if (emoji === null) return reject('Invalid', 'A reaction must be one emoji.');
  const problem = textProblem(emoji, 1, limits.emoji);
  if (problem) return reject('Invalid', `The emoji ${problem}.`);
  const message = findMessage(command, messageId, state);
  if (!message) return noSuchMessage;
  if (isRejection(message)) return message;
  const present = hasReaction(command, state);
  if (typeof present === 'object') return present;
  if (present === adding) return accept();
  if (!adding) return accept({ type: 'ReactionRemoved', data: { messageId, emoji } });
  const held = silenced(actor, state, at);
  if (held) return held;
  if (message.redacted) return alreadyRedacted;
  const reactions = reactionsTo(command, state);
  if (isRejection(reactions)) return reactions;
  if (reactions.size >= mostReactions && !reactions.has(emoji)) return tooManyReactions;
  return accept({ type: 'ReactionAdded', data: { messageId, emoji } });
}

const tooManyReactions = reject(
  'Conflict',
  `A message can have ${mostReactions} different reactions. Use one that is already there.`,
);

function hasReaction({ actor, messageId, emoji, older }: ReactionCommand, state: RoomState): boolean | Rejection {
  const recent = state.reactions.get(reactionKey(messageId, actor.id, emoji));
  if (recent !== undefined || knowsReactions(messageId, state)) return recent ?? false;
  if (!covers(older, messageId, state.reactions.since)) return notCaughtUp;
  const kind = reactionOf(emoji);
  return older.messages.get(messageId)?.reactions.some((one) => one.emoji === kind && one.mine) ?? false;
}

/**
 * The different reactions to a message. One whose last reaction was removed after the look-up may still be included, but not
 * if the actor removed it.
 */
function reactionsTo({ actor, messageId, older }: ReactionCommand, state: RoomState): ReadonlySet<string> | Rejection {
  const found = new Set<string>();
  if (!knowsReactions(messageId, state)) {
    if (!covers(older, messageId, state.reactions.since)) return notCaughtUp;
    const earlier = older.messages.get(messageId)?.reactions ?? [];
    for (const { emoji, count, mine } of earlier) {
      const onlyMine = mine && count === 1;
      const removed = onlyMine && state.reactions.get(reactionKey(messageId, actor.id, emoji)) === false;
      // A message with too many reactions may have some that the look-up left out, so removing one makes no room.
      if (!removed || earlier.length > mostReactions) found.add(emoji);
    }
  }
  const ofMessage = `${messageId} `;
  for (const [key, present] of state.reactions.entries()) {
    if (present && key.startsWith(ofMessage)) found.add(key.slice(key.indexOf(' ', ofMessage.length) + 1));
  }
  return found;
}
