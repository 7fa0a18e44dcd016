import { keyValue, timeOf } from './column-values.js';
import { type ReadDatabase, reading } from './projection.js';
import type { Stretch } from './stretch.js';
import type { RowWithText } from './texts.js';

/** A message between two people that can still be read. */
export interface DirectMessage {
  readonly author: DirectPerson;
  readonly text: string;
  readonly postedAt: string;
}

/** The latest message that a person has exchanged with another one. */
export interface Conversation {
  readonly peer: DirectPerson;
  readonly latest: DirectMessage;
}

/** The username is null for an account that the read models do not know. */
export interface DirectPerson {
  readonly id: string;
  readonly username: string | null;
}

/** The conversations of a person, those with the latest messages first. One without a message that can be read is left out. */
export async function conversations(
  db: ReadDatabase,
  user: string,
  { offset, limit }: Stretch,
): Promise<Conversation[]> {
  const { sql, schema, texts } = reading(db);
  const rows = await sql<(MessageRow & { peer_id: string; peer: string | null })[]>`
    SELECT found.*, peer.username AS peer, author.username
    FROM (
      SELECT peer.user_id AS peer_id, r.id AS room_id, m.author_id, m.text, m.text_bytes, m.text_revision, m.posted_at, m.position
      FROM ${schema}.members me
      JOIN ${schema}.rooms r ON r.id = me.room_id AND r.visibility = 'direct' AND r.message_count > 0
      CROSS JOIN LATERAL (
        SELECT user_id FROM ${schema}.members WHERE room_id = r.id AND user_id <> me.user_id
        UNION ALL
        SELECT user_id FROM ${schema}.left_members WHERE room_id = r.id AND user_id <> me.user_id
        LIMIT 1
      ) AS peer
      CROSS JOIN LATERAL (
        SELECT author_id, text, text_bytes, text_revision, posted_at, position FROM ${schema}.messages
        WHERE room_id = r.id AND redacted_at IS NULL AND coalesce(octet_length(text), text_bytes) IS NOT NULL
        ORDER BY revision DESC LIMIT 1
      ) AS m
      WHERE me.user_id = ${keyValue(user)}
      ORDER BY m.posted_at DESC, m.position DESC
      LIMIT ${limit} OFFSET ${offset}
    ) AS found
    LEFT JOIN ${schema}.people peer ON peer.id = found.peer_id
    LEFT JOIN ${schema}.people author ON author.id = found.author_id
    ORDER BY found.posted_at DESC, found.position DESC`;
  const read = await texts.read(rows);
  return read.map((row) => ({ peer: { id: row.peer_id, username: row.peer }, latest: toDirectMessage(row) }));
}

/** The messages of a direct room that can be read, the newest first. Whether somebody may read them is for the caller to judge. */
export async function directMessages(
  db: ReadDatabase,
  room: string,
  { offset, limit }: Stretch,
): Promise<DirectMessage[]> {
  const { sql, schema, texts } = reading(db);
  const rows = await sql<MessageRow[]>`
    SELECT m.*, author.username
    FROM (
      SELECT room_id, revision, author_id, text, text_bytes, text_revision, posted_at FROM ${schema}.messages
      WHERE room_id = ${keyValue(room)} AND redacted_at IS NULL AND coalesce(octet_length(text), text_bytes) IS NOT NULL
      ORDER BY revision DESC
      LIMIT ${limit} OFFSET ${offset}
    ) AS m
    LEFT JOIN ${schema}.people author ON author.id = m.author_id
    ORDER BY m.revision DESC`;
  return (await texts.read(rows)).map(toDirectMessage);
}

interface MessageRow extends RowWithText {
  author_id: string;
  username: string | null;
  posted_at: Date;
}

const toDirectMessage = ({ author_id, username, text, posted_at }: MessageRow): DirectMessage => ({
  author: { id: author_id, username },
  // One that was erased a moment ago has none any more.
  text: text ?? '',
  postedAt: timeOf(posted_at),
});
