import { happenedAt, parseStream } from '@verbatim/domain';
import { LRUCache } from 'lru-cache';
import { nameOf, type ShownEvent, textIn } from './shown-event.js';

const BASE64_LINE = 76;
/** Bytes of UTF-8 in one encoded word, which may have 75 characters. */
const WORD_BYTES = 42;

/** An event of a message as a mail in `messages.mbox` (RFC 4155, RFC 5322); empty for other events. */
export function mailOf({ event, roomName, actor, data, ordinal }: ShownEvent): string {
  const text = event.type === 'MessagePosted' || event.type === 'MessageEdited' ? textIn(data, 'text') : null;
  const messageId = textIn(data, 'messageId');
  if (text === null || messageId === null) return '';
  const at = new Date(happenedAt(event)).toUTCString();
  const room = encodedWords(roomName ?? '');
  const replyTo = event.type === 'MessageEdited' ? messageId : textIn(data, 'replyTo');
  const id = event.type === 'MessageEdited' ? event.id : messageId;
  const lines = [
    `From ${mailboxOf(actor?.id ?? '')} ${asctime(at)}`,
    `From: ${encodedWords(nameOf(actor))} <${mailboxOf(actor?.id ?? '')}>`,
    `To: ${room} <${mailboxOf(parseStream(event.stream).id)}>`,
    `Date: ${at.replace('GMT', '+0000')}`,
    `Message-ID: <${mailboxOf(id)}>`,
    ...(replyTo === null ? [] : [`In-Reply-To: <${mailboxOf(replyTo)}>`]),
    `Subject: ${room}`,
    `X-Verbatim-Ordinal: ${ordinal}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    ...inLines(Buffer.from(text.toWellFormed()).toString('base64')),
    '',
  ];
  return `${lines.join('\n')}\n`;
}

/** `.invalid` never is a real domain. */
const mailboxOf = (id: string): string => `${id.replaceAll(/[^\w-]/g, '') || 'service'}@verbatim.invalid`;

/** `Thu, 05 Mar 2026 10:00:00 GMT` as `Thu Mar  5 10:00:00 2026`. */
const asctime = (at: string): string => {
  const [weekday, day, month, year, time] = at.split(' ') as [string, string, string, string, string];
  return `${weekday.slice(0, 3)} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`;
};

/** RFC 2047, whatever the text holds: line breaks in it start no header. */
function encodedWords(text: string): string {
  const known = encoded.get(text);
  if (known !== undefined) return known;
  const words = wordsOf(text);
  encoded.set(text, words);
  return words;
}

/** Names of people and rooms, which come again and again. */
const encoded = new LRUCache<string, string>({ max: 1_000 });

function wordsOf(text: string): string {
  const words: string[] = [];
  let part = '';
  for (const character of text.toWellFormed()) {
    if (Buffer.byteLength(part + character) > WORD_BYTES) {
      words.push(part);
      part = '';
    }
    part += character;
  }
  return [...words, part].map((word) => `=?utf-8?B?${Buffer.from(word).toString('base64')}?=`).join('\n ');
}

const inLines = (base64: string): string[] =>
  Array.from({ length: Math.ceil(base64.length / BASE64_LINE) }, (_, i) =>
    base64.slice(i * BASE64_LINE, (i + 1) * BASE64_LINE),
  );
