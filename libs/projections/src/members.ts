import type { Recorded, RoomRole } from '@verbatim/domain';
import { arrayValue, entityId, keyValue, timeOf, timeValue } from './column-values.js';
import { cursorKey, isPlace, isTime, type Page, type PageRequest, toPage } from './page.js';
import { type Projection, type ReadDatabase, reading, type Transaction } from './projection.js';
import { type Room, type RoomRow, toRoom } from './rooms.js';
import { rowSet } from './row-set.js';
import { type Counted, countOf, type Stretch, within } from './stretch.js';
import type { Texts } from './texts.js';
import { isMember } from './visibility.js';

/** Who is in which room. */
export const members: Projection = {
  name: 'members',

  // `read_through`: the revision up to which the room counts as read without a read mark. That is the person's own last
  // message, or else their first joining. It outlives their membership in `left_members`, so that somebody who comes back
  // finds unread what was said meanwhile. It changes with every batch in which a member posts; no index holds it, and pages
  // have space for it.
  tables: (schema) => `
    CREATE TABLE ${schema}.members (
      room_id text COLLATE "C",
      user_id text COLLATE "C",
      role text NOT NULL,
      joined_at timestamptz NOT NULL,
      joined_revision bigint NOT NULL,
      read_through bigint NOT NULL,
      PRIMARY KEY (room_id, user_id)
    ) WITH (fillfactor = 70);
    CREATE TABLE ${schema}.left_members (
      room_id text COLLATE "C",
      user_id text COLLATE "C",
      read_through bigint NOT NULL,
      PRIMARY KEY (room_id, user_id)
    );`,

  indexes: (schema) => `
    CREATE INDEX ON ${schema}.members (user_id);
    CREATE INDEX ON ${schema}.members (room_id, joined_revision);`,

  async apply(tx, schema, events) {
    const { gone, present, changed } = fold(events);
    await Promise.all([
      gone.length > 0 && deleteGone(tx, schema, gone),
      present.length > 0 && upsertPresent(tx, schema, present),
      changed.length > 0 && updateChanged(tx, schema, changed),
    ]);
  },
};

/** What a batch comes to for one person in one room: gone, in it since a joining within the batch, or only changed. */
interface Outcome {
  readonly room: string;
  readonly user: string;
  is: 'gone' | 'present' | 'changed';
  /** These are null where the batch leaves them as they are. */
  role: string | null;
  joinedAt: string | null;
  joinedRevision: string | null;
  firstJoined: string | null;
  lastPosted: string | null;
}

function fold(events: readonly Recorded[]) {
  const outcomes = new Map<string, Outcome>();
  for (const event of events) {
    const user = personConcerned(event);
    if (user === null) continue;
    const room = entityId(event);
    const key = `${room} ${user}`;
    const outcome = outcomes.get(key) ?? unchanged(room, user);
    outcomes.set(key, outcome);
    change(outcome, event);
  }
  const all = [...outcomes.values()];
  return {
    gone: all.filter(({ is }) => is === 'gone'),
    present: all.filter(({ is }) => is === 'present'),
    changed: all.filter(({ is }) => is === 'changed'),
  };
}

function personConcerned(event: Recorded): string | null {
  switch (event.type) {
    case 'MemberJoined':
    case 'MemberLeft':
    case 'MemberRemoved':
    case 'MemberRoleChanged':
      return keyValue(event.data.userId);
    case 'MessagePosted':
      return keyValue(event.actor);
    default:
      return null;
  }
}

const unchanged = (room: string, user: string): Outcome => ({
  room,
  user,
  is: 'changed',
  role: null,
  joinedAt: null,
  joinedRevision: null,
  firstJoined: null,
  lastPosted: null,
});

function change(outcome: Outcome, event: Recorded): void {
  switch (event.type) {
    case 'MemberJoined':
      outcome.is = 'present';
      outcome.role = keyValue(event.data.role);
      outcome.joinedAt = timeValue(event);
      outcome.joinedRevision = `${event.revision}`;
      outcome.firstJoined ??= outcome.joinedRevision;
      break;
    case 'MemberLeft':
    case 'MemberRemoved':
      outcome.is = 'gone';
      break;
    case 'MemberRoleChanged':
      outcome.role = keyValue(event.data.role);
      break;
    case 'MessagePosted':
      outcome.lastPosted = `${event.revision}`;
      break;
  }
}

const goneRows = rowSet('g', {
  room_id: ['room', 'text'],
  user_id: ['user', 'text'],
  first_joined: ['firstJoined', 'bigint'],
  last_posted: ['lastPosted', 'bigint'],
});

