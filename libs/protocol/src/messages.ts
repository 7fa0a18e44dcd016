import { mostReactions } from '@verbatim/domain';
import { z } from 'zod';
import {
  count,
  emoji,
  formerReaction,
  id,
  instant,
  messageText,
  numberParameter,
  parameter,
  reason,
  revision,
  time,
  trimmedText,
  whole,
} from './fields.js';
import { listOf, paging } from './lists.js';
import { inRoom, roomSchema } from './rooms.js';

// Bodies, parameters and queries ------------------------------------------------------------------------------------

export const postMessageBody = z
  .object({
    text: messageText,
    id: id.optional().describe('A UUID of your own, best of kind 7: it makes posting the same message again harmless.'),
    replyTo: id.nullable().default(null).describe('Id of the message in this room that is replied to.'),
  })
  .meta({ examples: [{ text: 'Good morning', id: '01985f6e-7a2c-7000-8000-0000000000a1' }] });

export const editMessageBody = z.object({ text: messageText });

export const redactMessageBody = z.object({ reason });

export const markReadBody = z.object({ revision: revision.describe('The newest event that the caller has read.') });

export const ofMessage = inRoom.extend({ messageId: id.describe('The message.') });
export const ofReaction = ofMessage.extend({ emoji });
export const ofFormerReaction = ofMessage.extend({ emoji: formerReaction });

export const messagesQuery = z.object({
  order: parameter(z.enum(['newest', 'oldest']).default('newest')).describe('Which end of the list comes first.'),
  from: numberParameter(revision.optional()).describe(
    'The revision to start at, inclusive; the end of the history that `order` names, if absent.',
  ),
  at: parameter(instant.optional()).describe(
    'The time to start at, where `from` is absent: with `oldest` the first message posted then or later, with `newest` ' +
      'the last one before it. Where imports brought messages out of the order of their times, it is near that place.',
  ),
  ...paging,
});

export const inboxQuery = z.object(paging);

export const searchQuery = z.object({
  q: parameter(trimmedText(500)).describe(
    'Words to look for: only messages that have all of them are found. Capital letters, accents and the way a letter is ' +
      'written make no difference: `cafe` finds `Café`, `strasse` finds `Straße`. Words are letters and digits, or emoji; punctuation ' +
      'between them means nothing, but words that it joins must be next to each other: `example.org`. So must words in ' +
      'double quotes: `"good morning"`. The last word may be the beginning of a longer one, unless it is in quotes. In scripts ' +
      'without spaces between words any part of a text is found.',
  ),
  without: parameter(trimmedText(500).optional()).describe(
    'Words that must not be there: messages with any of them are left out. Quotes and punctuation join words as in `q`.',
  ),
  room: parameter(id.optional()).describe('Only messages in this room.'),
  ...paging,
});

export const proofQuery = z.object({
  revision: numberParameter(revision.optional()).describe(
    'Another event of the message: its posting, an edit or the redaction. Only for administrators and auditors.',
  ),
});

// Answers -----------------------------------------------------------------------------------------------------------

export const messageSchema = z.object({
  id,
  roomId: id,
  revision: revision.describe('Revision of the event that posted the message.'),
  author: z.object({ id, username: z.string(), displayName: z.string().nullable() }),
  kind: z.enum(['text', 'action']).describe("`action`: in the third person; the text follows the author's name."),
  text: z.string().nullable().describe('Null once the message was redacted or forgotten.'),
  replyTo: id.nullable(),
  postedAt: time,
  editedAt: time.nullable(),
  redactedAt: time.nullable(),
  reactions: z
    .array(
      z.object({
        emoji: z.string(),
        count: count.describe('How many people reacted so.'),
        mine: z.boolean().describe('Whether the caller is one of them.'),
      }),
    )
    .max(mostReactions)
    .describe('The most frequent first; among equally frequent ones the one that was used first.'),
});
export type Message = z.output<typeof messageSchema>;
export const messageListSchema = listOf(messageSchema);

export const messageProofSchema = z.object({
  revision: revision.describe('Revision of the event that is proved.'),
  ordinal: count.describe('Its index in the transparency log, from 0.'),
  envelope: z.base64().describe('The bytes that were hashed: the event as stored, its text sealed.'),
  key: z
    .base64()
    .nullable()
    .describe(
      '32 bytes that open `data.sealed` of this event and of no other (AES-256-GCM: nonce, cipher text, tag; the associated ' +
        'data is `<stream>|<id>|<type>`). Null when the message was redacted, or its text was forgotten.',
    ),
  proof: z
    .string()
    .describe(
      'That the log has the SHA-256 of the envelope as its entry `ordinal`, in the form c2sp.org/tlog-proof@v1, with the ' +
        'checkpoint and its cosignatures. To be checked with the verifier keys of `/audit/log/keys`.',
    ),
});
export type MessageProof = z.output<typeof messageProofSchema>;

export const foundMessageSchema = messageSchema.extend({
  matches: z
    .array(z.object({ start: count, end: count }))
    .describe(
      'The places in `text` that `q` found, in order and without overlaps: offsets in UTF-16 code units as in ' +
        'JavaScript; `end` is exclusive. For highlighting: of a very long query only the first 50 parts are looked for.',
    ),
});
export type FoundMessage = z.output<typeof foundMessageSchema>;
export const foundMessageListSchema = listOf(foundMessageSchema);

export const inboxItemSchema = z.object({
  room: roomSchema,
  lastMessage: messageSchema.nullable(),
  unread: count.describe('Messages that the caller may read and has not read; those redacted do not count.'),
  readRevision: whole(-1).describe('The read mark; -1 if nothing was read.'),
});
export type InboxItem = z.output<typeof inboxItemSchema>;
export const inboxSchema = listOf(inboxItemSchema);
