import type { ChatChange, ChatNote, ChatSide, ChatTurn, EphemeralChat } from '@verbatim/domain';

/** How a participant authenticates: the code of the chat, which both know, and a token of their own. 24 hex digits each. */
export interface ChatCredentials {
  readonly code: string;
  readonly token: string;
}

/** A stored chat. `version` counts its changes. */
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

/** A chat as one of its participants enters it. */
export interface EnteredChat {
  readonly chat: KeptChat;
  readonly side: ChatSide;
  /** Texts that the other participant has not confirmed. */
  readonly waitingForOther: number;
}

/** A message that waits until a participant confirms it: a text from the other one, or a note from the chat itself. */
export type WaitingMessage =
  | { readonly id: string; readonly text: string }
  | { readonly id: string; readonly note: ChatNote };

/** A consistent snapshot of a chat for one participant. */
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

/** How many chats made this transition on a day (`2026-01-31`, UTC). */
export interface CountedTurn {
  readonly day: string;
  readonly turn: ChatTurn;
  readonly chats: number;
}

/**
 * Stores chats that leave nothing behind: outside the log, its hash chain and its backups, and deletable. Codes, tokens and
 * texts are not stored as they are: codes and tokens are hashed, and texts are sealed under a key that needs the code,
 * which only the participants know, and a salt that is destroyed with the chat. Changes are visible to all processes at
 * once and announced by `ChatNews`.
 */
export abstract class ChatStore {
  /** Adds a chat, unless there are already `most`. */
  abstract open(credentials: ChatCredentials, change: ChatChange, at: Date, most: number): Promise<boolean>;
  /** Deletes the chat that has been silent longest, at least since then; closed ones first. False if there is none. */
  abstract dropSilent(since: Date): Promise<boolean>;
  /** The chat with this code; null if there is none. */
  abstract find(code: string): Promise<KeptChat | null>;
  /** Null if these credentials belong to no participant. */
  abstract enter(credentials: ChatCredentials): Promise<EnteredChat | null>;
  /**
   * Records that a participant asks for messages now, and their poll, if any. Null if these credentials belong to no
   * participant.
   */
  abstract noteSeen(credentials: ChatCredentials, at: Date, poll: string | null): Promise<Participant | null>;
  /** The messages waiting for a participant; null if the chat has been deleted. */
  abstract look(code: string, side: ChatSide): Promise<ChatLook | null>;
  /** Applies a change atomically. `code` is needed for texts, `joinerToken` for joining. False if another change came first. */
  abstract apply(
    chat: KeptChat,
    change: ChatChange,
    at: Date,
    secrets?: { code?: string; joinerToken?: string },
  ): Promise<boolean>;
  /** Deletes what this participant has received. Other ids are ignored. */
  abstract confirm(chatId: string, side: ChatSide, ids: readonly string[]): Promise<void>;

  /** A batch of chats opened before then that are not closed. */
  abstract openedBefore(at: Date): Promise<KeptChat[]>;
  /** A batch of chats with two participants in which neither has been seen since then. */
  abstract readyAndSilent(since: Date): Promise<KeptChat[]>;
  /** A chat by its id; null if there is none. */
  abstract byId(id: string): Promise<KeptChat | null>;
  /** Up to `most` chats, oldest first. */
  abstract list(most: number): Promise<KeptChat[]>;
  /** Erases the texts and salts of chats closed before then. Returns the number of texts. */
  abstract eraseClosedBefore(at: Date): Promise<number>;
  /** Deletes chats closed before then. Returns how many. */
  abstract deleteClosedBefore(at: Date): Promise<number>;
  /**
   * Has the database remove deleted data from its files, if anything was deleted since the last time or some minutes have
   * passed.
   */
  abstract removeTraces(): Promise<void>;
  abstract counts(): Promise<ChatCounts>;
  abstract statistics(days: number): Promise<CountedTurn[]>;
}
