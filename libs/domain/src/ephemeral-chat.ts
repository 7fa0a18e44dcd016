import { type Rejection, reject } from './rejection.js';
import { textProblem } from './text.js';

// A chat of two people without accounts that leaves nothing behind. It is not a stream of events: its state is stored where it
// can be deleted, and changes by these rules.

export type ChatStatus = 'draft' | 'ready' | 'closed';
/** The two participants: the one who opened the chat, and the one who joined with the invitation code. */
export type ChatSide = 'creator' | 'joiner';

/** What the chat itself reports to its participants. The door chooses the wording. */
export type ChatNote =
  | 'welcome'
  | 'other-joined'
  | 'you-joined'
  | 'you-closed'
  | 'other-closed'
  | 'closed-automatically';

/** All times in milliseconds since 1970. */
export interface EphemeralChat {
  readonly status: ChatStatus;
  readonly openedAt: number;
  /** When the second person joined; null before. */
  readonly readyAt: number | null;
  readonly closedAt: number | null;
  /** When each participant last polled for messages; participants only. */
  readonly seenAt: Readonly<Partial<Record<ChatSide, number>>>;
}

/** The changes to a chat in one step. */
export interface ChatChange {
  readonly status: ChatStatus;
  /** Why the status changes, for the statistics; null: it does not. */
  readonly because: ChatTurn | null;
  /** Whether all undelivered texts are erased first. */
  readonly eraseFirst: boolean;
  readonly notes: readonly { readonly to: ChatSide; readonly note: ChatNote }[];
  readonly texts: readonly { readonly to: ChatSide; readonly text: string }[];
}

/** The status changes of a chat that are counted. */
export type ChatTurn = 'opened' | 'joined' | 'left' | 'silent' | 'aged' | 'ended';

export const ephemeralChatLimits = {
  /** Unicode code points of a text. */
  text: 144,
  /** Texts in one step. */
  textsAtOnce: 50,
  /** Texts waiting for one participant. */
  waiting: 200,
  /** A chat ends after a day. */
  ageMs: 86_400_000,
  /** A participant who has not polled for this long has left. */
  silenceMs: 72_000,
  /** How long after a chat is closed the other participant can still read the last texts. */
  farewellMs: 60_000,
} as const;

const nothing = { because: null, eraseFirst: false, notes: [], texts: [] } as const;

export const openChat: ChatChange = {
  ...nothing,
  status: 'draft',
  because: 'opened',
  notes: [{ to: 'creator', note: 'welcome' }],
};

/** A person joins with the invitation code, which admits one person, once. */
export function joinChat(chat: EphemeralChat): ChatChange | Rejection {
  if (chat.status !== 'draft' || chat.seenAt.joiner !== undefined) return reject('NotFound', 'Invalid code.');
  return {
    ...nothing,
    status: 'ready',
    because: 'joined',
    notes: [
      { to: 'creator', note: 'other-joined' },
      { to: 'joiner', note: 'you-joined' },
    ],
  };
}

/** A participant sends texts to the other, all or none. `waiting`: how many texts the other has not confirmed. */
export function sayInChat(
  { status }: EphemeralChat,
  from: ChatSide,
  texts: readonly string[],
  waiting: number,
): ChatChange | Rejection {
  const { textsAtOnce, text: longest, waiting: mostWaiting } = ephemeralChatLimits;
  if (status === 'closed') return reject('Unauthenticated', 'The chat is closed.');
  if (status === 'draft') return reject('Invalid', 'There is nobody yet to say it to.');
  if (texts.length === 0) return reject('Invalid', 'There is nothing to say.');
  if (texts.length > textsAtOnce) return reject('Invalid', `At most ${textsAtOnce} texts can be sent at once.`);
  for (const text of texts) {
    const problem = textProblem(text, 1, longest);
    if (problem) return reject('Invalid', `A text ${problem}.`);
  }
  if (waiting + texts.length > mostWaiting)
    return reject('TooSoon', 'The other has not received what was said before.', 1_000);
  const to = otherSide(from);
  return { ...nothing, status, texts: texts.map((text) => ({ to, text })) };
}

/** A participant leaves, which ends the chat. Null: it has ended before. */
export function leaveChat(chat: EphemeralChat, who: ChatSide): ChatChange | null {
  return chat.status === 'closed' ? null : closing(chat, who, 'left');
}

/**
 * Ends a chat in which the participant other than `reader` has been silent for too long. Silence counts at the earliest from
 * when both had joined, and from `hearingSince`, when the service became reachable. Null if it does not end.
 */
export function closeIfSilent(
  chat: EphemeralChat,
  reader: ChatSide,
  now: number,
  hearingSince: number,
): ChatChange | null {
  const other = otherSide(reader);
  if (chat.status !== 'ready') return null;
  const heard = Math.max(chat.seenAt[other] ?? 0, chat.readyAt ?? 0, hearingSince);
  return now - heard > ephemeralChatLimits.silenceMs ? closing(chat, other, 'silent') : null;
}

/** Ends a chat whose participants have both been silent for too long. Null if it does not end. */
export function closeIfAbandoned(chat: EphemeralChat, now: number, hearingSince: number): ChatChange | null {
  const silent = (['creator', 'joiner'] as const).every((side) => closeIfSilent(chat, side, now, hearingSince));
  // A participant who returns soon can still read the last texts.
  return silent ? { ...closingForAll(chat, 'silent'), eraseFirst: false } : null;
}

/** Ends a chat that is older than a day, and erases undelivered texts. Null if it is younger or has ended. */
export function closeIfOld(chat: EphemeralChat, now: number): ChatChange | null {
  if (chat.status === 'closed' || now - chat.openedAt < ephemeralChatLimits.ageMs) return null;
  return closingForAll(chat, 'aged');
}

/** Ends a chat on behalf of the operator. Null if it has ended before. */
export function endChat(chat: EphemeralChat): ChatChange | null {
  return chat.status === 'closed' ? null : closingForAll(chat, 'ended');
}

export const otherSide = (side: ChatSide): ChatSide => (side === 'creator' ? 'joiner' : 'creator');

const participants = ({ seenAt }: EphemeralChat): ChatSide[] => Object.keys(seenAt) as ChatSide[];

function closing(chat: EphemeralChat, closer: ChatSide, because: ChatTurn): ChatChange {
  const notes = participants(chat).map((to) => ({ to, note: to === closer ? 'you-closed' : 'other-closed' }) as const);
  return { ...nothing, status: 'closed', because, notes };
}

function closingForAll(chat: EphemeralChat, because: ChatTurn): ChatChange {
  const notes = participants(chat).map((to) => ({ to, note: 'closed-automatically' }) as const);
  return { ...nothing, status: 'closed', because, eraseFirst: true, notes };
}
