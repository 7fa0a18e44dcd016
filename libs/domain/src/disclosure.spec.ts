import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Face, faceOf, fieldRules, mayOpen, rulesOf, sameForMembers, view, withheld } from './disclosure.js';
import type { DomainEvent, EventType } from './recorded.js';

type DataOf<T extends EventType> = Required<Extract<DomainEvent, { type: T }>['data']>;

/** The data of an event of each type, complete. */
const events: { readonly [T in EventType]: DataOf<T> } = {
  RoomCreated: {
    name: 'Lounge',
    topic: 'Tea',
    visibility: 'public',
    history: 'full',
    passwordId: 'p1',
    imported: { file: 'f1', place: 1 },
  },
  RoomAbandoned: {},
  RoomNameAbandoned: { claim: 'c1' },
  RoomChanged: {
    name: 'Kitchen',
    topic: 'Coffee',
    visibility: 'hidden',
    history: 'joined',
    passwordId: 'p2',
    slowModeSeconds: 30,
  },
  MemberJoined: { userId: 'bob', role: 'member', imported: { file: 'f1', place: 2 } },
  MemberLeft: { userId: 'bob', imported: { file: 'f1', place: 3 } },
  MemberRemoved: { userId: 'bob', reason: 'Spam.', imported: { file: 'f1', place: 4 } },
  MemberRoleChanged: { userId: 'bob', role: 'guest' },
  MessagePosted: { messageId: 'm1', text: 'Hello', replyTo: 'm0', kind: 'text', imported: { file: 'f1', place: 5 } },
  MessageEdited: { messageId: 'm1', text: 'Hi' },
  MessageRedacted: { messageId: 'm1', authorId: 'bob', reason: 'Rude.' },
  ReactionAdded: { messageId: 'm1', emoji: '👍' },
  ReactionRemoved: { messageId: 'm1', emoji: '👍' },
  MemberBanned: { userId: 'bob', until: '2026-02-01T00:00:00.000Z', reason: 'Spam.' },
  MemberUnbanned: { userId: 'bob' },
  MemberMuted: { userId: 'bob', until: '2026-02-01T00:00:00.000Z', reason: 'Spam.' },
  MemberUnmuted: { userId: 'bob' },
  MessageReported: { reportId: 'r1', messageId: 'm1', reason: 'Rude.' },
  ReportSettled: { reportId: 'r1', outcome: 'acted', note: 'Warned.' },
  RoomInspected: { what: 'messages', reason: 'Ticket 7' },
  ChatClosed: { reason: 'Done.' },
  WebhookAdded: { webhookId: 'w1', host: 'example.org', urlId: 'v1', secretId: 'v2', events: ['MessagePosted'] },
  WebhookChanged: { webhookId: 'w1', host: 'example.org', urlId: 'v1', secretId: 'v2', events: [], stopped: 'paused' },
  WebhookRemoved: { webhookId: 'w1' },
  IncomingWebhookAdded: { webhookId: 'w2', botId: 'robby', name: 'Build' },
  IncomingWebhookRemoved: { webhookId: 'w2' },
  UserRegistered: { username: 'bob', displayName: 'Bob', email: 'bob@example.org', role: 'user', origin: 'import' },
  UserAbandoned: {},
  UserChanged: { displayName: 'Bobby' },
  UserEmailChanged: { email: 'bob@example.org', how: 'provider' },
  UserRoleChanged: { role: 'admin' },
  UserSuspended: { reason: 'Spam.' },
  UserReinstated: {},
  SessionStarted: { sessionId: 's1', how: 'password' },
  SessionRevoked: { sessionId: 's1', cause: 'logout' },
  TokenCreated: { tokenId: 't1', name: 'build', scopes: ['post'], expiresAt: null },
  TokenRevoked: { tokenId: 't1' },
  SignInLockedOut: {},
  InvitationCreated: { to: { kind: 'server' }, uses: 1, expiresAt: '2026-02-01T12:00:00.000Z' },
  InvitationRedeemed: { userId: 'bob' },
  InvitationRevoked: {},
  Announced: { text: 'Back at noon' },
  AnnouncementWithdrawn: {},
  MaintenanceBegan: { text: 'A new disk', until: '2026-01-31T14:00:00.000Z' },
  MaintenanceRevised: { text: null, until: null },
  MaintenanceEnded: {},
  AuditLogBegun: { tree: 2, origin: 'chat.example/log/2', previous: null, reason: 'A lost disk' },
  TextsErased: { messageId: 'm1', erasureId: 'e1' },
  ErasureRequested: {
    erasureId: 'e1',
    scope: { kind: 'person', userId: 'bob' },
    ground: 'objection',
    reason: 'Letter 3',
    ruleId: 'k1',
  },
  ErasureBegan: { erasureId: 'e1', scope: { kind: 'person', userId: 'bob' } },
  ErasureFinished: { erasureId: 'e1', scope: { kind: 'person', userId: 'bob' }, certificate: 'signed' },
  HoldPlaced: { holdId: 'h1', scope: { kind: 'room', roomId: 'lounge' }, reason: 'Case 4' },
  HoldLifted: { holdId: 'h1', scope: { kind: 'room', roomId: 'lounge' } },
  ExportRequested: { scope: { room: 'lounge' }, words: 'rent', reason: 'Case 4' },
  RetentionRuleSet: { ruleId: 'k1', scope: { kind: 'visibility', visibility: 'public' }, days: 30, reason: 'Policy 2' },
  RetentionRuleRemoved: { ruleId: 'k1', scope: { kind: 'visibility', visibility: 'public' }, reason: 'Policy 3' },
  UserDeactivated: {},
  UserReactivated: {},
  PasswordChanged: { how: 'change' },
  PasswordResetIssued: {},
  TotpEnabled: { totpId: 't1' },
  TotpDisabled: {},
  RecoveryCodesIssued: {},
  RecoveryCodeUsed: {},
  IdentityLinked: { identityId: 'i1' },
};
const types = Object.keys(events) as EventType[];
const faces: readonly Face[] = ['member', 'moderator', 'owner', 'auditor'];

