import { type Face, type RoomEvent, view, WITHHELD, withheld } from '@verbatim/domain';
import { describe, expect, it } from 'vitest';
import { liveEventSchema, roomEventTypes, storedEventSchema } from './events.js';

const someId = '01985f6e-7a2c-7000-8000-0000000000a1';
const otherId = '01985f6e-7a2c-7000-8000-0000000000b2';
const imported = { file: 'a'.repeat(64), place: 3 };
const settings = {
  name: 'engine room',
  topic: '',
  visibility: 'hidden',
  history: 'joined',
  passwordId: otherId,
} as const;

/** One event of each type as the log holds it, as full as it gets. */
const dataOf: { [E in RoomEvent as E['type']]: E['data'] } = {
  RoomCreated: { ...settings, imported },
  RoomAbandoned: {},
  RoomNameAbandoned: { claim: someId },
  RoomChanged: { ...settings, slowModeSeconds: 30 },
  MemberJoined: { userId: someId, role: 'owner', imported },
  MemberLeft: { userId: someId, imported },
  MemberRemoved: { userId: someId, reason: 'spam' },
  MemberRoleChanged: { userId: someId, role: 'guest' },
  MessagePosted: { messageId: someId, text: 'hello', replyTo: otherId, kind: 'action', imported },
  MessageEdited: { messageId: someId, text: 'hello' },
  MessageRedacted: { messageId: someId, authorId: otherId, reason: 'spam' },
  TextsErased: { messageId: someId, erasureId: otherId },
  ReactionAdded: { messageId: someId, emoji: '👍' },
  ReactionRemoved: { messageId: someId, emoji: '👍' },
  MemberBanned: { userId: someId, until: null, reason: 'spam' },
  MemberUnbanned: { userId: someId },
  MemberMuted: { userId: someId, until: '2026-01-31T12:00:00.000Z', reason: 'spam' },
  MemberUnmuted: { userId: someId },
  MessageReported: { reportId: otherId, messageId: someId, reason: 'rude' },
  ReportSettled: { reportId: otherId, outcome: 'dismissed', note: 'fine' },
  RoomInspected: { what: 'events', reason: 'ticket 7' },
  ChatClosed: { reason: 'done' },
  WebhookAdded: { webhookId: someId, host: 'example.org', urlId: otherId, secretId: someId, events: ['MessagePosted'] },
  WebhookChanged: {
    webhookId: someId,
    host: 'example.org',
    urlId: otherId,
    secretId: someId,
    events: [],
    stopped: null,
  },
  WebhookRemoved: { webhookId: someId },
  IncomingWebhookAdded: { webhookId: someId, botId: otherId, name: 'Build' },
  IncomingWebhookRemoved: { webhookId: someId },
};
const erased = (data: object): object =>
  Object.fromEntries(
    Object.entries(data).map(([key, value]) => [
      key,
      ['name', 'topic', 'text', 'reason', 'note', 'host'].includes(key) ? null : value,
    ]),
  );

const live = { revision: 3, at: '2026-01-31T12:00:00.000Z', actor: { id: someId, username: 'ada' } };
const stored = { ...live, id: otherId, stream: `room-${someId}`, position: 9, sealed: '{}', prev: null, hash: 'ab' };

const recordedTypes = roomEventTypes.filter((type) => type !== WITHHELD);

describe.each(recordedTypes)('%s', (type) => {
  it.each<[Face, boolean]>([
    ['member', false],
    ['member', true],
    ['moderator', false],
    ['owner', false],
    ['auditor', false],
    ['auditor', true],
  ])('fits the schemas as seen by a %s (replaced since: %s)', (face, replaced) => {
    if (withheld({ type }, face)) return;
    for (const data of [dataOf[type], erased(dataOf[type])]) {
      const shown = view({ type, data }, face, replaced);
      expect(liveEventSchema.parse({ ...live, type, data: shown })).toEqual({ ...live, type, data: shown });
      expect(storedEventSchema.parse({ ...stored, type, data: shown })).toEqual({ ...stored, type, data: shown });
    }
  });
});

it('says when an imported event happened, and has no actor for the service itself', () => {
  const event = { ...live, actor: null, occurredAt: '1999-12-31T23:59:59.000Z', type: 'RoomAbandoned', data: {} };
  expect(liveEventSchema.parse(event)).toEqual(event);
});

it('shows only the place of an event that the reader may not see', () => {
  const event = { ...stored, actor: null, type: WITHHELD, data: {}, sealed: null };
  expect(storedEventSchema.parse(event)).toEqual(event);
  expect(liveEventSchema.parse({ ...live, actor: null, type: WITHHELD, data: {} })).toMatchObject({ data: {} });
});
