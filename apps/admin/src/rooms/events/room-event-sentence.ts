import type { StoredEvent } from '@verbatim/protocol';
import type { useTranslate } from 'react-admin';

type Translate = ReturnType<typeof useTranslate>;

/** Dependencies of a sentence about an event. */
export interface Writing {
  readonly translate: Translate;
  /** Writes a time. */
  moment(at: string): string;
  /** The name of a person. */
  nameOf(userId: string): string;
}

/** The ids of the people whom the sentences about these events name. */
export function peopleIn(events: readonly StoredEvent[]): string[] {
  const ids = new Set<string>();
  for (const { actor, data } of events) {
    if (actor) ids.add(actor.id);
    for (const field of ['userId', 'authorId', 'botId'] as const)
      if (field in data) ids.add((data as Record<string, string>)[field] ?? '');
  }
  ids.delete('');
  return [...ids];
}

/** What happened in a room, as a sentence. */
export function roomEventSentence(event: StoredEvent, writing: Writing): string {
  const { translate } = writing;
  const values = Object.entries(valuesOf(event, writing)).map(([name, value]) => [name, isolated(value)]);
  const sentence = translate(`verbatim.room_event.${keyOf(event)}`, Object.fromEntries(values));
  const reason = 'reason' in event.data ? event.data.reason : null;
  return reason ? `${sentence} ${translate('verbatim.rooms.reason')}: ${isolated(reason)}` : sentence;
}

/** Has a text keep its own direction, without turning the sentence around it. */
const isolated = (text: string): string => `\u2068${text}\u2069`;

/** Events of one type may have different sentences. */
function keyOf({ type, data, actor }: StoredEvent): string {
  switch (type) {
    case 'MemberJoined':
      return data.userId === actor?.id ? 'MemberJoined' : 'MemberAdded';
    case 'MemberLeft':
      return 'MemberLeft';
    case 'MemberBanned':
      return data.until === null ? 'MemberBanned' : 'MemberBannedUntil';
    case 'WebhookChanged':
      if (data.stopped === null) return 'WebhookResumed';
      return data.stopped === undefined ? 'WebhookChanged' : 'WebhookStopped';
    default:
      return type;
  }
}

function valuesOf(event: StoredEvent, { translate, moment, nameOf }: Writing): Record<string, string> {
  const actor = event.actor ? nameOf(event.actor.id) : translate('verbatim.events.service');
  const word = (kind: string, value: string) => translate(`verbatim.${kind}.${value}`);
  switch (event.type) {
    case 'RoomCreated':
      return { actor, visibility: word('visibility', event.data.visibility) };
    case 'RoomChanged':
      return { actor, what: changesIn(event.data, translate) };
    case 'MemberJoined':
    case 'MemberRoleChanged':
      return { actor, name: nameOf(event.data.userId), role: word('room_role', event.data.role) };
    case 'MemberLeft':
    case 'MemberRemoved':
    case 'MemberUnbanned':
    case 'MemberUnmuted':
      return { actor, name: nameOf(event.data.userId) };
    case 'MemberBanned':
    case 'MemberMuted':
      return { actor, name: nameOf(event.data.userId), until: event.data.until ? moment(event.data.until) : '' };
    case 'MessagePosted':
    case 'MessageEdited':
      return { actor, text: excerpt(event.data.text) ?? translate('verbatim.talk.redacted') };
    case 'MessageRedacted':
      return { actor, name: nameOf(event.data.authorId) };
    case 'ReactionAdded':
    case 'ReactionRemoved':
      return { actor, emoji: event.data.emoji };
    case 'ReportSettled':
      return { actor, outcome: word('report_outcome', event.data.outcome) };
    case 'WebhookAdded':
    case 'WebhookChanged':
      return { actor, host: event.data.host ?? translate('verbatim.webhooks.lost') };
    case 'IncomingWebhookAdded':
      return { actor, name: event.data.name ?? nameOf(event.data.botId) };
    default:
      return { actor };
  }
}

type Changes = Extract<StoredEvent, { type: 'RoomChanged' }>['data'];

/** Each changed setting with its new value. */
function changesIn(data: Changes, translate: Translate): string {
  const field = (name: string) => translate(`resources.rooms.fields.${name}`);
  const parts: string[] = [];
  if (data.name !== undefined) parts.push(`${field('name')}: “${data.name ?? '–'}”`);
  if (data.topic !== undefined) parts.push(`${field('topic')}: “${excerpt(data.topic) ?? '–'}”`);
  if (data.visibility !== undefined)
    parts.push(`${field('visibility')}: ${translate(`verbatim.visibility.${data.visibility}`)}`);
  if (data.history !== undefined) parts.push(`${field('history')}: ${translate(`verbatim.history.${data.history}`)}`);
  if (data.slowModeSeconds !== undefined) parts.push(`${field('slowModeSeconds')}: ${data.slowModeSeconds}`);
  if (data.passwordId !== undefined)
    parts.push(
      `${field('password')}: ${translate(data.passwordId === null ? 'verbatim.rooms.no_password' : 'verbatim.rooms.has_password')}`,
    );
  return parts.join('; ');
}

/** Code points of a text that are shown in a sentence. */
const EXCERPT = 120;

function excerpt(text: string | null): string | null {
  if (text === null) return null;
  const points = [...text.replace(/\s+/g, ' ')];
  return points.length > EXCERPT ? `${points.slice(0, EXCERPT).join('')}…` : points.join('');
}