/** The fields that one face sees and the one before does not. */
const shown: {
  readonly [T in EventType]: readonly [member: string, moderator: string, owner: string, auditor: string];
} = {
  RoomCreated: ['name topic visibility history', '', '', 'passwordId imported'],
  RoomAbandoned: ['', '', '', ''],
  RoomNameAbandoned: ['', '', '', 'claim'],
  RoomChanged: ['name topic visibility history slowModeSeconds', '', '', 'passwordId'],
  MemberJoined: ['userId role', '', '', 'imported'],
  MemberLeft: ['userId', '', '', 'imported'],
  MemberRemoved: ['userId', 'reason', '', 'imported'],
  MemberRoleChanged: ['userId role', '', '', ''],
  MessagePosted: ['messageId text replyTo kind', '', '', 'imported'],
  MessageEdited: ['messageId text', '', '', ''],
  MessageRedacted: ['messageId authorId', 'reason', '', ''],
  ReactionAdded: ['messageId emoji', '', '', ''],
  ReactionRemoved: ['messageId emoji', '', '', ''],
  MemberBanned: ['userId until', 'reason', '', ''],
  MemberUnbanned: ['userId', '', '', ''],
  MemberMuted: ['userId until', 'reason', '', ''],
  MemberUnmuted: ['userId', '', '', ''],
  MessageReported: ['', 'reportId messageId reason', '', ''],
  ReportSettled: ['', 'reportId outcome note', '', ''],
  RoomInspected: ['', '', 'what reason', ''],
  ChatClosed: ['reason', '', '', ''],
  WebhookAdded: ['webhookId host events', '', '', 'urlId secretId'],
  WebhookChanged: ['webhookId host events stopped', '', '', 'urlId secretId'],
  WebhookRemoved: ['webhookId', '', '', ''],
  IncomingWebhookAdded: ['webhookId botId name', '', '', ''],
  IncomingWebhookRemoved: ['webhookId', '', '', ''],
  UserRegistered: ['username displayName role origin', '', '', 'email'],
  UserAbandoned: ['', '', '', ''],
  UserChanged: ['displayName', '', '', ''],
  UserEmailChanged: ['how', '', '', 'email'],
  UserRoleChanged: ['role', '', '', ''],
  UserSuspended: ['', '', '', 'reason'],
  UserReinstated: ['', '', '', ''],
  SessionStarted: ['how', '', '', 'sessionId'],
  SessionRevoked: ['cause', '', '', 'sessionId'],
  TokenCreated: ['scopes expiresAt', '', '', 'tokenId name'],
  TokenRevoked: ['', '', '', 'tokenId'],
  SignInLockedOut: ['', '', '', ''],
  InvitationCreated: ['to uses expiresAt', '', '', ''],
  InvitationRedeemed: ['userId', '', '', ''],
  InvitationRevoked: ['', '', '', ''],
  TextsErased: ['messageId erasureId', '', '', ''],
  ErasureRequested: ['erasureId scope ground ruleId', '', '', 'reason'],
  ErasureBegan: ['erasureId scope', '', '', ''],
  ErasureFinished: ['erasureId scope certificate', '', '', ''],
  HoldPlaced: ['holdId scope', '', '', 'reason'],
  HoldLifted: ['holdId scope', '', '', ''],
  ExportRequested: ['scope', '', '', 'words reason'],
  RetentionRuleSet: ['ruleId scope days', '', '', 'reason'],
  RetentionRuleRemoved: ['ruleId scope', '', '', 'reason'],
  Announced: ['text', '', '', ''],
  AnnouncementWithdrawn: ['', '', '', ''],
  MaintenanceBegan: ['text until', '', '', ''],
  MaintenanceRevised: ['text until', '', '', ''],
  MaintenanceEnded: ['', '', '', ''],
  AuditLogBegun: ['tree origin previous reason', '', '', ''],
  UserDeactivated: ['', '', '', ''],
  UserReactivated: ['', '', '', ''],
  PasswordChanged: ['how', '', '', ''],
  PasswordResetIssued: ['', '', '', ''],
  TotpEnabled: ['', '', '', 'totpId'],
  TotpDisabled: ['', '', '', ''],
  RecoveryCodesIssued: ['', '', '', ''],
  RecoveryCodeUsed: ['', '', '', ''],
  IdentityLinked: ['', '', '', 'identityId'],
};

