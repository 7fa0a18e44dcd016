import { type Rejection, reject } from './rejection.js';
import { textProblem } from './text.js';

// A chat of two people without accounts that leaves nothing behind. It is no stream of events: its state is kept where it
// can be deleted, and these rules say how it changes.

export type ChatStatus = 'draft' | 'ready' | 'closed';
/** The two who take part: who opened the chat, and who came with the invitation code. */
export type ChatSide = 'creator' | 'joiner';

/** What the chat itself tells its participants. The wording is up to the door. */
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
  /** When the second person came; null before. */
  readonly readyAt: number | null;
  readonly closedAt: number | null;
  /** When each participant last asked for messages; who is not in here does not take part. */
  readonly seenAt: Readonly<Partial<Record<ChatSide, number>>>;
}

/** What is to happen to a chat, in one step. */
export interface ChatChange {
  readonly status: ChatStatus;
  /** Why the status changes, for the statistics; null: it does not. */
  readonly because: ChatTurn | null;
  /** Whether everything that was not delivered is erased first. */
  readonly eraseFirst: boolean;
  readonly notes: readonly { readonly to: ChatSide; readonly note: ChatNote }[];
  readonly texts: readonly { readonly to: ChatSide; readonly text: string }[];
}

/** The turns in the life of a chat that are counted. */
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
  /** A participant who has not asked for messages for so long has left. */
  silenceMs: 72_000,
  /** How long after a chat was closed the other participant can still read what was said last. */
  farewellMs: 60_000,
} as const;

const nothing = { because: null, eraseFirst: false, notes: [], texts: [] } as const;

export const openChat: ChatChange = {
  ...nothing,
  status: 'draft',
  because: 'opened',
  notes: [{ to: 'creator', note: 'welcome' }],
};

/** Somebody comes with the invitation code. It lets in one person, once. */
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

/** A participant says something to the other. `waiting`: how many texts the other has not confirmed. All or nothing. */
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
 * Ends a chat whose other participant has been silent for too long, seen by `reader`. A participant has at least that long from
 * the moment both are there, and from `hearingSince`, when the service began to hear those who ask. Null: there is no reason to.
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

/** Ends a chat whose two participants have both been silent for too long. Null: there is no reason to. */
export function closeIfAbandoned(chat: EphemeralChat, now: number, hearingSince: number): ChatChange | null {
  const silent = (['creator', 'joiner'] as const).every((side) => closeIfSilent(chat, side, now, hearingSince));
  // Whoever comes back soon can still read what was said last.
  return silent ? { ...closingForAll(chat, 'silent'), eraseFirst: false } : null;
}

/** Ends a chat that is older than a day: what was not delivered is erased. Null: it is not, or has ended. */
export function closeIfOld(chat: EphemeralChat, now: number): ChatChange | null {
  if (chat.status === 'closed' || now - chat.openedAt < ephemeralChatLimits.ageMs) return null;
  return closingForAll(chat, 'aged');
}

/** Ends a chat on behalf of those who run the service. Null: it has ended before. */
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
