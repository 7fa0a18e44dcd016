import type { MessageKind, Visibility } from '@verbatim/domain';
import { arrayValue, column, keyValue } from './column-values.js';
import { type ReadDatabase, reading } from './projection.js';
import { visibleFrom } from './visibility.js';

// For doors whose clients hear all rooms that are open to them, rather than one after the other.

/** A room that somebody is in, or could enter at any time without a password or an invitation. */
export interface RoomWithinReach {
  readonly id: string;
  /** Null once erased. */
  readonly name: string | null;
  readonly visibility: Visibility;
  /** Whether the person is in it. */
  readonly member: boolean;
  /** The revision from which the person may read, or could. */
  readonly visibleFrom: bigint;
}

/**
 * The open rooms within reach of a person, those that they are in and those with the latest messages first; null: of somebody who has never been here.
 * Rooms that the person left or was removed from, and those that they are banned from, are out of reach.
 */
export async function roomsWithinReach(
  db: ReadDatabase,
  user: string | null,
  limit: number,
): Promise<RoomWithinReach[]> {
  const { sql, schema } = reading(db);
  const person = keyValue(user ?? '');
  const rows = await sql<ReachRow[]>`
    SELECT r.id, r.name, r.visibility, me.user_id IS NOT NULL AS member, ${sql.unsafe(visibleFrom)} AS visible_from
    FROM ${schema}.rooms r
    LEFT JOIN ${schema}.members me ON me.room_id = r.id AND me.user_id = ${person}
    WHERE r.status = 'open' AND (me.user_id IS NOT NULL OR (
      r.visibility = 'public' AND r.password_id IS NULL
      AND NOT EXISTS (SELECT FROM ${schema}.left_members l WHERE l.room_id = r.id AND l.user_id = ${person})
      AND NOT EXISTS (
        SELECT FROM ${schema}.restraints ban
        WHERE ban.room_id = r.id AND ban.kind = 'ban' AND ban.user_id = ${person}
          AND (ban.until IS NULL OR ban.until > now()))))
    ORDER BY (me.user_id IS NOT NULL) DESC, r.active_at DESC, r.id
    LIMIT ${limit}`;
  return rows.map(({ visible_from, ...room }) => ({ ...room, visibleFrom: BigInt(visible_from) }));
}

/** Whether somebody was in a room and is not in it any more: they left, or were removed. */
export async function hasLeft(db: ReadDatabase, room: string, user: string): Promise<boolean> {
  const { sql, schema } = reading(db);
  const [row] = await sql`
    SELECT FROM ${schema}.left_members WHERE room_id = ${keyValue(room)} AND user_id = ${keyValue(user)}`;
  return row !== undefined;
}

interface ReachRow {
  id: string;
  name: string | null;
  visibility: Visibility;
  member: boolean;
  visible_from: string;
}

/** A text that was said in a room, with the names of who said it: null for the service itself, and once erased. */
export interface SaidInRoom {
  readonly roomId: string;
  readonly author: { readonly id: string; readonly username: string | null; readonly displayName: string | null };
  readonly kind: MessageKind;
  readonly text: string;
}

/**
 * The texts among the newest `perRoom` messages of each of these rooms, in the order in which they were said. All together they
 * have at most `bytes`: what is too much are the older texts of the rooms that come last.
 */
export async function newestTexts(
  db: ReadDatabase,
  rooms: readonly Pick<RoomWithinReach, 'id' | 'visibleFrom'>[],
  most: { readonly perRoom: number; readonly bytes: number },
): Promise<SaidInRoom[]> {
  const { sql, schema } = reading(db);
  const rows = await sql<SaidRow[]>`
    SELECT m.room_id, m.author_id, author.username, author.display_name, m.kind, m.text
    FROM (
      SELECT said.*, sum(octet_length(said.text)) OVER (
        ORDER BY wanted.place, said.revision DESC ROWS UNBOUNDED PRECEDING) AS bytes
      FROM unnest(
        ${column(rooms, 'id')}::text[], ${arrayValue(rooms.map((room) => `${room.visibleFrom}`))}::bigint[]
      ) WITH ORDINALITY AS wanted (room_id, visible_from, place)
      CROSS JOIN LATERAL (
        SELECT room_id, revision, author_id, kind, text FROM ${schema}.messages newest
        WHERE newest.room_id = wanted.room_id AND newest.revision >= wanted.visible_from
        ORDER BY newest.revision DESC LIMIT ${most.perRoom}
      ) AS said
      WHERE said.text IS NOT NULL
    ) AS m
    LEFT JOIN ${schema}.people author ON author.id = m.author_id
    WHERE m.bytes <= ${most.bytes}
    ORDER BY m.room_id, m.revision`;
  return rows.map((row) => ({
    roomId: row.room_id,
    author: { id: row.author_id, username: row.username, displayName: row.display_name },
    kind: row.kind,
    text: row.text,
  }));
}

interface SaidRow {
  room_id: string;
  author_id: string;
  username: string | null;
  display_name: string | null;
  kind: MessageKind;
  text: string;
}
