import type { DomainEvent, EventType } from './recorded.js';
import type { RoomRole } from './room/rights.js';

/**
 * The faces of an event, each showing everything that the previous one shows: for members of a room, for its moderators,
 * for its owners, for administrators and auditors.
 */
export type Face = 'member' | 'moderator' | 'owner' | 'auditor';

/** Whose key seals a personal field: the room's (or other stream's) own, the acting person's for the day, or the account holder's. */
export type SealedFor = 'room' | 'actor' | 'account';

interface FieldRule {
  readonly sealedFor?: SealedFor;
  /** The first face that shows the field; `member` if absent. */
  readonly from?: Face;
  /**
   * The plain value that replaces the sealed one, permanently once its key is destroyed. For fields in which null does not
   * mean erased: a room must not lose its password because its name was erased.
   */
  readonly standIn?: string;
  /** Shown to members only while no later edit or redaction has replaced it. */
  readonly replaceable?: true;
}

type FieldRules<E extends DomainEvent> = { readonly [T in E['type']]: Readonly<Record<string, FieldRule>> };

/** Replaces a sealed id; no row in the vault has it. */
export const SEALED_ID = '00000000-0000-0000-0000-000000000000';

/** Refers to a row in the vault. Members do not need it, so it is kept out of the text whose hash they can check. */
const vaultId = { sealedFor: 'room', from: 'auditor', standIn: SEALED_ID } as const;

/** Every event type declares here which of its fields are personal, and who may see them. All other fields are plain. */
export const fieldRules: FieldRules<DomainEvent> = {
  RoomCreated: {
    name: { sealedFor: 'room' },
    topic: { sealedFor: 'room' },
    passwordId: vaultId,
    imported: { from: 'auditor' },
  },
  RoomAbandoned: {},
  RoomNameAbandoned: { claim: { from: 'auditor' } },
  RoomChanged: { name: { sealedFor: 'room' }, topic: { sealedFor: 'room' }, passwordId: vaultId },
  MemberJoined: { imported: { from: 'auditor' } },
  MemberLeft: { imported: { from: 'auditor' } },
  MemberRemoved: { reason: { sealedFor: 'actor', from: 'moderator' }, imported: { from: 'auditor' } },
  MemberRoleChanged: {},
  MessagePosted: { text: { sealedFor: 'actor', replaceable: true }, imported: { from: 'auditor' } },
  MessageEdited: { text: { sealedFor: 'actor', replaceable: true } },
  MessageRedacted: { reason: { sealedFor: 'actor', from: 'moderator' } },
  TextsErased: {},
  ReactionAdded: {},
  ReactionRemoved: {},
  MemberBanned: { reason: { sealedFor: 'actor', from: 'moderator' } },
  MemberUnbanned: {},
  MemberMuted: { reason: { sealedFor: 'actor', from: 'moderator' } },
  MemberUnmuted: {},
  MessageReported: {
    reportId: { from: 'moderator' },
    messageId: { from: 'moderator' },
    reason: { sealedFor: 'actor', from: 'moderator' },
  },
  ReportSettled: {
    reportId: { from: 'moderator' },
    outcome: { from: 'moderator' },
    note: { sealedFor: 'actor', from: 'moderator' },
  },
  RoomInspected: { what: { from: 'owner' }, reason: { sealedFor: 'actor', from: 'owner' } },
  ChatClosed: { reason: { sealedFor: 'actor' } },
  WebhookAdded: { host: { sealedFor: 'room' }, urlId: vaultId, secretId: vaultId },
  WebhookChanged: { host: { sealedFor: 'room' }, urlId: vaultId, secretId: vaultId },
  WebhookRemoved: {},
  IncomingWebhookAdded: { name: { sealedFor: 'room' } },
  IncomingWebhookRemoved: {},
  UserRegistered: { displayName: { sealedFor: 'account' }, email: { sealedFor: 'account', from: 'auditor' } },
  UserAbandoned: {},
  UserChanged: { displayName: { sealedFor: 'account' } },
  UserEmailChanged: { email: { sealedFor: 'account', from: 'auditor' } },
  UserRoleChanged: {},
  UserSuspended: { reason: { sealedFor: 'account', from: 'auditor' } },
  UserReinstated: {},
  SessionStarted: { sessionId: { from: 'auditor' } },
  SessionRevoked: { sessionId: { from: 'auditor' } },
  TokenCreated: { tokenId: { from: 'auditor' }, name: { sealedFor: 'account', from: 'auditor' } },
  TokenRevoked: { tokenId: { from: 'auditor' } },
  SignInLockedOut: {},
  InvitationCreated: {},
  InvitationRedeemed: {},
  InvitationRevoked: {},
  Announced: {},
  AnnouncementWithdrawn: {},
  MaintenanceBegan: {},
  MaintenanceRevised: {},
  MaintenanceEnded: {},
  AuditLogBegun: { reason: { sealedFor: 'room' } },
  ErasureRequested: { reason: { sealedFor: 'actor', from: 'auditor' } },
  ErasureBegan: {},
  ErasureFinished: {},
  HoldPlaced: { reason: { sealedFor: 'actor', from: 'auditor' } },
  HoldLifted: {},
  ExportRequested: {
    words: { sealedFor: 'actor', from: 'auditor' },
    reason: { sealedFor: 'actor', from: 'auditor' },
  },
  RetentionRuleSet: { reason: { sealedFor: 'actor', from: 'auditor' } },
  RetentionRuleRemoved: { reason: { sealedFor: 'actor', from: 'auditor' } },
  UserDeactivated: {},
  UserReactivated: {},
  PasswordChanged: {},
  PasswordResetIssued: {},
  TotpEnabled: { totpId: { from: 'auditor' } },
  TotpDisabled: {},
  RecoveryCodesIssued: {},
  RecoveryCodeUsed: {},
  IdentityLinked: { identityId: { from: 'auditor' } },
};