const deleteGone = (tx: Transaction, schema: string, rows: readonly Outcome[]) => tx`
  WITH gone AS (
    SELECT * FROM ${goneRows(tx, rows)}
  ), deleted AS (
    DELETE FROM ${tx(schema)}.members m USING gone g WHERE m.room_id = g.room_id AND m.user_id = g.user_id
    RETURNING m.room_id, m.user_id, m.read_through
  )
  INSERT INTO ${tx(schema)}.left_members (room_id, user_id, read_through)
  SELECT g.room_id, g.user_id, coalesce(g.last_posted, d.read_through, l.read_through, g.first_joined, -1)
  FROM gone g
  LEFT JOIN deleted d USING (room_id, user_id)
  LEFT JOIN ${tx(schema)}.left_members l USING (room_id, user_id)
  ON CONFLICT (room_id, user_id) DO UPDATE SET read_through = excluded.read_through`;

const presentRows = rowSet('p', {
  room_id: ['room', 'text'],
  user_id: ['user', 'text'],
  role: ['role', 'text'],
  joined_at: ['joinedAt', 'timestamptz'],
  joined_revision: ['joinedRevision', 'bigint'],
  first_joined: ['firstJoined', 'bigint'],
  last_posted: ['lastPosted', 'bigint'],
});

const upsertPresent = (tx: Transaction, schema: string, rows: readonly Outcome[]) => tx`
  WITH present AS (
    SELECT * FROM ${presentRows(tx, rows)}
  ), returned AS (
    DELETE FROM ${tx(schema)}.left_members l USING present p WHERE l.room_id = p.room_id AND l.user_id = p.user_id
    RETURNING l.room_id, l.user_id, l.read_through
  )
  INSERT INTO ${tx(schema)}.members (room_id, user_id, role, joined_at, joined_revision, read_through)
  SELECT p.room_id, p.user_id, p.role, p.joined_at, p.joined_revision,
    coalesce(p.last_posted, m.read_through, r.read_through, p.first_joined)
  FROM present p
  LEFT JOIN ${tx(schema)}.members m USING (room_id, user_id)
  LEFT JOIN returned r USING (room_id, user_id)
  ON CONFLICT (room_id, user_id) DO UPDATE SET
    role = excluded.role, joined_at = excluded.joined_at, joined_revision = excluded.joined_revision,
    read_through = excluded.read_through`;

const changedRows = rowSet('changed', {
  room_id: ['room', 'text'],
  user_id: ['user', 'text'],
  role: ['role', 'text'],
  last_posted: ['lastPosted', 'bigint'],
});

const updateChanged = (tx: Transaction, schema: string, rows: readonly Outcome[]) => tx`
  UPDATE ${tx(schema)}.members m SET
    role = coalesce(changed.role, m.role),
    read_through = coalesce(changed.last_posted, m.read_through)
  FROM ${changedRows(tx, rows)}
  WHERE m.room_id = changed.room_id AND m.user_id = changed.user_id`;

// Queries -----------------------------------------------------------------------------------------------------------

export interface RoomMember {
  readonly user: { readonly id: string; readonly username: string | null; readonly displayName: string | null };
  readonly role: RoomRole;
  readonly joinedAt: string;
  /** Revision of the latest joining. */
  readonly joinedRevision: bigint;
  /** Until when the member may not speak, be it past, or null. */
  readonly mutedUntil: string | null;
}

/** Members of a room in the order in which they joined. */
export async function membersOf(db: ReadDatabase, room: string, page: PageRequest): Promise<Page<RoomMember>> {
  const { sql } = reading(db);
  const after = cursorKey(page, 'members', isPlace);
  const rows = await sql<MemberRow[]>`
    SELECT ${memberFields(db)}
    WHERE m.room_id = ${keyValue(room)} ${after ? sql`AND m.joined_revision > ${after[0]}` : sql``}
    ORDER BY m.joined_revision
    LIMIT ${page.limit + 1}`;
  return toPage(rows, page, 'members', toMember, (row) => [`${row.joined_revision}`]);
}

/** Members of a room from the start of the list, in the order in which they joined. */
export async function membersFrom(db: ReadDatabase, room: string, stretch: Stretch): Promise<Counted<RoomMember>> {
  const { sql, schema } = reading(db);
  const [rows, total] = await Promise.all([
    sql<MemberRow[]>`
      SELECT ${memberFields(db)} WHERE m.room_id = ${keyValue(room)} ORDER BY m.joined_revision ${within(sql, stretch)}`,
    countOf(sql, sql`SELECT 1 FROM ${schema}.members WHERE room_id = ${keyValue(room)}`),
  ]);
  return { items: rows.map(toMember), total };
}

