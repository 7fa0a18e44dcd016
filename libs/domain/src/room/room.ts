import { type Decider, type Decision, streamName } from '../decider.js';
import { governingProblem, maySee } from './access.js';
import { alreadyImported, withImport } from './imports.js';
import {
  type AbandonRoom,
  abandon,
  type CloseRoom,
  type CreateDirectRoom,
  type CreateRoom,
  close,
  create,
  createDirect,
  evolveLifecycle,
  type LifecycleEvent,
} from './lifecycle.js';
import {
  addMember,
  changeMemberRole,
  evolveMembership,
  join,
  type MembershipCommand,
  type MembershipEvent,
  removeMember,
  transferOwnership,
} from './membership.js';
import {
  decideMessage,
  evolveMessages,
  isMessageCommand,
  isMessageEvent,
  type MessageCommand,
  type MessageEvent,
  messagesToLookUpForPost,
  type OnMessage,
} from './messages.js';
import { evolveModeration, type ModerationCommand, type ModerationEvent, moderate, report } from './moderation.js';
import { findMessage, knowsAll } from './older-messages.js';
import {
  evolveReactions,
  messagesToLookUpForReaction,
  type ReactionCommand,
  type ReactionEvent,
  react,
} from './reactions.js';
import { noSuchRoom, onlyReads } from './rights.js';
import {
  type AbandonRoomName,
  abandonName,
  type ChangeRoom,
  change,
  evolveSettings,
  type SettingsEvent,
} from './settings.js';
import { initialState, type RoomState, roomStateVersion } from './state.js';
import { decideWebhook, evolveWebhooks, isWebhookCommand, type WebhookCommand, type WebhookEvent } from './webhooks.js';

// Composes the rules of a room from its aspects, one file each. Each has its events, commands and decisions.

export { governingProblem, holdsName, invitingProblem, maySee, readableFrom } from './access.js';
export type { ImportSource } from './imports.js';
export {
  type AbandonRoom,
  accountGone,
  type ChatClosed,
  type CloseRoom,
  type CreateDirectRoom,
  type CreateRoom,
  type RoomAbandoned,
  type RoomCreated,
} from './lifecycle.js';
export type {
  AddMember,
  ChangeMemberRole,
  JoinRoom,
  MemberJoined,
  MemberLeft,
  MemberRemoved,
  MemberRoleChanged,
  RemoveMember,
  TransferOwnership,
} from './membership.js';
export {
  contentFingerprint,
  type EditMessage,
  type EraseTexts,
  type MessageEdited,
  type MessageKind,
  type MessagePosted,
  type MessageRedacted,
  maySpeak,
  type PostMessage,
  type RedactMessage,
  type TextsErased,
} from './messages.js';
export type { OlderMessages, ReactionCount } from './older-messages.js';
export {
  type AddReaction,
  mostReactions,
  type ReactionAdded,
  type ReactionRemoved,
  type RemoveReaction,
} from './reactions.js';
export type { RoomRole } from './rights.js';
export type { AbandonRoomName, ChangeRoom, RoomChanged, RoomNameAbandoned } from './settings.js';
export type { HistoryAccess, Member, MessageFacts, RoomSettings, RoomState, Visibility } from './state.js';

export const roomStream = (roomId: string): string => streamName('room', roomId);

export type RoomEvent =
  | LifecycleEvent
  | SettingsEvent
  | MembershipEvent
  | MessageEvent
  | ReactionEvent
  | ModerationEvent
  | WebhookEvent;

function evolve(before: RoomState, event: RoomEvent): RoomState {
  const state = { ...before, revision: event.revision };
  if ('imported' in event.data && event.data.imported) state.imports = withImport(before.imports, event.data.imported);
  if (isMessageEvent(event)) return evolveMessages(state, event);
  switch (event.type) {
    case 'ReactionAdded':
    case 'ReactionRemoved':
      return evolveReactions(state, event);
    case 'MemberJoined':
    case 'MemberLeft':
    case 'MemberRemoved':
    case 'MemberRoleChanged':
      return evolveMembership(state, event);
    case 'RoomCreated':
    case 'RoomAbandoned':
    case 'ChatClosed':
      return evolveLifecycle(state, event);
    case 'RoomChanged':
    case 'RoomNameAbandoned':
      return evolveSettings(state, event);
    case 'MemberBanned':
    case 'MemberUnbanned':
    case 'MemberMuted':
    case 'MemberUnmuted':
    case 'MessageReported':
    case 'ReportSettled':
    case 'RoomInspected':
      return { ...state, moderation: evolveModeration(state.moderation, event) };
    case 'WebhookAdded':
    case 'WebhookChanged':
    case 'WebhookRemoved':
    case 'IncomingWebhookAdded':
    case 'IncomingWebhookRemoved':
      return { ...state, ...evolveWebhooks(state, event) };
    default:
      // An event of a later release: no rule here depends on it.
      return state;
  }
}

export type ReportMessage = OnMessage & {
  readonly type: 'ReportMessage';
  readonly reportId: string;
  readonly reason: string;
};

export type RoomCommand =
  | CreateRoom
  | CreateDirectRoom
  | AbandonRoom
  | CloseRoom
  | ChangeRoom
  | AbandonRoomName
  | MembershipCommand
  | MessageCommand
  | ReactionCommand
  | ReportMessage
  | ModerationCommand
  | WebhookCommand;

function decide(command: RoomCommand, state: RoomState, at: string): Decision<RoomEvent> {
  if (command.actor.role === 'auditor' && command.type !== 'InspectRoom') return onlyReads;
  if (command.type === 'CreateRoom') return create(command, state);
  if (command.type === 'CreateDirectRoom') return createDirect(command, state);
  if (command.type === 'AbandonRoom') return abandon(state);
  if (state.status === 'unborn' || state.status === 'abandoned') return noSuchRoom;
  if (command.type === 'AbandonRoomName') return abandonName(command, state);
  if ('imported' in command && command.imported && alreadyImported(command.imported, state)) return { events: [] };
  if (command.type === 'JoinRoom') return join(command, state, at);
  if (command.type === 'StopWebhook') return decideWebhook(command, state, null);
  if (!maySee(state, command.actor)) return noSuchRoom;
  if (isWebhookCommand(command)) return decideWebhook(command, state, governingProblem(state, command.actor));
  if (isMessageCommand(command)) return decideMessage(command, state, at);

  switch (command.type) {
    case 'AddReaction':
    case 'RemoveReaction':
      return react(command, state, at);
    case 'AddMember':
      return addMember(command, state, at);
    case 'RemoveMember':
      return removeMember(command, state);
    case 'ChangeMemberRole':
      return changeMemberRole(command, state);
    case 'TransferOwnership':
      return transferOwnership(command, state);
    case 'ReportMessage':
      return report(command, findMessage(command, command.messageId, state), state);
    case 'ChangeRoom':
      return change(command, state);
    case 'CloseRoom':
      return close(command, state);
    default:
      return moderate(command, state, at);
  }
}

/** Ids of the messages that `command` needs and that `state` knows too little about; usually none. */
export function messagesToLookUp(command: RoomCommand, state: RoomState): string[] {
  switch (command.type) {
    case 'PostMessage':
      return messagesToLookUpForPost(command, state);
    case 'AddReaction':
    case 'RemoveReaction':
      return messagesToLookUpForReaction(command, state);
    default:
      return 'messageId' in command && !knowsAll(command.messageId, state) ? [command.messageId] : [];
  }
}

export const room: Decider<RoomState, RoomCommand, RoomEvent> = {
  category: 'room',
  stateVersion: roomStateVersion,
  initialState,
  evolve,
  decide,
};
