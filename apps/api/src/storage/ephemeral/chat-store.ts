import type { ChatChange, ChatNote, ChatSide, ChatTurn, EphemeralChat } from '@verbatim/domain';

/** What a participant proves to be one with: the code of the chat, which both know, and a token of their own. 24 hex digits each. */
export interface ChatCredentials {
  readonly code: string;
  readonly token: string;
}

/** A chat as it is kept. `version` counts its changes. */
export interface KeptChat {
  readonly id: string;
  readonly version: number;
  readonly state: EphemeralChat;
}

/** One of the two in a chat. */
export interface Participant {
  readonly chatId: string;
  readonly side: ChatSide;
}

/** A chat as one of its participants comes to it. */
export interface EnteredChat {
  readonly chat: KeptChat;
  readonly side: ChatSide;
  /** Texts that the other participant has not confirmed. */
  readonly waitingForOther: number;
}

/** Something that waits for a participant until it is confirmed: a text of the other, or a note of the chat itself. */
export type WaitingMessage =
  | { readonly id: string; readonly text: string }
  | { readonly id: string; readonly note: ChatNote };

/** What one look into a chat shows a participant, all of the same moment. */
export interface ChatLook {
  readonly chat: KeptChat;
  readonly messages: readonly WaitingMessage[];
  /** The participant's latest poll. */
  readonly poll: string | null;
}

/** How many chats and texts there are now. */
export interface ChatCounts {
  readonly draft: number;
  readonly ready: number;
  readonly closed: number;
  readonly texts: number;
}

/** How many chats took this turn on a day (`2026-01-31`, UTC). */
export interface CountedTurn {
  readonly day: string;
  readonly turn: ChatTurn;
  readonly chats: number;
}

/**
 * Where chats are kept that leave nothing behind: outside the log, its hash chain and its backups, and deletable. Neither codes
 * nor tokens nor texts are stored: the former two as hashes, texts under a key for which the code is needed, which only the
 * participants know, and a salt that is destroyed with the chat. All changes are visible at once to all processes, and are
 * announced by `ChatNews`.
 */
export abstract class ChatStore {
  /** Adds a chat, unless there are already `most`. */
  abstract open(credentials: ChatCredentials, change: ChatChange, at: Date, most: number): Promise<boolean>;
  /** Deletes the chat in which nobody has been heard for longest, and not since then; closed ones first. False: there is none. */
  abstract dropSilent(since: Date): Promise<boolean>;
  /** The chat with this code; null if there is none. */
  abstract find(code: string): Promise<KeptChat | null>;
  /** Null if this is no participant of a chat. */
  abstract enter(credentials: ChatCredentials): Promise<EnteredChat | null>;
  /** Notes that a participant asks for messages now, and with which poll if it is one. Null if this is no participant. */
  abstract noteSeen(credentials: ChatCredentials, at: Date, poll: string | null): Promise<Participant | null>;
  /** What waits for a participant; null if the chat has been deleted. */
  abstract look(code: string, side: ChatSide): Promise<ChatLook | null>;
  /** Makes a change in one step. `code` is needed for texts, `joinerToken` for somebody who joins. False: another change was first. */
  abstract apply(
    chat: KeptChat,
    change: ChatChange,
    at: Date,
    secrets?: { code?: string; joinerToken?: string },
  ): Promise<boolean>;
  /** Deletes what this participant has received. Other ids are passed over. */
  abstract confirm(chatId: string, side: ChatSide, ids: readonly string[]): Promise<void>;

  /** Chats opened before that which are not closed; a number of them at a time. */
  abstract openedBefore(at: Date): Promise<KeptChat[]>;
  /** Chats of two in which neither has been heard since then; a number of them at a time. */
  abstract readyAndSilent(since: Date): Promise<KeptChat[]>;
  /** A chat by its id; null if there is none. */
  abstract byId(id: string): Promise<KeptChat | null>;
  /** All chats, the oldest first, up to a number. */
  abstract list(most: number): Promise<KeptChat[]>;
  /** Erases the texts of chats closed before that, and what their keys are made of. Returns the number of texts. */
  abstract eraseClosedBefore(at: Date): Promise<number>;
  /** Deletes chats closed before that. Returns how many. */
  abstract deleteClosedBefore(at: Date): Promise<number>;
  /** Has the database remove what was deleted from its files, if anything was since the last time, or some minutes have passed. */
  abstract removeTraces(): Promise<void>;
  abstract counts(): Promise<ChatCounts>;
  abstract statistics(days: number): Promise<CountedTurn[]>;
}
