import {
  type AnnouncementCommand,
  type AnnouncementEvent,
  type AnnouncementState,
  type AuditLogEvent,
  type AuditLogState,
  announcement,
  auditLog,
  type BeginAuditLog,
  type ErasureCommand,
  type ErasureEvent,
  type ErasureState,
  type ExportRequestEvent,
  type ExportRequestState,
  erasure,
  exportRequest,
  type InvitationCommand,
  type InvitationEvent,
  type InvitationState,
  invitation,
  type MaintenanceCommand,
  type MaintenanceEvent,
  type MaintenanceState,
  type Moderation,
  maintenance,
  messagesToLookUp,
  type OlderMessages,
  parseStream,
  type RequestExport,
  type RoomCommand,
  type RoomEvent,
  type RoomState,
  room,
  type UserCommand,
  type UserEvent,
  type UserState,
  user,
} from '@verbatim/domain';
import type { MessageLookup } from '@verbatim/projections';
import type { MailboxParts } from './mailbox.js';
import { Mailboxes, mailboxesLimits } from './mailboxes.js';
import {
  announcementSnapshot,
  auditLogSnapshot,
  erasureSnapshot,
  exportRequestSnapshot,
  invitationSnapshot,
  maintenanceSnapshot,
  roomSnapshot,
  userSnapshot,
} from './saved-states.js';

/** The dependencies of all mailboxes. */
export type WriteParts = Pick<
  MailboxParts<never, never, never>,
  'store' | 'sealer' | 'snapshots' | 'clock' | 'gate' | 'continuity' | 'tracing'
>;

/** Looks up messages that are no longer in a room's state. */
export type LookUpMessages = (lookups: readonly MessageLookup[]) => Promise<readonly OlderMessages[]>;

/** The write side of all rooms. */
export class Rooms extends Mailboxes<RoomState, RoomCommand, RoomEvent> {
  constructor(parts: WriteParts, lookUpMessages: LookUpMessages, limits = mailboxesLimits) {
    const lookUp = (stream: string, commands: readonly RoomCommand[], state: RoomState) => {
      const wanted = commands.map((command) => messagesToLookUp(command, state));
      return wanted.some((ids) => ids.length > 0)
        ? withOlder(lookUpMessages, parseStream(stream).id, commands, wanted)
        : null;
    };
    super({ ...parts, decider: room, snapshot: roomSnapshot, weigh: weighRoom, lookUp }, limits);
  }
}

/** As measured on rooms of each kind; texts are not part of the state. */
const weighRoom = ({ members, moderation, messages, reactions }: RoomState): number =>
  3_000 + members.size * 630 + weighModeration(moderation) + messages.size * 700 + reactions.size * 210;

const weighModeration = ({ lastPosts, bans, mutes, reports }: Moderation): number =>
  (lastPosts.young.size + lastPosts.old.size + bans.size + mutes.size + reports.size) * 300;

async function withOlder(
  lookUpMessages: LookUpMessages,
  roomId: string,
  commands: readonly RoomCommand[],
  wanted: readonly string[][],
): Promise<readonly RoomCommand[]> {
  const answers = await lookUpMessages(
    commands.map((command, i) => ({
      room: roomId,
      messages: wanted[i] ?? [],
      actor: command.actor.id,
      emoji: 'emoji' in command ? command.emoji : undefined,
    })),
  );
  return commands.map((command, i) => (wanted[i]?.length ? { ...command, older: answers[i] } : command) as RoomCommand);
}

/** The write side of all accounts. */
export class Users extends Mailboxes<UserState, UserCommand, UserEvent> {
  constructor(parts: WriteParts) {
    super({ ...parts, decider: user, snapshot: userSnapshot, weigh: () => 3_000, lookUp: () => null });
  }
}

/** The write side of all invitations. */
export class Invitations extends Mailboxes<InvitationState, InvitationCommand, InvitationEvent> {
  constructor(parts: WriteParts) {
    const weigh = ({ redeemedBy }: InvitationState) => 3_000 + redeemedBy.size * 250;
    super({ ...parts, decider: invitation, snapshot: invitationSnapshot, weigh, lookUp: () => null });
  }
}

/** The write side of the announcement, of which there is one. */
export class Announcements extends Mailboxes<AnnouncementState, AnnouncementCommand, AnnouncementEvent> {
  constructor(parts: WriteParts) {
    super({ ...parts, decider: announcement, snapshot: announcementSnapshot, weigh: () => 2_000, lookUp: () => null });
  }
}

/** The write side of maintenance, of which there is one. */
export class Maintenances extends Mailboxes<MaintenanceState, MaintenanceCommand, MaintenanceEvent> {
  constructor(parts: WriteParts) {
    super({ ...parts, decider: maintenance, snapshot: maintenanceSnapshot, weigh: () => 2_000, lookUp: () => null });
  }
}

/** The write side of the transparency log, of which there is one. */
export class AuditLogs extends Mailboxes<AuditLogState, BeginAuditLog, AuditLogEvent> {
  constructor(parts: WriteParts) {
    super({ ...parts, decider: auditLog, snapshot: auditLogSnapshot, weigh: () => 2_000, lookUp: () => null });
  }
}

/** The write side of the register of erasures and holds, of which there is one. */
export class Erasures extends Mailboxes<ErasureState, ErasureCommand, ErasureEvent> {
  constructor(parts: WriteParts) {
    const weigh = ({ pending, holds, rules, finished }: ErasureState) =>
      2_000 + pending.size * 600 + (holds.size + rules.size) * 400 + finished.size * 150;
    super({ ...parts, decider: erasure, snapshot: erasureSnapshot, weigh, lookUp: () => null });
  }
}

/** The write side of requested exports. */
export class ExportRequests extends Mailboxes<ExportRequestState, RequestExport, ExportRequestEvent> {
  constructor(parts: WriteParts) {
    super({
      ...parts,
      decider: exportRequest,
      snapshot: exportRequestSnapshot,
      weigh: () => 1_000,
      lookUp: () => null,
    });
  }
}
