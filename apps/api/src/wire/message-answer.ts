import { matchesIn } from '@verbatim/domain';
import type { InboxEntry, Message as MessageRow } from '@verbatim/projections';
import type { FoundMessage, InboxItem, Message } from '@verbatim/protocol';
import { roomRowAnswer } from './room-answer.js';

/** A message as clients see it. */
export const messageAnswer = (row: MessageRow): Message => ({
  id: row.id,
  roomId: row.roomId,
  revision: Number(row.revision),
  author: { id: row.author.id, username: row.author.username ?? '', displayName: row.author.displayName },
  kind: row.kind,
  text: row.text,
  replyTo: row.replyTo,
  postedAt: row.postedAt,
  editedAt: row.editedAt,
  redactedAt: row.redactedAt,
  reactions: [...row.reactions],
});

/** A message that `q` has found. */
export const foundMessageAnswer = (row: MessageRow, q: string): FoundMessage => ({
  ...messageAnswer(row),
  matches: matchesIn(row.text ?? '', q),
});

export const inboxAnswer = ({ room, lastMessage, unread, readThrough }: InboxEntry): InboxItem => ({
  room: roomRowAnswer(room),
  lastMessage: lastMessage && messageAnswer(lastMessage),
  unread,
  readRevision: Number(readThrough),
});