describe.each(types)('what is shown of %s', (type) => {
  it.each(faces)('to the %s', (face) => {
    const data: Record<string, unknown> = events[type];
    const fields = shown[type].slice(0, faces.indexOf(face) + 1).flatMap((line) => line.split(' ').filter(Boolean));
    expect(view({ type, data }, face)).toEqual(Object.fromEntries(fields.map((field) => [field, data[field]])));
  });

  it('to the auditor: everything, also of what was replaced', () => {
    expect(view({ type, data: events[type] }, 'auditor', true)).toEqual(events[type]);
  });
});

it('every type of event has its rules, and every rule its field', () => {
  expect(Object.keys(fieldRules).sort()).toEqual([...types].sort());
  for (const type of types)
    expect(Object.keys(events[type])).toEqual(expect.arrayContaining(Object.keys(fieldRules[type])));
});

describe('a text that was edited or redacted', () => {
  it.each(['MessagePosted', 'MessageEdited'] as const)('is gone from %s, and nothing else is', (type) => {
    for (const face of ['member', 'moderator', 'owner'] as const) {
      const before = view({ type, data: events[type] }, face);
      expect(before.text).toBe(events[type].text);
      expect(view({ type, data: events[type] }, face, true)).toEqual({ ...before, text: null });
    }
  });

  it('makes no difference to events that hold no such text', () => {
    for (const type of types.filter((type) => type !== 'MessagePosted' && type !== 'MessageEdited')) {
      for (const face of faces) {
        expect(view({ type, data: events[type] }, face, true)).toEqual(view({ type, data: events[type] }, face));
      }
    }
  });
});

