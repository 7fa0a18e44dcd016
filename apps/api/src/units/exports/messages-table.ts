import { happenedAt, parseStream } from '@verbatim/domain';
import { csvHeader, csvLine } from '@verbatim/protocol';
import { nameOf, type ShownEvent, textIn } from './shown-event.js';

/** The first line of `messages.csv`, with a byte order mark. */
export const tableHeader = csvHeader([
  ...[
    'at',
    'what',
    'roomId',
    'room',
    'messageId',
    'actorId',
    'actor',
    'text',
    'replyTo',
    'revision',
    'ordinal',
    'type',
  ],
]);

const what: Readonly<Record<string, string>> = {
  MessagePosted: 'posted',
  MessageEdited: 'edited',
  MessageRedacted: 'redacted',
};

/** The line of `messages.csv` for an event; empty for those that are not about a message. */
export function tableLine({ event, ordinal, roomName, actor, data }: ShownEvent): string {
  const done = what[event.type];
  if (done === undefined) return '';
  const text = textIn(data, done === 'redacted' ? 'reason' : 'text');
  return csvLine([
    ...[happenedAt(event), done, parseStream(event.stream).id, roomName ?? '', textIn(data, 'messageId') ?? ''],
    ...[actor?.id ?? '', nameOf(actor), text ?? '', textIn(data, 'replyTo') ?? ''],
    ...[`${event.revision}`, `${ordinal}`, event.type],
  ]);
}
