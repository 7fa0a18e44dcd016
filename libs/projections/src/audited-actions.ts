import type { ErasureScope, EventType, ExportScope, Recorded, RetentionScope } from '@verbatim/domain';
import { parseStream } from '@verbatim/domain';

/** What an action was done to. The service as a whole has no id. */
export type TargetKind = 'room' | 'user' | 'message' | 'report' | 'webhook' | 'invitation' | 'service';

/** What an event says about what somebody did. */
export interface AuditedAction {
  readonly kind: TargetKind;
  readonly id: string | null;
  /** The room in which it was done. */
  readonly room?: string;
  readonly reason?: string | null;
  /** More about the action: what was read, which role was given, which settings were changed. */
  readonly detail?: string;
}

/**
 * What the event says about an action of its actor on the service, a room or other people; null for what people do as
 * members and with their own account: talking, joining, leaving, signing in.
 */
export function auditedAction(event: Recorded): AuditedAction | null {
  const describe = Object.hasOwn(actions, event.type) ? (actions[event.type] as Describe<EventType>) : null;
  return describe ? describe(event as never, parseStream(event.stream).id) : null;
}

type Of<T extends EventType> = Extract<Recorded, { type: T }>;
type Describe<T extends EventType> = (event: Of<T>, id: string) => AuditedAction | null;

const user = (id: string, more: Omit<AuditedAction, 'kind' | 'id'> = {}): AuditedAction => ({
  kind: 'user',
  id,
  ...more,
});
const room = (id: string, more: Omit<AuditedAction, 'kind' | 'id'> = {}): AuditedAction => ({
  kind: 'room',
  id,
  room: id,
  ...more,
});
const webhook = (event: { data: { webhookId: string } }, id: string): AuditedAction => ({
  kind: 'webhook',
  id: event.data.webhookId,
  room: id,
});
const inRoom = (event: { data: { userId: string; reason?: string | null } }, id: string): AuditedAction =>
  user(event.data.userId, { room: id, reason: event.data.reason });
/** Something done with an account by somebody else. */
const ofAnother = (event: { actor: string | null }, id: string): AuditedAction | null =>
  event.actor === id ? null : user(id);
const service = (): AuditedAction => ({ kind: 'service', id: null });

const scoped = (scope: ErasureScope): AuditedAction => {
  if (scope.kind === 'person') return user(scope.userId);
  if (scope.kind === 'message') return { kind: 'message', id: scope.messageId, room: scope.roomId };
  return room(scope.roomId, scope.kind === 'days' ? { detail: `${scope.from} – ${scope.to}` } : {});
};

const exported = ({ room: roomId, person, from, to }: ExportScope): AuditedAction => {
  const detail = from === undefined && to === undefined ? {} : { detail: `${from ?? ''} – ${to ?? ''}` };
  if (person !== undefined) return user(person, { ...detail, ...(roomId !== undefined && { room: roomId }) });
  return { ...(roomId === undefined ? service() : room(roomId)), ...detail };
};

const retained = (scope: RetentionScope, days?: number | null): AuditedAction => {
  const kept = days === undefined ? [] : [days === null ? 'for good' : `${days} days`];
  const detail = [...(scope.kind === 'visibility' ? [scope.visibility] : []), ...kept].join(': ');
  return { ...(scope.kind === 'room' ? room(scope.roomId) : service()), ...(detail !== '' && { detail }) };
};

/** Each type of event, or null where it is none of these actions, nor is one that is absent. */
const actions: { readonly [T in EventType]?: Describe<T> | null } = {
  RoomCreated: (_, id) => room(id),
  RoomAbandoned: null,
  RoomNameAbandoned: null,
  RoomChanged: ({ data }, id) => room(id, { detail: Object.keys(data).sort().map(settingName).join(', ') }),
  MemberJoined: ({ actor, data }, id) =>
    data.userId === actor ? null : user(data.userId, { room: id, detail: data.role }),
  MemberLeft: null,
  MemberRemoved: inRoom,
  MemberRoleChanged: ({ data }, id) => user(data.userId, { room: id, detail: data.role }),
  MessagePosted: null,
  MessageEdited: null,
  MessageRedacted: ({ actor, data }, id) =>
    data.authorId === actor ? null : { kind: 'message', id: data.messageId, room: id, reason: data.reason },
  ReactionAdded: null,
  ReactionRemoved: null,
  MemberBanned: inRoom,
  MemberUnbanned: inRoom,
  MemberMuted: inRoom,
  MemberUnmuted: inRoom,
  MessageReported: null,
  ReportSettled: ({ data }, id) => ({
    kind: 'report',
    id: data.reportId,
    room: id,
    reason: data.note,
    detail: data.outcome,
  }),
  RoomInspected: ({ data }, id) => room(id, { reason: data.reason, detail: data.what }),
  ChatClosed: ({ data }, id) => room(id, { reason: data.reason }),
  WebhookAdded: webhook,
  WebhookChanged: webhook,
  WebhookRemoved: webhook,
  IncomingWebhookAdded: webhook,
  IncomingWebhookRemoved: webhook,
  UserRegistered: ({ data }, id) => user(id, { detail: data.role }),
  UserAbandoned: null,
  UserChanged: ofAnother,
  UserEmailChanged: ofAnother,
  UserRoleChanged: ({ data }, id) => user(id, { detail: data.role }),
  UserSuspended: ({ data }, id) => user(id, { reason: data.reason }),
  UserReinstated: (_, id) => user(id),
  UserDeactivated: (_, id) => user(id),
  UserReactivated: (_, id) => user(id),
  SessionStarted: null,
  SessionRevoked: ofAnother,
  PasswordChanged: ofAnother,
  PasswordResetIssued: ofAnother,
  TotpEnabled: ofAnother,
  TotpDisabled: ofAnother,
  RecoveryCodesIssued: null,
  RecoveryCodeUsed: null,
  IdentityLinked: null,
  SignInLockedOut: null,
  TokenCreated: ofAnother,
  TokenRevoked: ofAnother,
  InvitationCreated: ({ data }, id) => ({
    kind: 'invitation',
    id,
    ...(data.to.kind === 'room' && { room: data.to.roomId }),
    detail: data.to.kind,
  }),
  InvitationRedeemed: null,
  InvitationRevoked: (_, id) => ({ kind: 'invitation', id }),
  TextsErased: null,
  ErasureRequested: ({ data }) => ({ ...scoped(data.scope), reason: data.reason, detail: data.ground }),
  ErasureBegan: null,
  ErasureFinished: null,
  HoldPlaced: ({ data }) => ({ ...scoped(data.scope), reason: data.reason }),
  HoldLifted: ({ data }) => scoped(data.scope),
  ExportRequested: ({ data }) => ({ ...exported(data.scope), reason: data.reason }),
  RetentionRuleSet: ({ data }) => ({ ...retained(data.scope, data.days), reason: data.reason }),
  RetentionRuleRemoved: ({ data }) => ({ ...retained(data.scope), reason: data.reason }),
  Announced: service,
  AnnouncementWithdrawn: service,
  MaintenanceBegan: service,
  MaintenanceRevised: service,
  MaintenanceEnded: service,
  AuditLogBegun: ({ data }) => ({ ...service(), reason: data.reason }),
};

/** As clients know the setting: the id of a password is none of their business, that it was changed is. */
const settingName = (field: string): string => (field === 'passwordId' ? 'password' : field);
