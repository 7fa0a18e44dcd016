import type { Erasable } from '../decider.js';
import { PersistentMap } from '../persistent-map.js';
import { RecentWindow } from '../recent-window.js';
import { type Moderation, noModeration } from './moderation.js';
import type { RoomRole } from './rights.js';
import { noWebhooks, type Webhooks } from './webhooks.js';

// The state of a room. The rules decide from this alone.

export type Visibility = 'public' | 'private' | 'hidden' | 'direct';
/** Whether members see messages from before they joined. Public rooms are always `full`. */
export type HistoryAccess = 'full' | 'joined';

export interface RoomSettings {
  readonly name: Erasable;
  readonly topic: Erasable;
  readonly visibility: Visibility;
  readonly history: HistoryAccess;
  /** Refers to the password's hash in the vault; no event contains the password. */
  readonly passwordId: string | null;
}

export interface Member {
  readonly role: RoomRole;
  /** Revision and time of the latest joining. */
  readonly joined: bigint;
  readonly joinedAt: string;
}

/** What the rules need to know about a message. If the window holds only an edit or a redaction of it, the rest is unknown. */
export interface MessageFacts {
  readonly author: string;
  /** Revision of the posting, and the fingerprint of what was posted; absent if only later events are in the window. */
  readonly posted?: { readonly revision: bigint; readonly fingerprint: number | null };
  /** Revision of the event that holds the current text. */
  readonly textRevision: bigint;
  readonly redacted: boolean;
}

export interface RoomState extends RoomSettings, Webhooks {
  readonly status: 'unborn' | 'abandoned' | 'open' | 'closed';
  readonly createdBy: string | null;
  readonly createdAt: string;
  /** Revision of the last event folded; -1 before the first. */
  readonly revision: bigint;
  readonly members: PersistentMap<Member>;
  /** Number of members who are owners. */
  readonly owners: number;
  /** The two people of a direct room, including one who has left; empty for other rooms. */
  readonly pair: readonly string[];
  readonly moderation: Moderation;
  readonly messages: RecentWindow<MessageFacts>;
  /** Keyed by `reactionKey`; false: removed. */
  readonly reactions: RecentWindow<boolean>;
  /** The latest time carried by a message id that has left the window (UUIDv7, milliseconds); 0 if none has. */
  readonly forgottenIdTime: number;
  /** By imported file: the last imported place. */
  readonly imports: Readonly<Record<string, number>>;
  /** The last few abandoned claims to names, which must no longer succeed. */
  readonly abandonedClaims: readonly string[];
}

/** Increase it when `RoomState` or its folding changes. Snapshots of other versions are ignored. */
export const roomStateVersion = 7;

export const initialState: RoomState = {
  status: 'unborn',
  name: null,
  topic: null,
  visibility: 'public',
  history: 'full',
  passwordId: null,
  createdBy: null,
  createdAt: '',
  revision: -1n,
  members: PersistentMap.empty,
  owners: 0,
  pair: [],
  moderation: noModeration,
  messages: RecentWindow.empty,
  reactions: RecentWindow.empty,
  forgottenIdTime: 0,
  imports: {},
  abandonedClaims: [],
  ...noWebhooks,
};
