import { randomInt } from 'node:crypto';
import type { Sql } from 'postgres';
import type { Migration } from '../../composition/migration.js';

/** The number of the room that always exists; other numbers follow it. */
export const FIRST_NUMBER = 1;
/** The range of unguessable numbers: beyond all sequential ones, and exact in JavaScript. */
const UNGUESSABLE = { from: 2 ** 33, to: 2 ** 33 + 2 ** 48 - 1 };

/** Tables of the numbers and titles by which chitchat's clients know rooms. Titles are keyed hashes. */
export const roomNumberTables: Migration = {
  schema: 'desk',
  name: 'chitchat_rooms',
  statements: [
    `create sequence desk.chitchat_numbers start ${FIRST_NUMBER + 1};
     create table desk.chitchat_rooms (
       number bigint primary key, room_id uuid not null unique, created_here boolean not null,
       updated_at timestamptz not null default now());
     create table desk.chitchat_titles (
       title text primary key, room_id uuid not null, claimed_at timestamptz not null default now());
     create index chitchat_titles_room on desk.chitchat_titles (room_id)`,
  ],
};

/** A room with its number. */
export interface NumberedRoom {
  readonly number: number;
  readonly roomId: string;
  /** Whether it was created at this door. */
  readonly createdHere: boolean;
  readonly updatedAt: Date;
}

/**
 * The integers by which chitchat's clients know rooms. A room keeps its number forever: on every replica, when read models
 * are rebuilt, and after the room is closed.
 */
export class RoomNumbers {
  constructor(private readonly sql: Sql) {}

  async byNumber(number: number): Promise<NumberedRoom | null> {
    if (!Number.isSafeInteger(number)) return null;
    const [row] = await this.sql<Row[]>`select * from desk.chitchat_rooms where number = ${number}`;
    return row ? toRoom(row) : null;
  }

  async byRoom(roomId: string): Promise<NumberedRoom | null> {
    const [row] = await this.sql<Row[]>`select * from desk.chitchat_rooms where room_id = ${roomId}`;
    return row ? toRoom(row) : null;
  }

  /** Those of these rooms that have a number. */
  async ofRooms(roomIds: readonly string[]): Promise<ReadonlyMap<string, NumberedRoom>> {
    const rows = await this.sql<Row[]>`
      select * from desk.chitchat_rooms where room_id = any(${[...roomIds]}::uuid[])`;
    return new Map(rows.map((row) => [row.room_id, toRoom(row)]));
  }

  /** Gives a room a number, unless it has one. `secret`: an unguessable one instead of the next one. */
  async assign(
    roomId: string,
    { createdHere, secret }: { createdHere: boolean; secret: boolean },
  ): Promise<NumberedRoom> {
    const known = await this.byRoom(roomId);
    if (known) return known;
    const number = secret
      ? this.sql`${randomInt(UNGUESSABLE.from, UNGUESSABLE.to)}`
      : this.sql`nextval('desk.chitchat_numbers')`;
    await this.sql`
      insert into desk.chitchat_rooms (number, room_id, created_here) values (${number}, ${roomId}, ${createdHere})
      on conflict do nothing`;
    // Another replica may have been first, or the number may be taken.
    return (await this.byRoom(roomId)) ?? this.assign(roomId, { createdHere, secret });
  }

  /** Gives a room the first number, unless another has it. */
  async assignFirst(roomId: string, createdHere: boolean): Promise<void> {
    await this.sql`
      insert into desk.chitchat_rooms (number, room_id, created_here) values (${FIRST_NUMBER}, ${roomId}, ${createdHere})
      on conflict do nothing`;
  }

  async noteChange(roomId: string): Promise<void> {
    await this.sql`update desk.chitchat_rooms set updated_at = now() where room_id = ${roomId}`;
  }

  // Titles ------------------------------------------------------------------------------------------------------------

  /** The room that has this title here, or had it last; `seconds` is how long ago it was claimed. */
  async holderOf(title: string): Promise<{ readonly roomId: string; readonly seconds: number } | null> {
    const [row] = await this.sql<{ room_id: string; seconds: number }[]>`
      select room_id, extract(epoch from now() - claimed_at)::float8 as seconds
      from desk.chitchat_titles where title = ${title}`;
    return row ? { roomId: row.room_id, seconds: row.seconds } : null;
  }

  /** Claims a title for a room: a free one, or that of the room `before`. False if another room was first. */
  async claimTitle(title: string, roomId: string, before: string | null): Promise<boolean> {
    const { count } = await this.sql`
      insert into desk.chitchat_titles as held (title, room_id) values (${title}, ${roomId})
      on conflict (title) do update set room_id = excluded.room_id, claimed_at = now()
      where held.room_id = ${before ?? roomId} or held.room_id = excluded.room_id`;
    return count === 1;
  }

  async releaseTitle(title: string, roomId: string): Promise<void> {
    await this.sql`delete from desk.chitchat_titles where title = ${title} and room_id = ${roomId}`;
  }
}

interface Row {
  number: string;
  room_id: string;
  created_here: boolean;
  updated_at: Date;
}

const toRoom = (row: Row): NumberedRoom => ({
  number: Number(row.number),
  roomId: row.room_id,
  createdHere: row.created_here,
  updatedAt: row.updated_at,
});
