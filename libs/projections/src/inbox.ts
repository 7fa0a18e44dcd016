import type { RoomRole } from '@verbatim/domain';
import { keyValue, timeOf } from './column-values.js';
import { type Message, type MessageRow, messageBytes, messageFields, toMessage } from './messages.js';
import { cursorKey, isPlace, isTime, type Measured, type Page, type PageRequest, toPage, withinBytes } from './page.js';
import { type ReadDatabase, reading } from './projection.js';
import { type Room, type RoomRow, toRoom } from './rooms.js';
import type { Texts } from './texts.js';
import { visibleFrom } from './visibility.js';

export interface InboxEntry {
  readonly room: Room;
  /** The person's role in the room. */
  readonly role: RoomRole;
  /** Null where there is none, or none that the person may read. */
  readonly lastMessage: Message | null;
  /** Messages that the person may read and has not read. Those that were redacted do not count. */
  readonly unread: number;
  /** Revision up to which the room counts as read: the mark set, the first joining, or the person's own last message. */
  readonly readThrough: bigint;
}

/** The rooms a person is in, those with the latest messages first. */
export async function inbox(db: ReadDatabase, user: string, page: PageRequest): Promise<Page<InboxEntry>> {
  const { sql, schema, texts } = reading(db);
  const last = cursorKey(page, 'inbox', isTime, isPlace);
  const found = sql`
    WITH mine AS (
      SELECT r.*, me.role AS my_role,
        greatest(mark.revision, me.read_through) AS read_through,
        ${sql.unsafe(visibleFrom)} AS visible_from
      FROM ${schema}.members me
      JOIN ${schema}.rooms r ON r.id = me.room_id
      LEFT JOIN desk.read_marks mark ON mark.user_id = me.user_id AND mark.room_id = me.room_id
      WHERE me.user_id = ${keyValue(user)}
        ${last ? sql`AND (r.active_at, r.active_position) < (${last[0]}::timestamptz, ${last[1]}::bigint)` : sql``}
      ORDER BY r.active_at DESC, r.active_position DESC
      LIMIT ${page.limit + 1}
    )
    , entries AS MATERIALIZED (
    SELECT to_json(mine) AS room, my_role, read_through,
      message_count - coalesce(read.ordinal, 0) - redacted.count AS unread,
      active_at, active_position, ${messageFields(db, user)}
    FROM mine
    LEFT JOIN LATERAL (
      SELECT ordinal FROM ${schema}.messages m
      WHERE m.room_id = mine.id AND m.revision <= greatest(mine.read_through, mine.visible_from - 1)
      ORDER BY m.revision DESC LIMIT 1
    ) AS read ON true
    CROSS JOIN LATERAL (
      SELECT count(*) FROM ${schema}.messages m
      WHERE m.room_id = mine.id AND m.revision > greatest(mine.read_through, mine.visible_from - 1)
        AND m.redacted_at IS NOT NULL
    ) AS redacted
    LEFT JOIN ${schema}.messages m ON m.room_id = mine.id AND m.revision = mine.last_message AND m.revision >= mine.visible_from
    LEFT JOIN ${schema}.people author ON author.id = m.author_id
    )
    SELECT *, octet_length(room::text) + ${messageBytes(sql)} AS bytes FROM entries`;
  const order = sql`active_at DESC, active_position DESC`;
  const rows = await sql<(InboxRow & Measured)[]>`${withinBytes(sql, found, order)}`;
  // Without a message that the person may read, the columns of one are null.
  const read = await texts.read(rows as (InboxRow & Measured & MessageRow)[]);
  return toPage(
    read,
    page,
    'inbox',
    (row) => toEntry(row, texts),
    (row) => [timeOf(row.active_at), `${row.active_position}`],
  );
}

/**
 * Remembers that a person has read a room up to `revision`. A mark never falls, so the caller sees to it that it is not
 * beyond the end of the room.
 */
export async function markRead(db: ReadDatabase, user: string, room: string, revision: bigint): Promise<void> {
  await db.sql`
    INSERT INTO desk.read_marks AS mark (user_id, room_id, revision)
    VALUES (${keyValue(user)}, ${keyValue(room)}, ${`${revision}`})
    ON CONFLICT (user_id, room_id) DO UPDATE SET revision = excluded.revision WHERE mark.revision < excluded.revision`;
}

type InboxRow = Partial<MessageRow> & {
  room: RoomRow;
  my_role: RoomRole;
  read_through: string;
  unread: string;
  active_at: Date;
  active_position: string;
};

const toEntry = (row: InboxRow, texts: Texts): InboxEntry => ({
  room: toRoom(row.room, texts),
  role: row.my_role,
  lastMessage: row.message_id ? toMessage(row as MessageRow) : null,
  unread: Number(row.unread),
  readThrough: BigInt(row.read_through),
});
