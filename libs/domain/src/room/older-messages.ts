import { type Rejection, reject } from '../rejection.js';
import type { MessageFacts, RoomState } from './state.js';

// A room's state contains its recent messages only. A command about an older one carries what a read model knows of it.

/** What a read model knows of messages older than the window. It travels inside the command. */
export interface OlderMessages {
  /** Every event of the room up to this revision is included. */
  readonly through: bigint;
  /** The ids that were looked up; the others are unknown. */
  readonly asked: ReadonlySet<string>;
  readonly messages: ReadonlyMap<string, MessageFacts & { readonly reactions: readonly ReactionCount[] }>;
}

/** How many people reacted to a message with one emoji, at least one, and whether the person who looked it up is among them. */
export interface ReactionCount {
  readonly emoji: string;
  readonly count: number;
  readonly mine: boolean;
}

/** Whether the window alone is enough to say everything about a message, including that it does not exist. */
export const knowsAll = (messageId: string, state: RoomState): boolean =>
  state.messages.since < 0n || state.messages.get(messageId)?.posted !== undefined;

/** Whether the id of a new message may have been used before. */
export const maybeUsed = (messageId: string, state: RoomState): boolean =>
  state.messages.get(messageId) !== undefined || maybeForgotten(messageId, state);

/**
 * Whether an id that is not in the window may have been used before it. A UUIDv7 later than every forgotten one cannot,
 * even if the clock that made it was wrong, so fresh ids need no look-up.
 */
function maybeForgotten(messageId: string, state: RoomState): boolean {
  if (state.messages.since < 0n) return false;
  const time = uuidTime(messageId);
  return time === null || time <= state.forgottenIdTime;
}

/** Milliseconds since 1970 that a UUIDv7 carries (RFC 9562, section 5.7), or null for other ids. */
export function uuidTime(id: string): number | null {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : null;
}

/** The message as of the head of the stream; undefined if there is none; a rejection if that is not known yet. */
export function findMessage(
  { older }: { readonly older?: OlderMessages },
  messageId: string,
  state: RoomState,
): MessageFacts | undefined | Rejection {
  const recent = state.messages.get(messageId);
  if (knowsAll(messageId, state)) return recent;
  if (!covers(older, messageId, state.messages.since)) return notCaughtUp;
  const old = older.messages.get(messageId);
  return old && recent ? { ...old, ...recent } : (old ?? recent);
}

/** A look-up is valid only if it included this id and everything up to the start of the window. */
export const covers = (older: OlderMessages | undefined, messageId: string, since: bigint): older is OlderMessages =>
  older !== undefined && older.through >= since && older.asked.has(messageId);

export const notCaughtUp = reject('Unavailable', 'The read models have not caught up with this room yet.');