/** A member of one of several rooms. */
export interface MemberOfRoom {
  readonly roomId: string;
  readonly userId: string;
  readonly role: RoomRole;
}

/**
 * Members of these rooms, at most `most` of each, in the order in which they joined; of rooms that are neither public nor the
 * viewer's only the owners.
 */
export async function membersOfRooms(
  db: ReadDatabase,
  { rooms, viewer, most }: { readonly rooms: readonly string[]; readonly viewer: string; readonly most: number },
): Promise<MemberOfRoom[]> {
  const { sql, schema } = reading(db);
  const rows = await sql<{ room_id: string; user_id: string; role: RoomRole }[]>`
    SELECT r.id AS room_id, m.user_id, m.role
    FROM ${schema}.rooms r
    CROSS JOIN LATERAL (
      SELECT user_id, role, joined_revision FROM ${schema}.members
      WHERE room_id = r.id AND (role = 'owner' OR r.visibility = 'public' OR ${isMember(db, viewer)})
      ORDER BY joined_revision LIMIT ${most}
    ) AS m
    WHERE r.id = ANY(${arrayValue(rooms.map(keyValue))}::text[])
    ORDER BY r.id, m.joined_revision`;
  return rows.map(({ room_id, user_id, role }) => ({ roomId: room_id, userId: user_id, role }));
}

/** A room that somebody is in. */
export interface Membership {
  readonly room: Room;
  readonly role: RoomRole;
  readonly joinedAt: string;
}

/** The rooms somebody is in, those with the latest messages first. */
export async function roomsOf(db: ReadDatabase, user: string, page: PageRequest): Promise<Page<Membership>> {
  const { sql, schema } = reading(db);
  const last = cursorKey(page, 'rooms of', isTime, isPlace);
  const rows = await sql<MembershipRow[]>`
    SELECT to_json(r) AS room, m.role, m.joined_at, r.active_at, r.active_position
    FROM ${schema}.members m JOIN ${schema}.rooms r ON r.id = m.room_id
    WHERE m.user_id = ${keyValue(user)}
      ${last ? sql`AND (r.active_at, r.active_position) < (${last[0]}::timestamptz, ${last[1]}::bigint)` : sql``}
    ORDER BY r.active_at DESC, r.active_position DESC
    LIMIT ${page.limit + 1}`;
  const { texts } = reading(db);
  return toPage(
    rows,
    page,
    'rooms of',
    (row) => toMembership(row, texts),
    (row) => [timeOf(row.active_at), `${row.active_position}`],
  );
}

/** One person's membership of a room, or null. */
export async function membership(db: ReadDatabase, room: string, user: string): Promise<RoomMember | null> {
  const { sql } = reading(db);
  const [row] = await sql<MemberRow[]>`
    SELECT ${memberFields(db)}
    WHERE m.room_id = ${keyValue(room)} AND m.user_id = ${keyValue(user)}`;
  return row ? toMember(row) : null;
}

function memberFields(db: ReadDatabase) {
  const { sql, schema } = reading(db);
  return sql`m.*, p.username, p.display_name, mute.until AS muted_until
    FROM ${schema}.members m
    LEFT JOIN ${schema}.people p ON p.id = m.user_id
    LEFT JOIN ${schema}.restraints mute ON mute.room_id = m.room_id AND mute.kind = 'mute' AND mute.user_id = m.user_id`;
}

interface MembershipRow {
  room: RoomRow;
  role: RoomRole;
  joined_at: Date;
  active_at: Date;
  active_position: string;
}

const toMembership = ({ room, role, joined_at }: MembershipRow, texts: Texts): Membership => ({
  room: toRoom(room, texts),
  role,
  joinedAt: timeOf(joined_at),
});

interface MemberRow {
  user_id: string;
  username: string | null;
  display_name: string | null;
  role: RoomRole;
  joined_at: Date;
  joined_revision: string;
  muted_until: Date | null;
}

const toMember = (row: MemberRow): RoomMember => ({
  user: { id: row.user_id, username: row.username, displayName: row.display_name },
  role: row.role,
  joinedAt: timeOf(row.joined_at),
  joinedRevision: BigInt(row.joined_revision),
  mutedUntil: row.muted_until && timeOf(row.muted_until),
});
