import type { Happened } from './decider.js';
import type { DomainEvent } from './recorded.js';

type Fact = {
  readonly [E in DomainEvent as E['type']]: { readonly type: E['type']; readonly data: E['data'] };
}[DomainEvent['type']];

interface Entry {
  readonly stream: string;
  readonly actor: string | null;
  readonly fact: Fact;
  readonly occurredAt?: string;
}

const on =
  (stream: string) =>
  (actor: string | null, fact: Fact, occurredAt?: string): Entry => ({
    stream,
    actor,
    fact,
    ...(occurredAt && { occurredAt }),
  });
const ada = on('user-ada');
const bob = on('user-bob');
const cem = on('user-cem');
const dora = on('user-dora');
const hook = on('user-hook');
const gone = on('user-gone');
const lounge = on('room-lounge');
const cellar = on('room-cellar');
const direct = on('room-direct');
const lost = on('room-lost');
const invitation = on('invitation-i1');
const announcement = on('announcement-server');
const maintenance = on('maintenance-server');
const auditLog = on('auditlog-server');
const erasures = on('erasure-server');
const anExport = on('export-x1');

const source = { file: 'f0', place: 7 };
const later = '2026-02-01T00:00:00.000Z';

/** A short log in which every type of event occurs. Golden tests fold it, so add to it rather than changing what is there. */
export const everyEvent: readonly Entry[] = [
  ada(null, {
    type: 'UserRegistered',
    data: { username: 'Ada', displayName: 'Ada L.', email: 'ada@example.org', role: 'admin', origin: 'setup' },
  }),
  bob(null, {
    type: 'UserRegistered',
    data: { username: 'bob', displayName: 'Bob', email: null, role: 'user', origin: 'registration' },
  }),
  cem(null, {
    type: 'UserRegistered',
    data: { username: 'cem', displayName: null, email: 'Cem@Example.org', role: 'user', origin: 'sso' },
  }),
  dora('ada', {
    type: 'UserRegistered',
    data: { username: 'dora', displayName: 'Dora', email: null, role: 'user', origin: 'bot' },
  }),
  gone(null, { type: 'UserAbandoned', data: {} }),
  bob('bob', { type: 'SessionStarted', data: { sessionId: 's1', how: 'registration' } }),
  bob('bob', { type: 'UserChanged', data: { displayName: 'Bob ÜBER' } }),
  bob('ada', { type: 'UserEmailChanged', data: { email: 'bob@example.org', how: 'administrator' } }),
  bob('bob', { type: 'TotpEnabled', data: { totpId: 't1' } }),
  bob('bob', { type: 'RecoveryCodesIssued', data: {} }),
  bob('bob', { type: 'RecoveryCodeUsed', data: {} }),
  bob('bob', { type: 'TokenCreated', data: { tokenId: 'k1', name: 'laptop', scopes: ['read'], expiresAt: later } }),
  bob('bob', { type: 'TokenCreated', data: { tokenId: 'k2', name: null, scopes: ['post'], expiresAt: later } }),
  bob('bob', { type: 'TokenRevoked', data: { tokenId: 'k1' } }),
  bob('bob', { type: 'PasswordChanged', data: { how: 'change' } }),
  bob('bob', { type: 'SessionRevoked', data: { sessionId: 's1', cause: 'password' } }),
  bob(null, { type: 'SignInLockedOut', data: {} }),
  cem(null, { type: 'IdentityLinked', data: { identityId: 'x1' } }),
  cem('ada', { type: 'UserRoleChanged', data: { role: 'auditor' } }),
  cem('ada', { type: 'PasswordResetIssued', data: {} }),
  cem('ada', { type: 'TotpEnabled', data: { totpId: 't2' } }),
  cem('ada', { type: 'TotpDisabled', data: {} }),
  cem('ada', { type: 'UserSuspended', data: { reason: 'Spam.' } }),
  cem('ada', { type: 'UserReinstated', data: {} }),
  dora('ada', { type: 'UserDeactivated', data: {} }),
  dora('ada', { type: 'UserReactivated', data: {} }),
  dora('ada', { type: 'UserSuspended', data: {} }),

  lost('ada', { type: 'RoomAbandoned', data: {} }),
  lounge('ada', {
    type: 'RoomCreated',
    data: { name: 'Lounge', topic: 'Everything', visibility: 'private', history: 'joined', passwordId: 'p1' },
  }),
  lounge('ada', { type: 'MemberJoined', data: { userId: 'ada', role: 'owner' } }),
  lounge('bob', { type: 'MemberJoined', data: { userId: 'bob', role: 'member' } }),
  lounge('ada', { type: 'RoomNameAbandoned', data: { claim: 'c1' } }),
  lounge('ada', { type: 'RoomChanged', data: { name: 'Lounge 2', topic: null, slowModeSeconds: 60 } }),
  lounge('ada', { type: 'MemberRoleChanged', data: { userId: 'bob', role: 'moderator' } }),
  lounge(
    'ada',
    { type: 'MemberJoined', data: { userId: 'cem', role: 'guest', imported: source } },
    '2004-06-01T08:00:00.000Z',
  ),
  lounge('bob', {
    type: 'MessagePosted',
    data: { messageId: 'm1', text: 'Hello, world', replyTo: null, kind: 'text' },
  }),
  lounge('ada', { type: 'MessagePosted', data: { messageId: 'm2', text: 'waves', replyTo: 'm1', kind: 'action' } }),
  lounge(
    'bob',
    {
      type: 'MessagePosted',
      data: {
        messageId: 'm3',
        text: 'From another system',
        replyTo: null,
        kind: 'text',
        imported: { file: 'f0', place: 9 },
      },
    },
    '2004-06-02T08:00:00.000Z',
  ),
  lounge('bob', { type: 'MessageEdited', data: { messageId: 'm1', text: 'Hello again' } }),
  lounge('cem', { type: 'MessageReported', data: { reportId: 'r1', messageId: 'm2', reason: 'Rude.' } }),
  lounge('cem', { type: 'MessageReported', data: { reportId: 'r2', messageId: 'm1', reason: 'Also rude.' } }),
  lounge('ada', { type: 'ReportSettled', data: { reportId: 'r1', outcome: 'acted', note: 'Redacted.' } }),
  lounge('ada', { type: 'MessageRedacted', data: { messageId: 'm2', authorId: 'ada', reason: 'Rude.' } }),
  lounge('ada', { type: 'ReactionAdded', data: { messageId: 'm1', emoji: '👍' } }),
  lounge('bob', { type: 'ReactionAdded', data: { messageId: 'm1', emoji: '👍' } }),
  lounge('bob', { type: 'ReactionAdded', data: { messageId: 'm1', emoji: '❤️' } }),
  lounge('bob', { type: 'ReactionRemoved', data: { messageId: 'm1', emoji: '❤' } }),
  lounge('ada', { type: 'MemberBanned', data: { userId: 'dora', until: null, reason: 'Spam.' } }),
  lounge('ada', { type: 'MemberBanned', data: { userId: 'eva', until: later, reason: null } }),
  lounge('ada', { type: 'MemberUnbanned', data: { userId: 'eva' } }),
  lounge('ada', { type: 'MemberMuted', data: { userId: 'cem', until: later, reason: 'Loud.' } }),
  lounge('ada', { type: 'MemberMuted', data: { userId: 'bob', until: later, reason: null } }),
  lounge('ada', { type: 'MemberUnmuted', data: { userId: 'bob' } }),
  lounge('ada', { type: 'MemberJoined', data: { userId: 'eva', role: 'owner' } }),
  lounge('eva', { type: 'MemberLeft', data: { userId: 'eva' } }),
  lounge('frank', { type: 'MemberJoined', data: { userId: 'frank', role: 'member' } }),
  lounge('ada', { type: 'MemberRemoved', data: { userId: 'frank', reason: null } }),
  lounge('cem', { type: 'RoomInspected', data: { what: 'messages', reason: 'Ticket 7' } }),
  lounge('ada', {
    type: 'WebhookAdded',
    data: { webhookId: 'w1', host: 'example.org', urlId: 'url1', secretId: 'sec1', events: ['MessagePosted'] },
  }),
  lounge('ada', { type: 'WebhookChanged', data: { webhookId: 'w1', stopped: 'paused' } }),
  lounge('bob', {
    type: 'WebhookChanged',
    data: { webhookId: 'w1', stopped: null, host: 'example.com', urlId: 'url2' },
  }),
  lounge('ada', {
    type: 'WebhookAdded',
    data: { webhookId: 'w2', host: 'example.net', urlId: 'url3', secretId: 'sec2', events: ['MemberJoined'] },
  }),
  lounge('ada', { type: 'WebhookRemoved', data: { webhookId: 'w2' } }),
  hook(null, {
    type: 'UserRegistered',
    data: { username: 'hook-1', displayName: 'Hook', email: null, role: 'user', origin: 'webhook' },
  }),
  lounge('ada', { type: 'IncomingWebhookAdded', data: { webhookId: 'h1', botId: 'hook', name: 'Hook' } }),
  lounge('ada', { type: 'MemberJoined', data: { userId: 'hook', role: 'member' } }),
  lounge('ada', { type: 'IncomingWebhookAdded', data: { webhookId: 'h2', botId: 'hook2', name: 'Hook 2' } }),
  lounge('ada', { type: 'IncomingWebhookRemoved', data: { webhookId: 'h2' } }),

  cellar('bob', {
    type: 'RoomCreated',
    data: { name: 'Cellar', topic: '', visibility: 'public', history: 'full', passwordId: null },
  }),
  cellar('bob', { type: 'MemberJoined', data: { userId: 'bob', role: 'owner' } }),
  cellar('bob', { type: 'ChatClosed', data: { reason: 'Over.' } }),

  direct('bob', {
    type: 'RoomCreated',
    data: { name: '', topic: '', visibility: 'direct', history: 'full', passwordId: null },
  }),
  direct('bob', { type: 'MemberJoined', data: { userId: 'bob', role: 'member' } }),
  direct('bob', { type: 'MemberJoined', data: { userId: 'cem', role: 'member' } }),
  direct('cem', { type: 'MemberLeft', data: { userId: 'cem' } }),

  invitation('ada', {
    type: 'InvitationCreated',
    data: { to: { kind: 'room', roomId: 'lounge', role: 'guest' }, uses: 5, expiresAt: later },
  }),
  invitation('bob', { type: 'InvitationRedeemed', data: { userId: 'bob' } }),
  invitation('ada', { type: 'InvitationRevoked', data: {} }),

  announcement('ada', { type: 'Announced', data: { text: 'Hello, everybody.' } }),
  announcement('ada', { type: 'AnnouncementWithdrawn', data: {} }),
  announcement('ada', { type: 'Announced', data: { text: 'Welcome back.' } }),

  maintenance('ada', { type: 'MaintenanceBegan', data: { text: 'Back soon.', until: later } }),
  maintenance('ada', { type: 'MaintenanceEnded', data: {} }),
  maintenance('ada', { type: 'MaintenanceBegan', data: { text: null, until: null } }),
  maintenance('ada', { type: 'MaintenanceRevised', data: { text: 'Back later.', until: later } }),

  auditLog(null, {
    type: 'AuditLogBegun',
    data: {
      ...{ tree: 2, origin: 'chat.example/log/2', reason: 'A lost disk' },
      previous: { origin: 'chat.example/log', size: 5, root: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' },
    },
  }),
  lounge('ada', { type: 'TextsErased', data: { messageId: 'm3', erasureId: 'e1' } }),
  erasures('ada', {
    type: 'HoldPlaced',
    data: { holdId: 'h1', scope: { kind: 'room', roomId: 'cellar' }, reason: 'Case 4' },
  }),
  erasures('ada', {
    type: 'ErasureRequested',
    data: { erasureId: 'e1', scope: { kind: 'person', userId: 'dora' }, ground: 'objection', reason: 'Letter 3' },
  }),
  erasures(null, { type: 'ErasureBegan', data: { erasureId: 'e1', scope: { kind: 'person', userId: 'dora' } } }),
  erasures('ada', {
    type: 'ErasureRequested',
    data: { erasureId: 'e2', scope: { kind: 'room', roomId: 'cellar' }, ground: 'other', reason: 'Letter 4' },
  }),
  erasures(null, {
    type: 'ErasureFinished',
    data: { erasureId: 'e1', scope: { kind: 'person', userId: 'dora' }, certificate: 'a signed note' },
  }),
  erasures('ada', { type: 'HoldLifted', data: { holdId: 'h1', scope: { kind: 'room', roomId: 'cellar' } } }),
  anExport('cem', {
    type: 'ExportRequested',
    data: { scope: { room: 'cellar', person: 'bob', from: later }, words: 'the rent', reason: 'Case 4' },
  }),
  erasures('ada', {
    type: 'RetentionRuleSet',
    data: { ruleId: 'k1', scope: { kind: 'server' }, days: 30, reason: 'Policy 2' },
  }),
  erasures('ada', {
    type: 'RetentionRuleSet',
    data: { ruleId: 'k2', scope: { kind: 'room', roomId: 'cellar' }, days: null, reason: 'Policy 3' },
  }),
  erasures('ada', {
    type: 'RetentionRuleRemoved',
    data: { ruleId: 'k1', scope: { kind: 'server' }, reason: 'Policy 4' },
  }),
];

const BEGINNING = Date.parse('2026-01-31T12:00:00.000Z');

/** The events of one stream of it, a second apart in the log, as they are folded. */
export function eventsOf(stream: string): (Happened & { readonly stream: string })[] {
  return everyEvent
    .map(({ fact, ...entry }, position) => ({
      ...fact,
      ...entry,
      at: new Date(BEGINNING + position * 1_000).toISOString(),
    }))
    .filter((event) => event.stream === stream)
    .map((event, index) => ({ ...event, revision: BigInt(index) }));
}
