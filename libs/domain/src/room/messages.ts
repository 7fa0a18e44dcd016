import type { Actor, Decision, Erasable, Happened, NewFact } from '../decider.js';
import { isRejection, type Rejection, reject } from '../rejection.js';
import { fingerprint, limits, visibleTextProblem } from '../text.js';
import type { Importable } from './imports.js';
import { broughtBack, type MemberJoined } from './membership.js';
import { reasonProblem, silenced, slowedDown, withPost } from './moderation.js';
import { findMessage, knowsAll, maybeUsed, type OlderMessages, uuidTime } from './older-messages.js';
import { moderates, notAllowed, notAMember, roomClosed } from './rights.js';
import type { MessageFacts, RoomState } from './state.js';

// Events ------------------------------------------------------------------------------------------------------------

/** `action` is a message in the third person, like IRC's `/me`: the text follows the author's name. */
export type MessageKind = 'text' | 'action';
export type MessagePosted = Happened<
  'MessagePosted',
  {
    readonly messageId: string;
    readonly text: Erasable;
    readonly replyTo: string | null;
    readonly kind: MessageKind;
  } & Importable
>;
export type MessageEdited = Happened<'MessageEdited', { readonly messageId: string; readonly text: Erasable }>;
export type MessageRedacted = Happened<
  'MessageRedacted',
  { readonly messageId: string; readonly authorId: string; readonly reason: Erasable }
>;

/**
 * The texts of one message are being erased. Processes that have folded this event use new keys for the room, so that later
 * texts are not sealed with a key that is about to be destroyed.
 */
export type TextsErased = Happened<'TextsErased', { readonly messageId: string; readonly erasureId: string }>;

export type MessageEvent = MessagePosted | MessageEdited | MessageRedacted | TextsErased;

const messageEvents: { readonly [T in MessageEvent['type']]: true } = {
  MessagePosted: true,
  MessageEdited: true,
  MessageRedacted: true,
  TextsErased: true,
};

export const isMessageEvent = (event: { readonly type: string }): event is MessageEvent =>
  Object.hasOwn(messageEvents, event.type);

/** Identifies what was posted, to recognize a repeated post under the same id. Read models store it with the message. */
export const contentFingerprint = (content: { text: Erasable; replyTo: string | null; kind: MessageKind }): number =>
  fingerprint(`${content.kind}\n${content.replyTo ?? ''}\n${content.text ?? ''}`);

export function evolveMessages(state: RoomState, event: MessageEvent): RoomState {
  const { messageId } = event.data;
  switch (event.type) {
    case 'MessagePosted': {
      const facts = {
        author: event.actor ?? '',
        posted: {
          revision: event.revision,
          fingerprint: event.data.text === null ? null : contentFingerprint(event.data),
        },
        textRevision: event.revision,
        redacted: false,
      };
      const { moderation } = state;
      if (moderation.slowModeSeconds === 0 || event.actor === null) return withMessage(state, messageId, facts);
      return withMessage({ ...state, moderation: withPost(moderation, event.actor, event.at) }, messageId, facts);
    }
    case 'MessageEdited': {
      const facts = state.messages.get(messageId) ?? { author: event.actor ?? '', redacted: false };
      return withMessage(state, messageId, { ...facts, textRevision: event.revision });
    }
    case 'MessageRedacted': {
      const facts = state.messages.get(messageId) ?? { author: event.data.authorId, textRevision: -1n };
      return withMessage(state, messageId, { ...facts, redacted: true });
    }
    case 'TextsErased': {
      const facts = state.messages.get(messageId);
      if (!facts?.posted) return state;
      // The fingerprint would let one check a guess at the text.
      return withMessage(state, messageId, { ...facts, posted: { ...facts.posted, fingerprint: null } });
    }
  }
}

function withMessage(state: RoomState, messageId: string, facts: MessageFacts): RoomState {
  let forgottenIdTime = state.forgottenIdTime;
  const messages = state.messages.set(messageId, facts, state.revision, (gone) => {
    forgottenIdTime = Math.max(forgottenIdTime, uuidTime(gone) ?? 0);
  });
  return { ...state, messages, forgottenIdTime };
}

// Commands ----------------------------------------------------------------------------------------------------------

/** A command about one message of the room. */
export interface OnMessage {
  readonly actor: Actor;
  readonly messageId: string;
  readonly older?: OlderMessages;
}

export type PostMessage = OnMessage & {
  readonly type: 'PostMessage';
  readonly text: string;
  readonly replyTo: string | null;
  readonly kind: MessageKind;
} & Importable;
export type EditMessage = OnMessage & { readonly type: 'EditMessage'; readonly text: string };
export type RedactMessage = OnMessage & { readonly type: 'RedactMessage'; readonly reason: string | null };

/** By the service, for an administrator. */
export type EraseTexts = OnMessage & { readonly type: 'EraseTexts'; readonly erasureId: string };

export type MessageCommand = PostMessage | EditMessage | RedactMessage | EraseTexts;

/** The decision for each command. */
const decisions: {
  readonly [C in MessageCommand as C['type']]: (command: C, state: RoomState, at: string) => MessageDecision;
} = { PostMessage: post, EditMessage: edit, RedactMessage: redact, EraseTexts: erase };