/** The events that only some faces may see at all, each with the first face that may. */
const knownFrom: { readonly [T in EventType]?: Face } = {
  MessageReported: 'moderator',
  ReportSettled: 'moderator',
  RoomInspected: 'owner',
};

/** Takes the place of an event that a face may not see, so that revisions and hashes have no gap. */
export const WITHHELD = 'EventWithheld';

/** Whether a face may not see an event. Its type, actor and text are then withheld; its place and hash are not. */
export function withheld(event: { type: string }, face: Face): boolean {
  const from = Object.hasOwn(knownFrom, event.type) ? knownFrom[event.type as EventType] : undefined;
  return from !== undefined && order[face] < order[from];
}

/** The rules of an event type; an unknown type of a later release hides everything from all but auditors. */
export const rulesOf = (type: string): Readonly<Record<string, FieldRule>> | undefined =>
  Object.hasOwn(fieldRules, type) ? fieldRules[type as EventType] : undefined;

const order: Record<Face, number> = { member: 0, moderator: 1, owner: 2, auditor: 3 };

/** Which face a person sees, by the role in the room and on the server. */
export function faceOf(roomRole: RoomRole | null, auditing: boolean): Face {
  if (auditing) return 'auditor';
  return roomRole === 'owner' || roomRole === 'moderator' ? roomRole : 'member';
}

/**
 * The data of an event cut to what one face shows: the only way in which events leave the service.
 * `replaced`: a later edit or redaction replaced the text of this event, so the text is null.
 */
export function view(event: { type: string; data: unknown }, face: Face, replaced = false): Record<string, unknown> {
  const rules = rulesOf(event.type);
  const data = event.data as Record<string, unknown>;
  if (!rules) return face === 'auditor' ? data : {};
  const shown: Record<string, unknown> = {};
  for (const field in data) {
    const rule = rules[field];
    if (rule?.from && order[face] < order[rule.from]) continue;
    shown[field] = replaced && rule?.replaceable && face !== 'auditor' ? null : data[field];
  }
  return shown;
}

/**
 * Whether a face sees all that is sealed in an event, so that it may have the key that opens it; `replaced` as for `view`.
 */
export function mayOpen(event: { type: string; data: unknown }, face: Face, replaced = false): boolean {
  if (withheld(event, face)) return false;
  const rules = rulesOf(event.type);
  if (!rules) return face === 'auditor';
  const [data, shown] = [event.data as Record<string, unknown>, view(event, face, replaced)];
  return Object.entries(rules).every(([field, { sealedFor }]) => {
    const isThere = sealedFor !== undefined && data[field] !== undefined && data[field] !== null;
    return !isThere || shown[field] === data[field];
  });
}

/** Whether all members see the same of an event, whatever their role, so that it is encoded once for all. */
export function sameForMembers(event: { type: string; data: unknown }): boolean {
  if (withheld(event, 'member')) return false;
  const rules = rulesOf(event.type) ?? {};
  for (const field in event.data as object) if (rules[field]?.from) return false;
  return true;
}