describe('an event of an unknown type', () => {
  it('shows nothing to anybody but auditors', () => {
    const unknown = fc
      .oneof(fc.string(), fc.constantFrom('toString', 'constructor', '__proto__'))
      .filter((type) => !(type in events) || type in {});
    fc.assert(
      fc.property(unknown, fc.dictionary(fc.string(), fc.string()), fc.boolean(), (type, data, replaced) => {
        expect(rulesOf(type)).toBeUndefined();
        expect(view({ type, data }, 'member', replaced)).toEqual({});
        expect(view({ type, data }, 'moderator', replaced)).toEqual({});
        expect(view({ type, data }, 'owner', replaced)).toEqual({});
        expect(view({ type, data }, 'auditor', replaced)).toEqual(data);
      }),
    );
  });
});

it('cutting leaves the event itself as it is', () => {
  const data = Object.freeze({ ...events.MessagePosted });
  expect(view({ type: 'MessagePosted', data }, 'member', true)).not.toBe(data);
  expect(data).toEqual(events.MessagePosted);
});

describe('the key of an event', () => {
  const opens = (type: EventType, face: Face, replaced = false) =>
    mayOpen({ type, data: events[type] }, face, replaced);

  it('is for those who may see all that it opens', () => {
    expect(opens('MessagePosted', 'member')).toBe(true);
    expect(opens('MessageRedacted', 'member')).toBe(false);
    expect(opens('MessageRedacted', 'moderator')).toBe(true);
    expect(opens('RoomInspected', 'moderator')).toBe(false);
    expect(opens('WebhookAdded', 'owner')).toBe(false);
    for (const type of types) expect(opens(type, 'auditor')).toBe(true);
  });

  it('is for auditors only once the text was replaced', () => {
    expect(opens('MessagePosted', 'owner', true)).toBe(false);
    expect(opens('MessagePosted', 'auditor', true)).toBe(true);
  });
});

it.each([
  ['owner', false, 'owner'],
  ['moderator', false, 'moderator'],
  ['member', false, 'member'],
  ['guest', false, 'member'],
  [null, false, 'member'],
  ['guest', true, 'auditor'],
  [null, true, 'auditor'],
] as const)('a %s of the room, auditing: %s, sees the face of the %s', (role, auditing, face) => {
  expect(faceOf(role, auditing)).toBe(face);
});

describe('an event that some may not know of', () => {
  const ofTypes = (face: Face) => types.filter((type) => withheld({ type }, face));

  it('is a report, for members, and a reading from outside, for all but owners and auditors', () => {
    expect(ofTypes('member')).toEqual(['MessageReported', 'ReportSettled', 'RoomInspected']);
    expect(ofTypes('moderator')).toEqual(['RoomInspected']);
    expect(ofTypes('owner')).toEqual([]);
    expect(ofTypes('auditor')).toEqual([]);
    for (const type of ['toString', '__proto__', 'RoomPainted']) expect(withheld({ type }, 'member')).toBe(false);
  });

  it('has no field that they see', () => {
    for (const face of faces) {
      for (const type of ofTypes(face)) expect(view({ type, data: events[type] }, face)).toEqual({});
    }
  });
});

describe('what all who are in the room see the same of', () => {
  const events = Object.entries(fieldRules).map(([type, rules]) => ({
    type,
    data: { ...Object.fromEntries(Object.keys(rules).map((field) => [field, 'something'])), id: 'in the open' },
  }));

  it.each([...events, { type: 'RoomPainted', data: { colour: 'green' } }])(
    'looks the same to all members: $type',
    (event) => {
      if (!sameForMembers(event)) return;
      for (const face of ['moderator', 'owner'] as const) {
        expect(view(event, face)).toEqual(view(event, 'member'));
        expect(withheld(event, 'member')).toBe(withheld(event, face));
      }
    },
  );

  it('is a message, but not why one was redacted', () => {
    const posted = { messageId: 'm', text: 'Hello', replyTo: null, kind: 'text' };
    expect(sameForMembers({ type: 'MessagePosted', data: posted })).toBe(true);
    expect(sameForMembers({ type: 'MessageRedacted', data: { messageId: 'm', reason: 'rude' } })).toBe(false);
  });
});
