import {
  type Actor,
  type Decider,
  type Decision,
  type Erasable,
  type Happened,
  happenedAt,
  type NewFact,
  streamName,
} from './decider.js';
import { emojiOf, reactionOf } from './emoji.js';
import type { InvitedRole } from './invitation.js';
import { titleProblem } from './names.js';
import { PersistentMap } from './persistent-map.js';
import { RecentWindow } from './recent-window.js';
import { isRejection, type Rejection, reject } from './rejection.js';
import {
  evolveModeration,
  isBanned,
  type Moderation,
  type ModerationCommand,
  type ModerationEvent,
  moderate,
  moderationLimits,
  noModeration,
  reasonProblem,
  report,
  silenced,
  slowedDown,
  withPost,
  withSlowMode,
} from './room-moderation.js';
import {
  governs,
  isLastOwner,
  lastOwner,
  moderates,
  noSuchRoom,
  notAllowed,
  notAMember,
  notThere,
  onlyReads,
  outranks,
  type RoomRole,
  rank,
  rankOf,
  refusal,
  roomClosed,
} from './room-rights.js';
import {
  decideWebhook,
  evolveWebhooks,
  isWebhookCommand,
  noWebhooks,
  type WebhookCommand,
  type WebhookEvent,
  type Webhooks,
} from './room-webhooks.js';
import { fingerprint, limits, textProblem, visibleTextProblem } from './text.js';

export const roomStream = (roomId: string): string => streamName('room', roomId);

// Events ------------------------------------------------------------------------------------------------------------

export type Visibility = 'public' | 'private' | 'hidden' | 'direct';
/** Whether a member sees what was said before joining. Public rooms are always `full`. */
export type HistoryAccess = 'full' | 'joined';
export type { Erasable, RoomRole };

/** Where an imported event was read: digest of the file, and a number that grows along the file. */
export interface ImportSource {
  readonly file: string;
  readonly place: number;
}
interface Importable {
  readonly imported?: ImportSource;
}

export interface RoomSettings {
  readonly name: Erasable;
  readonly topic: Erasable;
  readonly visibility: Visibility;
  readonly history: HistoryAccess;
  /** Names the password's hash in the vault; the password itself is never in an event. */
  readonly passwordId: string | null;
}

export type RoomCreated = Happened<'RoomCreated', RoomSettings & Importable>;
/** An earlier claim to a room's name was given up, so that another room may take the name. */
export type RoomNameAbandoned = Happened<'RoomNameAbandoned', { readonly claim: string }>;
/** A room id was given up before its room came to be. */
export type RoomAbandoned = Happened<'RoomAbandoned', Record<string, never>>;
export type RoomChanged = Happened<'RoomChanged', Partial<RoomSettings> & Partial<Pick<Moderation, 'slowModeSeconds'>>>;
export type MemberJoined = Happened<'MemberJoined', { readonly userId: string; readonly role: RoomRole } & Importable>;
export type MemberLeft = Happened<'MemberLeft', { readonly userId: string } & Importable>;
export type MemberRemoved = Happened<
  'MemberRemoved',
  { readonly userId: string; readonly reason: Erasable } & Importable
>;
export type MemberRoleChanged = Happened<'MemberRoleChanged', { readonly userId: string; readonly role: RoomRole }>;
/** `action` is a message in the third person, as of IRC's `/me`: the text follows the author's name. */
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
export type ReactionAdded = Happened<'ReactionAdded', { readonly messageId: string; readonly emoji: string }>;
export type ReactionRemoved = Happened<'ReactionRemoved', { readonly messageId: string; readonly emoji: string }>;
export type ChatClosed = Happened<'ChatClosed', { readonly reason: Erasable }>;

export type RoomEvent =
  | RoomCreated
  | RoomAbandoned
  | RoomNameAbandoned
  | RoomChanged
  | MemberJoined
  | MemberLeft
  | MemberRemoved
  | MemberRoleChanged
  | MessagePosted
  | MessageEdited
  | MessageRedacted
  | ReactionAdded
  | ReactionRemoved
  | ModerationEvent
  | ChatClosed
  | WebhookEvent;

// State -------------------------------------------------------------------------------------------------------------

export interface Member {
  readonly role: RoomRole;
  /** Revision and time of the latest joining. */
  readonly joined: bigint;
  readonly joinedAt: string;
}