export const isMessageCommand = (command: { readonly type: string }): command is MessageCommand =>
  Object.hasOwn(decisions, command.type);

export function decideMessage(command: MessageCommand, state: RoomState, at: string): MessageDecision {
  const decide = decisions[command.type] as (command: MessageCommand, state: RoomState, at: string) => MessageDecision;
  return decide(command, state, at);
}

/** Ids that posting has to look up: its own if it may have been used before, and the message it replies to. */
export function messagesToLookUpForPost({ messageId, replyTo }: PostMessage, state: RoomState): string[] {
  const wanted: string[] = [];
  if (maybeUsed(messageId, state) && !knowsAll(messageId, state)) wanted.push(messageId);
  if (replyTo && !knowsAll(replyTo, state)) wanted.push(replyTo);
  return wanted;
}

// Decisions ---------------------------------------------------------------------------------------------------------

type MessageDecision = Decision<MessageEvent | MemberJoined>;

const accept = (...events: NewFact<MessageEvent | MemberJoined>[]): MessageDecision => ({ events });

export const noSuchMessage = reject('NotFound', 'There is no such message in this room.');
export const alreadyRedacted = reject('Conflict', 'The message was redacted.');

function post(command: PostMessage, state: RoomState, at: string): MessageDecision {
  const { actor, messageId, text, replyTo, kind, imported } = command;
  const member = state.members.get(actor.id);
  if (!member) return notAMember;
  const earlier = maybeUsed(messageId, state) ? findMessage(command, messageId, state) : undefined;
  if (earlier) return isRejection(earlier) ? earlier : repeated(command, earlier);
  const barred = mayNotPost(actor, state);
  if (barred) return barred;
  const held = imported ? null : (silenced(actor, state, at) ?? slowedDown(actor, state, at));
  if (held) return held;
  const problem = visibleTextProblem(text, 1, limits.messageText);
  if (problem) return reject('Invalid', `The text ${problem}.`);
  if (replyTo !== null) {
    const parent = findMessage(command, replyTo, state);
    if (!parent) return reject('NotFound', 'The message replied to is not in this room.');
    if (isRejection(parent)) return parent;
  }
  const content = { kind, messageId, replyTo, text };
  const posted = { type: 'MessagePosted', data: imported ? { imported, ...content } : content } as const;
  // A message brings back the other person of a direct room, who would otherwise never see it.
  return state.pair.length === 0 ? accept(posted) : accept(...broughtBack(state.pair, state), posted);
}

/** Whether a person could post now, or could after a wait. Decides whose typing is announced. */
export const maySpeak = (actor: Actor, state: RoomState, at: string): boolean =>
  !mayNotPost(actor, state) && !silenced(actor, state, at);

function mayNotPost({ id }: Actor, { members, status }: RoomState): Rejection | null {
  const member = members.get(id);
  if (!member) return notAMember;
  if (status === 'closed') return roomClosed;
  return member.role === 'guest' ? reject('NotAllowed', 'Guests of this room may only read.') : null;
}

/** Posting the same again changes nothing. If the first content is gone, the author is trusted. */
function repeated(command: PostMessage, earlier: MessageFacts): MessageDecision {
  const first = earlier.posted;
  const same =
    earlier.redacted || !first || first.fingerprint === null || first.fingerprint === contentFingerprint(command);
  if (earlier.author === command.actor.id && same) return { events: [], earlier: first?.revision };
  return reject('DuplicateId', 'This message id was used before with other content.');
}

function edit(command: EditMessage, state: RoomState, at: string): MessageDecision {
  const { actor, messageId, text } = command;
  const member = state.members.get(actor.id);
  if (!member) return notAMember;
  if (state.status === 'closed') return roomClosed;
  const message = findMessage(command, messageId, state);
  if (!message) return noSuchMessage;
  if (isRejection(message)) return message;
  if (message.author !== actor.id) return reject('NotAllowed', 'Only its author may edit a message.');
  if (member.role === 'guest') return notAllowed;
  const held = silenced(actor, state, at);
  if (held) return held;
  if (message.redacted) return alreadyRedacted;
  const problem = visibleTextProblem(text, 1, limits.messageText);
  if (problem) return reject('Invalid', `The text ${problem}.`);
  return accept({ type: 'MessageEdited', data: { messageId, text } });
}

function redact(command: RedactMessage, state: RoomState): MessageDecision {
  const { actor, messageId, reason } = command;
  if (!state.members.get(actor.id) && actor.role !== 'admin') return notAMember;
  const message = findMessage(command, messageId, state);
  if (!message) return noSuchMessage;
  if (isRejection(message)) return message;
  if (message.author !== actor.id && !moderates(actor, state)) return notAllowed;
  if (message.redacted) return accept();
  const problem = reasonProblem(reason);
  if (problem) return problem;
  return accept({ type: 'MessageRedacted', data: { messageId, authorId: message.author, reason } });
}

function erase({ actor, messageId, erasureId }: EraseTexts): MessageDecision {
  return actor.role === 'admin' ? accept({ type: 'TextsErased', data: { messageId, erasureId } }) : notAllowed;
}