/** What the rules need to know of a message. An edit or redaction of an old message alone leaves the rest unknown. */
export interface MessageFacts {
  readonly author: string;
  /** Revision of the posting, and the fingerprint of what was posted; absent where only later events are in the window. */
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
  /** How many of the members are owners. */
  readonly owners: number;
  /** The two people of a direct room, whether they are in it or have left; of other rooms nobody. */
  readonly pair: readonly string[];
  readonly moderation: Moderation;
  readonly messages: RecentWindow<MessageFacts>;
  /** Keyed by `reactionKey`; false: taken back. */
  readonly reactions: RecentWindow<boolean>;
  /** The latest time that a message id which has left the window carries (UUIDv7, milliseconds); 0 if none does. */
  readonly forgottenIdTime: number;
  /** How far each imported file has been taken in. */
  readonly imports: Readonly<Record<string, number>>;
  /** The last few claims to names that must not be made good any more. */
  readonly abandonedClaims: readonly string[];
}

const initialState: RoomState = {
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

function evolve(before: RoomState, event: RoomEvent): RoomState {
  const state = { ...before, revision: event.revision };
  if ('imported' in event.data && event.data.imported) {
    const { file, place } = event.data.imported;
    state.imports = { ...before.imports, [file]: Math.max(place, before.imports[file] ?? -1) };
  }
  switch (event.type) {
    case 'RoomCreated': {
      const { name, topic, visibility, history, passwordId } = event.data;
      return {
        ...state,
        status: 'open',
        createdBy: event.actor,
        createdAt: happenedAt(event),
        name,
        topic,
        visibility,
        history,
        passwordId,
      };
    }
    case 'RoomAbandoned':
      return { ...state, status: 'abandoned' };
    case 'RoomNameAbandoned':
      return { ...state, abandonedClaims: [...state.abandonedClaims, event.data.claim].slice(-8) };
    case 'RoomChanged': {
      const { slowModeSeconds, ...settings } = event.data;
      if (slowModeSeconds !== undefined) state.moderation = withSlowMode(before.moderation, slowModeSeconds);
      return { ...state, ...settings };
    }
    case 'MemberJoined': {
      const { userId, role } = event.data;
      if (state.visibility === 'direct' && !state.pair.includes(userId)) state.pair = [...state.pair, userId];
      return withMember(state, userId, { role, joined: event.revision, joinedAt: happenedAt(event) });
    }
    case 'MemberLeft':
    case 'MemberRemoved':
      return withMember(state, event.data.userId, null);
    case 'MemberRoleChanged': {
      const member = state.members.get(event.data.userId);
      if (!member) return state;
      return withMember(state, event.data.userId, { ...member, role: event.data.role });
    }
    case 'MemberBanned':
    case 'MemberUnbanned':
    case 'MemberMuted':
    case 'MemberUnmuted':
    case 'MessageReported':
    case 'ReportSettled':
    case 'RoomInspected':
      return { ...state, moderation: evolveModeration(state.moderation, event) };
    case 'MessagePosted':
      if (state.moderation.slowModeSeconds > 0 && event.actor !== null)
        state.moderation = withPost(state.moderation, event.actor, event.at);
      return withMessage(state, event.data.messageId, {
        author: event.actor ?? '',
        posted: {
          revision: event.revision,
          fingerprint: event.data.text === null ? null : contentFingerprint(event.data),
        },
        textRevision: event.revision,
        redacted: false,
      });
    case 'MessageEdited': {
      const facts = state.messages.get(event.data.messageId) ?? { author: event.actor ?? '', redacted: false };
      return withMessage(state, event.data.messageId, { ...facts, textRevision: event.revision });
    }
    case 'MessageRedacted': {
      const facts = state.messages.get(event.data.messageId) ?? { author: event.data.authorId, textRevision: -1n };
      return withMessage(state, event.data.messageId, { ...facts, redacted: true });
    }
    case 'ReactionAdded':
    case 'ReactionRemoved': {
      const key = reactionKey(event.data.messageId, event.actor ?? '', event.data.emoji);
      return { ...state, reactions: state.reactions.set(key, event.type === 'ReactionAdded', event.revision) };
    }
    case 'ChatClosed':
      return { ...state, status: 'closed' };
    case 'WebhookAdded':
    case 'WebhookChanged':
    case 'WebhookRemoved':
    case 'IncomingWebhookAdded':
    case 'IncomingWebhookRemoved':
      return { ...state, ...evolveWebhooks(state, event) };
    default:
      // An event of a later release: nothing here depends on it.
      return state;
  }
}

/** Null: not a member any more. */
function withMember(state: RoomState, userId: string, member: Member | null): RoomState {
  const owner = state.members.get(userId)?.role === 'owner' ? 1 : 0;
  const owners = state.owners - owner + (member?.role === 'owner' ? 1 : 0);
  return { ...state, owners, members: member ? state.members.set(userId, member) : state.members.delete(userId) };
}

function withMessage(state: RoomState, messageId: string, facts: MessageFacts): RoomState {
  let forgottenIdTime = state.forgottenIdTime;
  const messages = state.messages.set(messageId, facts, state.revision, (gone) => {
    forgottenIdTime = Math.max(forgottenIdTime, uuidTime(gone) ?? 0);
  });
  return { ...state, messages, forgottenIdTime };
}

const reactionKey = (messageId: string, userId: string, emoji: string): string =>
  `${messageId} ${userId} ${reactionOf(emoji)}`;

/** By which a repeated posting is told from another message under the same id; read models keep it with a message. */
export const contentFingerprint = (content: { text: Erasable; replyTo: string | null; kind: MessageKind }): number =>
  fingerprint(`${content.kind}\n${content.replyTo ?? ''}\n${content.text ?? ''}`);

/** Milliseconds since 1970 that a UUIDv7 carries (RFC 9562, section 5.7), or null for other ids. */
function uuidTime(id: string): number | null {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : null;
}

// What the window no longer holds -------------------------------------------------------------------------------------

/** What a read model tells of messages older than the window. It travels inside the command. */
export interface OlderMessages {
  /** Every event of the room up to this revision is accounted for. */
  readonly through: bigint;
  /** The ids that were looked up; nothing is known of any other. */
  readonly asked: ReadonlySet<string>;
  readonly messages: ReadonlyMap<string, MessageFacts & { readonly reactions: readonly ReactionCount[] }>;
}

/** How many people reacted to a message with one emoji, at least one, and whether the person who looked it up is among them. */
export interface ReactionCount {
  readonly emoji: string;
  readonly count: number;
  readonly mine: boolean;
}

/** Different emoji among the reactions to one message. Messages of logs from before this limit may have more. */
export const mostReactions = 20;

/** Ids of messages that `command` speaks of and that `state` cannot tell enough about; usually none. */
export function messagesToLookUp(command: RoomCommand, state: RoomState): string[] {
  switch (command.type) {
    case 'PostMessage': {
      const wanted: string[] = [];
      if (maybeKnown(command, state) && !knowsAll(command.messageId, state)) wanted.push(command.messageId);
      if (command.replyTo && !knowsAll(command.replyTo, state)) wanted.push(command.replyTo);
      return wanted;
    }
    case 'EditMessage':
    case 'RedactMessage':
    case 'ReportMessage':
      return knowsAll(command.messageId, state) ? [] : [command.messageId];
    case 'AddReaction':
    case 'RemoveReaction': {
      const wished = command.type === 'AddReaction';
      const present = state.reactions.get(reactionKey(command.messageId, command.actor.id, command.emoji));
      // Who removes a reaction, or adds one that is there, needs to know nothing about the others.
      const knowsEnough =
        knowsReactions(command.messageId, state) || present === true || (present === false && !wished);
      return knowsEnough && knowsAll(command.messageId, state) ? [] : [command.messageId];
    }
    default:
      return [];
  }
}

/** Whether the window alone tells everything about a message, be it that there is none. */
const knowsAll = (messageId: string, state: RoomState): boolean =>
  state.messages.since < 0n || state.messages.get(messageId)?.posted !== undefined;

/** Whether the window has every reaction that the message has ever had. */
function knowsReactions(messageId: string, state: RoomState): boolean {
  const { since } = state.reactions;
  return since < 0n || (state.messages.get(messageId)?.posted?.revision ?? -1n) > since;
}

const maybeKnown = ({ messageId }: PostMessage, state: RoomState): boolean =>
  state.messages.get(messageId) !== undefined || maybeForgotten(messageId, state);

/**
 * Whether an id unknown to the window may have been used before it. A UUIDv7 later than every forgotten one cannot,
 * whatever its maker's clock says, so fresh ids need no look-up.
 */
function maybeForgotten(messageId: string, state: RoomState): boolean {
  if (state.messages.since < 0n) return false;
  const time = uuidTime(messageId);
  return time === null || time <= state.forgottenIdTime;
}

/** The message as of the head of the stream, undefined when there is none, or a rejection when nobody can tell yet. */
function findMessage(
  command: MessageCommand,
  messageId: string,
  state: RoomState,
): MessageFacts | undefined | Rejection {
  const recent = state.messages.get(messageId);
  if (knowsAll(messageId, state)) return recent;
  const older = command.older;
  if (!covers(older, messageId, state.messages.since)) return notCaughtUp;
  const old = older.messages.get(messageId);
  return old && recent ? { ...old, ...recent } : (old ?? recent);
}

/** A look-up counts only if it asked for this id and takes in everything up to where the window begins. */
const covers = (older: OlderMessages | undefined, messageId: string, since: bigint): older is OlderMessages =>
  older !== undefined && older.through >= since && older.asked.has(messageId);

const notCaughtUp = reject('Unavailable', 'The read models have not caught up with this room yet.');

// Commands ----------------------------------------------------------------------------------------------------------

interface By {
  readonly actor: Actor;
}
interface MessageCommand extends By {
  readonly messageId: string;
  readonly older?: OlderMessages;
}

export type CreateRoom = By & {
  readonly type: 'CreateRoom';
  readonly name: string;
  readonly topic: string;
  readonly visibility: Exclude<Visibility, 'direct'>;
  readonly history: HistoryAccess;
  readonly passwordId: string | null;
};
/** Both people become members at once; sent again, it brings back those who have left, but no peer who is `peerGone` for good. */
export type CreateDirectRoom = By & {
  readonly type: 'CreateDirectRoom';
  readonly peerId: string;
  readonly peerGone?: boolean;
};
export type AbandonRoom = By & { readonly type: 'AbandonRoom' };
export type AbandonRoomName = By & { readonly type: 'AbandonRoomName'; readonly claim: string };
/** `claim` names the claim under which a new name was reserved; `known` is what the settings then were. */
export type ChangeRoom = By & {
  readonly type: 'ChangeRoom';
  readonly claim?: string;
  readonly known?: Pick<RoomSettings, 'name' | 'visibility'>;
} & Partial<Pick<CreateRoom, 'name' | 'topic' | 'visibility' | 'history' | 'passwordId'>> &
  Partial<Pick<Moderation, 'slowModeSeconds'>>;
/**
 * `provenPasswordId`: the password given was checked against this one and was right. `invited`: an invitation to this room
 * was redeemed that gives this role.
 */
export type JoinRoom = By & {
  readonly type: 'JoinRoom';
  readonly provenPasswordId?: string;
  readonly invited?: InvitedRole;
} & Importable;
export type AddMember = By & { readonly type: 'AddMember'; readonly userId: string; readonly role: RoomRole };
/** `successor` becomes owner in the place of one who goes. The last owner of an open room does not go without one. */
export type RemoveMember = By & {
  readonly type: 'RemoveMember';
  readonly userId: string;
  readonly reason: string | null;
  readonly successor?: string;
} & Importable;
export type ChangeMemberRole = By & {
  readonly type: 'ChangeMemberRole';
  readonly userId: string;
  readonly role: RoomRole;
};
/** An owner makes a member owner and stays as moderator. */
export type TransferOwnership = By & { readonly type: 'TransferOwnership'; readonly userId: string };
export type PostMessage = MessageCommand & {
  readonly type: 'PostMessage';
  readonly text: string;
  readonly replyTo: string | null;
  readonly kind: MessageKind;
} & Importable;
export type EditMessage = MessageCommand & { readonly type: 'EditMessage'; readonly text: string };
export type RedactMessage = MessageCommand & { readonly type: 'RedactMessage'; readonly reason: string | null };
export type AddReaction = MessageCommand & { readonly type: 'AddReaction'; readonly emoji: string };
export type RemoveReaction = MessageCommand & { readonly type: 'RemoveReaction'; readonly emoji: string };
export type ReportMessage = MessageCommand & {
  readonly type: 'ReportMessage';
  readonly reportId: string;
  readonly reason: string;
};
export type CloseRoom = By & { readonly type: 'CloseRoom'; readonly reason: string | null };

export type RoomCommand =
  | CreateRoom
  | CreateDirectRoom
  | AbandonRoom
  | AbandonRoomName
  | ChangeRoom
  | JoinRoom
  | AddMember
  | RemoveMember
  | ChangeMemberRole
  | TransferOwnership
  | PostMessage
  | EditMessage
  | RedactMessage
  | AddReaction
  | RemoveReaction
  | ReportMessage
  | ModerationCommand
  | CloseRoom
  | WebhookCommand;

// Decisions ---------------------------------------------------------------------------------------------------------

type RoomDecision = Decision<RoomEvent>;

function decide(command: RoomCommand, state: RoomState, at: string): RoomDecision {
  if (command.actor.role === 'auditor' && command.type !== 'InspectRoom') return onlyReads;
  if (command.type === 'CreateRoom') return create(command, state);
  if (command.type === 'CreateDirectRoom') return createDirect(command, state);
  if (command.type === 'AbandonRoom') return abandon(state);
  if (state.status === 'unborn' || state.status === 'abandoned') return noSuchRoom;
  if (command.type === 'AbandonRoomName') return abandonName(command, state);
  if ('imported' in command && command.imported && alreadyImported(command.imported, state)) return accept();
  if (command.type === 'JoinRoom') return join(command, state, at);
  if (command.type === 'StopWebhook') return decideWebhook(command, state, null);
  if (concealed(state, command.actor)) return noSuchRoom;
  if (isWebhookCommand(command)) return decideWebhook(command, state, governingProblem(state, command.actor));

  switch (command.type) {
    case 'ChangeRoom':
      return change(command, state);
    case 'AddMember':
      return addMember(command, state, at);
    case 'RemoveMember':
      return removeMember(command, state);
    case 'ChangeMemberRole':
      return changeMemberRole(command, state);
    case 'TransferOwnership':
      return transfer(command, state);
    case 'PostMessage':
      return post(command, state, at);
    case 'EditMessage':
      return edit(command, state, at);
    case 'RedactMessage':
      return redact(command, state);
    case 'AddReaction':
    case 'RemoveReaction':
      return react(command, state, at);
    case 'ReportMessage':
      return report(command, findMessage(command, command.messageId, state), state);
    case 'CloseRoom':
      return close(command, state);
    default:
      return moderate(command, state, at);
  }
}

const accept = (...events: NewFact<RoomEvent>[]): RoomDecision => ({ events });

const noSuchMessage = reject('NotFound', 'There is no such message in this room.');

function create({ name, topic, visibility, history, passwordId, actor }: CreateRoom, state: RoomState): RoomDecision {
  if (state.status === 'abandoned')
    return reject('Conflict', 'This attempt to create a room took too long. Try again.');
  if (state.status !== 'unborn') {
    if (state.createdBy === actor.id && state.name === name) return accept();
    return reject('Conflict', 'A room with this id exists already.');
  }
  const problem = settingsProblem({ name, topic });
  if (problem) return problem;
  return accept(
    {
      type: 'RoomCreated',
      data: { name, topic, visibility, history: visibility === 'public' ? 'full' : history, passwordId },
    },
    { type: 'MemberJoined', data: { userId: actor.id, role: 'owner' } },
  );
}

function createDirect({ actor, peerId, peerGone }: CreateDirectRoom, state: RoomState): RoomDecision {
  if (state.status === 'abandoned') return reject('Conflict', 'This room cannot be created any more.');
  if (actor.id === peerId) return reject('Invalid', 'A direct room takes two people.');
  if (state.status !== 'unborn' && state.visibility !== 'direct')
    return reject('Conflict', 'A room with this id exists already.');
  if (peerGone && state.status === 'unborn') return accountGone;
  // The two have no other room, so both are brought back into this one.
  const joining = broughtBack(peerGone ? [actor.id] : [actor.id, peerId], state);
  if (state.status !== 'unborn') return accept(...joining);
  const settings = { name: '', topic: '', visibility: 'direct', history: 'full', passwordId: null } as const;
  return accept({ type: 'RoomCreated', data: settings }, ...joining);
}

const broughtBack = (people: readonly string[], { members }: RoomState) =>
  people
    .filter((userId) => !members.has(userId))
    .map((userId) => ({ type: 'MemberJoined', data: { userId, role: 'member' } }) as const);

/** Why nothing new can be said to somebody whose account was deactivated. */
export const accountGone = reject('Conflict', 'This account was deactivated. Nobody can write to it.');

function abandon(state: RoomState): RoomDecision {
  if (state.status === 'abandoned') return accept();
  if (state.status !== 'unborn') return reject('Conflict', 'The room exists.');
  return accept({ type: 'RoomAbandoned', data: {} });
}

/** No name is taken in a closed room, so there a claim needs no event to come to nothing. */
function abandonName({ claim }: AbandonRoomName, state: RoomState): RoomDecision {
  if (state.status === 'closed' || state.abandonedClaims.includes(claim)) return accept();
  return accept({ type: 'RoomNameAbandoned', data: { claim } });
}

function change(command: ChangeRoom, state: RoomState): RoomDecision {
  if (state.visibility === 'direct') return reject('NotAllowed', 'A direct room has no settings.');
  if (!governs(command.actor, state)) return refusal(command.actor, state);
  if (state.status === 'closed') return roomClosed;
  if (command.claim && state.abandonedClaims.includes(command.claim)) {
    return reject('Conflict', 'This attempt to rename the room took too long. Try again.');
  }
  const { known, name, topic, visibility, history, passwordId, slowModeSeconds } = command;
  const problem = settingsProblem(command);
  if (problem) return problem;
  const wished: RoomChanged['data'] = { name, topic, visibility, history, passwordId, slowModeSeconds };
  const present: RoomChanged['data'] = { ...state, slowModeSeconds: state.moderation.slowModeSeconds };
  const changed = Object.entries(wished).filter(
    ([key, value]) => value !== undefined && value !== present[key as keyof RoomChanged['data']],
  );
  if (changed.length === 0) return accept();
  const outdated = known && (known.name !== state.name || known.visibility !== state.visibility);
  if (outdated && changed.some(([key]) => key === 'name' || key === 'visibility')) {
    return reject('Conflict', 'Somebody else has just changed the room. Try again.');
  }
  return accept({ type: 'RoomChanged', data: Object.fromEntries(changed) as RoomChanged['data'] });
}

function settingsProblem({
  name,
  topic,
  slowModeSeconds = 0,
}: {
  name?: string;
  topic?: string;
  slowModeSeconds?: number;
}): Rejection | null {
  const most = moderationLimits.slowModeSeconds;
  if (!Number.isInteger(slowModeSeconds) || slowModeSeconds < 0 || slowModeSeconds > most)
    return reject('Invalid', `Slow mode takes 0 to ${most} seconds.`);
  // A name of nothing but spaces counts as empty.
  const problem = name === undefined ? null : titleProblem(name.trim() && name, limits.roomName);
  if (problem) return reject('Invalid', `The name ${problem}.`);
  const topicProblem = topic === undefined ? null : visibleTextProblem(topic, 0, limits.roomTopic);
  return topicProblem ? reject('Invalid', `The topic ${topicProblem}.`) : null;
}

function join(command: JoinRoom, state: RoomState, at: string): RoomDecision {
  const { actor, provenPasswordId, invited: role, imported } = command;
  if (state.members.get(actor.id)) return accept();
  const invited = role !== undefined || (state.passwordId !== null && provenPasswordId === state.passwordId);
  if (state.visibility === 'direct' || (state.visibility === 'hidden' && !invited && actor.role !== 'admin'))
    return noSuchRoom;
  if (isBanned(actor.id, state, at)) return reject('NotAllowed', 'You are banned from this room.');
  if (state.status === 'closed') return roomClosed;
  if (!invited && actor.role !== 'admin') {
    if (state.passwordId !== null) return reject('WrongPassword', 'Joining this room takes its password.');
    if (state.visibility === 'private') return reject('NotAllowed', 'Joining this room takes an invitation.');
  }
  return accept({
    type: 'MemberJoined',
    data: { userId: actor.id, role: role ?? 'member', ...(imported && { imported }) },
  });
}

function addMember({ actor, userId, role }: AddMember, state: RoomState, at: string): RoomDecision {
  if (state.visibility === 'direct') return reject('NotAllowed', 'A direct room is for two people.');
  if (!moderates(actor, state)) return refusal(actor, state);
  if (!governs(actor, state) && rank[role] >= rankOf(actor, state)) return notAllowed;
  if (state.members.get(userId)) return accept();
  if (state.status === 'closed') return roomClosed;
  if (isBanned(userId, state, at))
    return reject('Conflict', 'This person is banned from the room. Lift the ban first.');
  return accept({ type: 'MemberJoined', data: { userId, role } });
}

function removeMember(command: RemoveMember, state: RoomState): RoomDecision {
  const { actor, userId, reason, imported } = command;
  const target = state.members.get(userId);
  if (userId === actor.id) {
    if (!target) return notAMember;
    const heir = succession(command, state);
    if (isRejection(heir)) return heir;
    return accept(...heir, { type: 'MemberLeft', data: { userId, ...(imported && { imported }) } });
  }
  if (!moderates(actor, state)) return refusal(actor, state);
  if (!target) return notThere;
  if (state.visibility === 'direct') return reject('NotAllowed', 'Nobody can be removed from a direct room.');
  if (!outranks(actor, userId, state)) return notAllowed;
  const problem = reasonProblem(reason);
  if (problem) return problem;
  const heir = succession(command, state);
  if (isRejection(heir)) return heir;
  return accept(...heir, { type: 'MemberRemoved', data: { userId, reason, ...(imported && { imported }) } });
}

/** What makes somebody owner in the place of one who goes. In a closed room there is nothing left to own. */
function succession({ userId, successor }: RemoveMember, state: RoomState): NewFact<RoomEvent>[] | Rejection {
  if (state.status === 'closed') return [];
  if (successor === undefined) return isLastOwner(userId, state) ? lastOwner : [];
  const heir = state.members.get(successor);
  if (!heir || successor === userId) return reject('NotFound', 'The successor is not in the room.');
  if (state.members.get(userId)?.role !== 'owner') return reject('Invalid', 'Only an owner has a successor.');
  return heir.role === 'owner' ? [] : [{ type: 'MemberRoleChanged', data: { userId: successor, role: 'owner' } }];
}

function changeMemberRole({ actor, userId, role }: ChangeMemberRole, state: RoomState): RoomDecision {
  if (!moderates(actor, state)) return refusal(actor, state);
  const target = state.members.get(userId);
  if (!target) return notThere;
  if (state.status === 'closed') return roomClosed;
  if (state.visibility === 'direct') return reject('NotAllowed', 'A direct room has no roles.');
  const beyond = rank[role] >= rankOf(actor, state) || rank[target.role] >= rankOf(actor, state);
  if (!governs(actor, state) && beyond) return notAllowed;
  if (target.role === role) return accept();
  if (isLastOwner(userId, state)) return lastOwner;
  return accept({ type: 'MemberRoleChanged', data: { userId, role } });
}

function transfer({ actor, userId }: TransferOwnership, state: RoomState): RoomDecision {
  const own = state.members.get(actor.id);
  if (own?.role !== 'owner') return refusal(actor, state);
  if (state.status === 'closed') return roomClosed;
  const heir = state.members.get(userId);
  if (!heir) return notThere;
  if (userId === actor.id) return reject('Invalid', 'This person is owner already.');
  const gives = { type: 'MemberRoleChanged', data: { userId: actor.id, role: 'moderator' } } as const;
  if (heir.role === 'owner') return accept(gives);
  return accept({ type: 'MemberRoleChanged', data: { userId, role: 'owner' } }, gives);
}

function post(command: PostMessage, state: RoomState, at: string): RoomDecision {
  const { actor, messageId, text, replyTo, kind, imported } = command;
  const member = state.members.get(actor.id);
  if (!member) return notAMember;
  const earlier = maybeKnown(command, state) ? findMessage(command, messageId, state) : undefined;
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
  const posted = {
    type: 'MessagePosted',
    data: { ...(imported && { imported }), kind, messageId, replyTo, text },
  } as const;
  // Somebody who left a direct room is in it again when the other writes, or they would never see it.
  return state.pair.length === 0 ? accept(posted) : accept(...broughtBack(state.pair, state), posted);
}

/** Whether somebody could post something now, at least after waiting. It decides who is announced as typing. */
export const maySpeak = (actor: Actor, state: RoomState, at: string): boolean =>
  !mayNotPost(actor, state) && !silenced(actor, state, at);

function mayNotPost({ id }: Actor, { members, status }: RoomState): Rejection | null {
  const member = members.get(id);
  if (!member) return notAMember;
  if (status === 'closed') return roomClosed;
  return member.role === 'guest' ? reject('NotAllowed', 'Guests of this room may read only.') : null;
}

/** Posting again what was posted changes nothing. Where the first content is gone, its author is believed. */
function repeated(command: PostMessage, earlier: MessageFacts): RoomDecision {
  const first = earlier.posted;
  const same =
    earlier.redacted || !first || first.fingerprint === null || first.fingerprint === contentFingerprint(command);
  if (earlier.author === command.actor.id && same) return { events: [], earlier: first?.revision };
  return reject('DuplicateId', 'This message id was used before with other content.');
}

function edit(command: EditMessage, state: RoomState, at: string): RoomDecision {
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
  if (message.redacted) return reject('Conflict', 'The message was redacted.');
  const problem = visibleTextProblem(text, 1, limits.messageText);
  if (problem) return reject('Invalid', `The text ${problem}.`);
  return accept({ type: 'MessageEdited', data: { messageId, text } });
}

function redact(command: RedactMessage, state: RoomState): RoomDecision {
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

function react(command: AddReaction | RemoveReaction, state: RoomState, at: string): RoomDecision {
  const { actor, messageId } = command;
  const member = state.members.get(actor.id);
  if (!member) return notAMember;
  if (state.status === 'closed') return roomClosed;
  if (member.role === 'guest') return notAllowed;
  const wished = command.type === 'AddReaction';
  // Whatever an earlier release let in can be removed.
  const emoji = wished ? emojiOf(command.emoji) : reactionOf(command.emoji);
  if (emoji === null) return reject('Invalid', 'A reaction must be one emoji.');
  const problem = textProblem(emoji, 1, limits.emoji);
  if (problem) return reject('Invalid', `The emoji ${problem}.`);
  const message = findMessage(command, messageId, state);
  if (!message) return noSuchMessage;
  if (isRejection(message)) return message;
  const present = hasReaction(command, state);
  if (typeof present === 'object') return present;
  if (present === wished) return accept();
  if (!wished) return accept({ type: 'ReactionRemoved', data: { messageId, emoji } });
  const held = silenced(actor, state, at);
  if (held) return held;
  if (message.redacted) return reject('Conflict', 'The message was redacted.');
  const reactions = reactionsTo(command, state);
  if (isRejection(reactions)) return reactions;
  if (reactions.size >= mostReactions && !reactions.has(emoji)) return tooManyReactions;
  return accept({ type: 'ReactionAdded', data: { messageId, emoji } });
}

const tooManyReactions = reject(
  'Conflict',
  `A message can have ${mostReactions} different reactions. Use one that is already there.`,
);

function hasReaction(
  { actor, messageId, emoji, older }: AddReaction | RemoveReaction,
  state: RoomState,
): boolean | Rejection {
  const recent = state.reactions.get(reactionKey(messageId, actor.id, emoji));
  if (recent !== undefined || knowsReactions(messageId, state)) return recent ?? false;
  if (!covers(older, messageId, state.reactions.since)) return notCaughtUp;
  const kind = reactionOf(emoji);
  return older.messages.get(messageId)?.reactions.some((one) => one.emoji === kind && one.mine) ?? false;
}

/**
 * The different reactions to a message. One of which the last was removed after the look-up may still be among them, but
 * not if the actor removed it.
 */
function reactionsTo({ actor, messageId, older }: AddReaction, state: RoomState): ReadonlySet<string> | Rejection {
  const found = new Set<string>();
  if (!knowsReactions(messageId, state)) {
    if (!covers(older, messageId, state.reactions.since)) return notCaughtUp;
    const earlier = older.messages.get(messageId)?.reactions ?? [];
    for (const { emoji, count, mine } of earlier) {
      const onlyMine = mine && count === 1;
      const removed = onlyMine && state.reactions.get(reactionKey(messageId, actor.id, emoji)) === false;
      // A look-up may leave out some where there are more than there may be, so then none of these makes room.
      if (!removed || earlier.length > mostReactions) found.add(emoji);
    }
  }
  const ofMessage = `${messageId} `;
  for (const [key, present] of state.reactions.entries()) {
    if (present && key.startsWith(ofMessage)) found.add(key.slice(key.indexOf(' ', ofMessage.length) + 1));
  }
  return found;
}

function close({ actor, reason }: CloseRoom, state: RoomState): RoomDecision {
  if (state.visibility === 'direct') return reject('NotAllowed', 'A direct room cannot be closed.');
  if (!governs(actor, state)) return refusal(actor, state);
  if (state.status === 'closed') return accept();
  const problem = reasonProblem(reason);
  if (problem) return problem;
  return accept({ type: 'ChatClosed', data: { reason } });
}

function alreadyImported({ file, place }: ImportSource, state: RoomState): boolean {
  const taken = state.imports[file];
  return taken !== undefined && place <= taken;
}

// Who may know of it -------------------------------------------------------------------------------------------------

/** Why this person may not change the room, its settings or its webhooks; null: they may. */
export function governingProblem(state: RoomState, actor: Actor): Rejection | null {
  if (concealed(state, actor)) return noSuchRoom;
  return governs(actor, state) ? null : refusal(actor, state);
}

/** Whether this person may not even know that the room exists. */
export function concealed(state: RoomState, actor: Actor): boolean {
  if (state.status === 'unborn' || state.status === 'abandoned') return true;
  if (state.members.get(actor.id) || actor.role !== 'user') return false;
  return state.visibility === 'hidden' || state.visibility === 'direct';
}

/** Why this person may not see and revoke the invitations to the room, nor make any; null if they may. */
export function invitingProblem(actor: Actor, state: RoomState): Rejection | null {
  if (concealed(state, actor)) return noSuchRoom;
  if (!moderates(actor, state)) return refusal(actor, state);
  return state.visibility === 'direct' ? reject('NotAllowed', 'A direct room is for two people.') : null;
}

/** Whether the room holds the claim to its name: names are unique among open rooms that are not hidden. */
export const holdsName = (state: RoomState): boolean =>
  state.status === 'open' && (state.visibility === 'public' || state.visibility === 'private');

/** The revision from which this member may read, from 0. Whoever made the room joined at revision 1 and saw it made. */
export const readableFrom = (state: RoomState, member: Member): bigint =>
  state.visibility !== 'public' && state.history === 'joined' && member.joined > 1n ? member.joined : 0n;

export const room: Decider<RoomState, RoomCommand, RoomEvent> = { category: 'room', initialState, evolve, decide };
