import type { HistoryAccess, Recorded, Visibility } from '@verbatim/domain';
import { parseStream } from '@verbatim/domain';
import type { Fragment } from 'postgres';
import { arrayValue, entityId, keyValue, nameKeyValue, textValue, timeOf, timeValue } from './column-values.js';
import { nameWords, wantedWords } from './name-search.js';
import { cursorKey, isKey, isPlace, isTime, type Page, type PageRequest, toPage } from './page.js';
import { type Projection, type ReadDatabase, reading, type Transaction } from './projection.js';
import { rowSet } from './row-set.js';
import { type Counted, countOf, type Stretch, within } from './stretch.js';
import { substringIndex } from './substring-search.js';
import type { Texts } from './texts.js';
import { isListed, isMember } from './visibility.js';

/** Every room with its settings, its counters and its last message. */
export const rooms: Projection = {
  name: 'rooms',

  // A busy room's row changes with every batch, which stays cheap while its page has space for the next form of it and
  // no index holds a column that changes.
  tables: (schema) => `
    CREATE TABLE ${schema}.rooms (
      id text COLLATE "C" PRIMARY KEY,
      name text,
      name_key text COLLATE "C",
      name_words text COLLATE "C",
      topic text,
      visibility text NOT NULL,
      history text NOT NULL,
      password_id text,
      slow_mode_seconds integer NOT NULL DEFAULT 0,
      status text NOT NULL DEFAULT 'open',
      created_by text,
      created_at timestamptz NOT NULL,
      created_position bigint NOT NULL,
      revision bigint NOT NULL,
      member_count integer NOT NULL DEFAULT 0,
      message_count bigint NOT NULL DEFAULT 0,
      last_message bigint,
      active_at timestamptz NOT NULL,
      active_position bigint NOT NULL,
      closed_at timestamptz,
      closed_by text,
      close_reason text
    ) WITH (fillfactor = 50);`,

  indexes: (schema) => `
    CREATE INDEX ON ${schema}.rooms (created_at, id);
    ${substringIndex(schema, 'rooms', 'name_words')}`,

  async apply(tx, schema, events, texts) {
    const { created, changed } = fold(events, texts);
    await Promise.all([
      created.length > 0 && insertCreated(tx, schema, created),
      changed.length > 0 && updateChanged(tx, schema, changed),
    ]);
  },
};

type Created = ReturnType<typeof createdRow>;
interface Change {
  readonly id: string;
  revision: string;
  /** Columns that get a new value. */
  patch: Record<string, string | null>;
  members: number;
  messages: number;
  /** The last message of the batch, if there is one: its revision, its time, its position. */
  lastMessage: string | null;
  activeAt: string | null;
  activePosition: string | null;
}

/** Rooms created, and for every room of the batch, also these, one change that sums up all its events. */
function fold(events: readonly Recorded[], texts: Texts): { created: Created[]; changed: Change[] } {
  const created: Created[] = [];
  const changes = new Map<string, Change>();
  for (const event of events) {
    if (parseStream(event.stream).category !== 'room') continue;
    if (event.type === 'RoomCreated') created.push(createdRow(event, texts));
    const id = entityId(event);
    const change = changes.get(id) ?? noChange(id);
    changes.set(id, change);
    change.revision = `${event.revision}`;
    sumUp(change, event, texts);
  }
  return { created, changed: [...changes.values()] };
}

const noChange = (id: string): Change => ({
  id,
  revision: '',
  patch: {},
  members: 0,
  messages: 0,
  lastMessage: null,
  activeAt: null,
  activePosition: null,
});

function sumUp(change: Change, event: Recorded, texts: Texts): void {
  switch (event.type) {
    case 'RoomChanged': {
      const { name, topic, visibility, history, passwordId, slowModeSeconds } = event.data;
      if (name !== undefined)
        Object.assign(change.patch, {
          name: textValue(name),
          name_key: nameKeyValue(name),
          name_words: nameWords(name),
        });
      if (topic !== undefined) change.patch.topic = texts.keep(textValue(topic));
      if (visibility !== undefined) change.patch.visibility = keyValue(visibility);
      if (history !== undefined) change.patch.history = keyValue(history);
      if (passwordId !== undefined) change.patch.password_id = textValue(passwordId);
      if (slowModeSeconds !== undefined) change.patch.slow_mode_seconds = `${slowModeSeconds}`;
      break;
    }
    case 'ChatClosed':
      Object.assign(change.patch, {
        status: 'closed',
        closed_at: timeValue(event),
        closed_by: textValue(event.actor),
        close_reason: texts.keep(textValue(event.data.reason)),
      });
      break;
    case 'MemberJoined':
      change.members++;
      break;
    case 'MemberLeft':
    case 'MemberRemoved':
      change.members--;
      break;
    case 'MessagePosted':
      change.messages++;
      change.lastMessage = `${event.revision}`;
      change.activeAt = timeValue(event);
      change.activePosition = `${event.position}`;
      break;
  }
}

function createdRow(event: Extract<Recorded, { type: 'RoomCreated' }>, texts: Texts) {
  const { name, topic, visibility, history, passwordId } = event.data;
  return {
    id: entityId(event),
    name: textValue(name),
    nameKey: nameKeyValue(name),
    nameWords: nameWords(name),
    topic: texts.keep(textValue(topic)),
    visibility: keyValue(visibility),
    history: keyValue(history),
    passwordId: textValue(passwordId),
    createdBy: textValue(event.actor),
    createdAt: timeValue(event),
    position: `${event.position}`,
    revision: `${event.revision}`,
  };
}

const createdRows = rowSet('created', {
  id: ['id', 'text'],
  name: ['name', 'text'],
  name_key: ['nameKey', 'text'],
  name_words: ['nameWords', 'text'],
  topic: ['topic', 'text'],
  visibility: ['visibility', 'text'],
  history: ['history', 'text'],
  password_id: ['passwordId', 'text'],
  created_by: ['createdBy', 'text'],
  at: ['createdAt', 'timestamptz'],
  position: ['position', 'bigint'],
  revision: ['revision', 'bigint'],
});

const insertCreated = (tx: Transaction, schema: string, rows: readonly Created[]) => tx`
  INSERT INTO ${tx(schema)}.rooms (
    id, name, name_key, name_words, topic, visibility, history, password_id, created_by, created_at, created_position, revision, active_at, active_position)
  SELECT id, name, name_key, name_words, topic, visibility, history, password_id, created_by, at, position, revision, at, position
  FROM ${createdRows(tx, rows)}
  ON CONFLICT DO NOTHING`;

const changedRows = rowSet('changed', {
  id: ['id', 'text'],
  revision: ['revision', 'bigint'],
  members: ['members', 'integer'],
  messages: ['messages', 'integer'],
  last_message: ['lastMessage', 'bigint'],
  active_at: ['activeAt', 'timestamptz'],
  active_position: ['activePosition', 'bigint'],
  patch: ['patch', 'jsonb'],
});

const updateChanged = (tx: Transaction, schema: string, changes: readonly Change[]) => tx`
  UPDATE ${tx(schema)}.rooms r SET
    name = CASE WHEN patch ? 'name' THEN patch ->> 'name' ELSE r.name END,
    name_key = CASE WHEN patch ? 'name_key' THEN patch ->> 'name_key' ELSE r.name_key END,
    name_words = CASE WHEN patch ? 'name_words' THEN patch ->> 'name_words' ELSE r.name_words END,
    topic = CASE WHEN patch ? 'topic' THEN patch ->> 'topic' ELSE r.topic END,
    visibility = coalesce(patch ->> 'visibility', r.visibility),
    history = coalesce(patch ->> 'history', r.history),
    password_id = CASE WHEN patch ? 'password_id' THEN patch ->> 'password_id' ELSE r.password_id END,
    slow_mode_seconds = coalesce((patch ->> 'slow_mode_seconds')::integer, r.slow_mode_seconds),
    status = coalesce(patch ->> 'status', r.status),
    revision = changed.revision,
    member_count = r.member_count + changed.members,
    message_count = r.message_count + changed.messages,
    last_message = coalesce(changed.last_message, r.last_message),
    active_at = coalesce(changed.active_at, r.active_at),
    active_position = coalesce(changed.active_position, r.active_position),
    closed_at = coalesce((patch ->> 'closed_at')::timestamptz, r.closed_at),
    closed_by = coalesce(patch ->> 'closed_by', r.closed_by),
    close_reason = coalesce(patch ->> 'close_reason', r.close_reason)
  FROM ${changedRows(
    tx,
    changes.map((change) => ({ ...change, patch: JSON.stringify(change.patch) })),
  )}
  WHERE r.id = changed.id`;

// Queries -----------------------------------------------------------------------------------------------------------

export interface Room {
  readonly id: string;
  /** Empty for direct rooms; name and topic are null once erased. */
  readonly name: string | null;
  readonly topic: string | null;
  readonly visibility: Visibility;
  readonly history: HistoryAccess;
  readonly passwordId: string | null;
  readonly slowModeSeconds: number;
  readonly status: 'open' | 'closed';
  readonly createdBy: string | null;
  readonly createdAt: string;
  /** Of the room's last event that has reached the read model. */
  readonly revision: bigint;
  readonly memberCount: number;
  /** All that were ever posted, also those redacted. */
  readonly messageCount: number;
  /** When the last message was posted; of a room without any, when it was created. */
  readonly activeAt: string;
  /** Null while the room is open; `by` is null for the service, `reason` if none was given or once it is erased. */
  readonly closing: { readonly at: string; readonly by: string | null; readonly reason: string | null } | null;
}

/** Regardless of visibility: the caller checks whether the person may know of the room. */
export async function getRoom(db: ReadDatabase, id: string): Promise<Room | null> {
  const { sql, schema, texts } = reading(db);
  const [row] = await sql<RoomRow[]>`SELECT * FROM ${schema}.rooms WHERE id = ${keyValue(id)}`;
  return row ? toRoom(row, texts) : null;
}

/** Whether a room that is closed now had this name when it was closed. Reads all rooms. */
export async function closedRoomHadName(db: ReadDatabase, name: string): Promise<boolean> {
  const { sql, schema } = reading(db);
  const [row] = await sql`
    SELECT FROM ${schema}.rooms WHERE name_key = ${nameKeyValue(name)} AND status = 'closed' LIMIT 1`;
  return row !== undefined;
}

export interface RoomsQuery {
  readonly viewer: string;
  /** Administrators and auditors see all rooms; others public rooms and those that they are in. */
  readonly admin: boolean;
  /** Only rooms whose name contains all these words, as `wantedWords` compares them. */
  readonly q?: string;
  /** Only rooms that the viewer is in. */
  readonly memberOnly?: boolean;
  readonly status?: 'open' | 'closed';
  readonly visibility?: Visibility;
  /** `createdAt`, if absent. */
  readonly sort?: RoomSort;
  /** `desc`, if absent. */
  readonly order?: 'asc' | 'desc';
  readonly page: PageRequest;
}

export type RoomSort = 'createdAt' | 'name' | 'members' | 'activity';

/**
 * The columns by which each order goes, and what a cursor holds of them. Only the first is indexed, so the others read
 * all rooms: what changes with every message must not be in an index.
 */
const sorts = {
  createdAt: { key: 'created_at', check: isTime },
  name: { key: "coalesce(r.name_key, '')", check: isKey },
  members: { key: 'member_count::bigint', check: isPlace },
  activity: { key: 'active_at', check: isTime },
} as const satisfies Record<RoomSort, { key: string; check: (part: string) => boolean }>;

/** The visibility of each of these rooms that there is. */
export async function visibilitiesOf(
  db: ReadDatabase,
  ids: readonly string[],
): Promise<{ readonly id: string; readonly visibility: Visibility }[]> {
  const { sql, schema } = reading(db);
  return sql<{ id: string; visibility: Visibility }[]>`
    SELECT id, visibility FROM ${schema}.rooms WHERE id = ANY(${arrayValue(ids)}::text[]) ORDER BY id`;
}

/** Rooms, those created last first unless another order is asked for. */
export async function listRooms(db: ReadDatabase, query: RoomsQuery): Promise<Page<Room>> {
  const { viewer, admin, q, memberOnly, status, visibility, sort = 'createdAt', order = 'desc', page } = query;
  const list = sort === 'createdAt' && order === 'desc' ? 'rooms' : `rooms ${sort} ${order}`;
  const after = cursorKey(page, list, sorts[sort].check, isKey);
  const { sql, schema, texts } = reading(db);
  const key = sql.unsafe(sorts[sort].key);
  const beyond = order === 'asc' ? sql`>` : sql`<`;
  const direction = order === 'asc' ? sql`ASC` : sql`DESC`;
  const words = q ? wantedWords(q) : [];
  const named = words.map(
    ({ patterns }) => sql`AND (${patterns.map((p, i) => sql`${i > 0 ? sql`OR` : sql``} r.name_words LIKE ${p}`)})`,
  );
  if (q && words.length === 0) named.push(sql`AND false`);
  const rows = await sql<(RoomRow & { sort_key: string | Date })[]>`
    SELECT r.*, ${key} AS sort_key FROM ${schema}.rooms r
    WHERE ${memberOnly ? isMember(db, viewer) : admin ? sql`true` : isListed(db, viewer)}
      ${named.length > 0 ? named : sql``}
      ${status ? sql`AND r.status = ${status}` : sql``}
      ${visibility ? sql`AND r.visibility = ${visibility}` : sql``}
      ${after ? sql`AND (${key}, r.id) ${beyond} (${after[0]}, ${after[1]})` : sql``}
    ORDER BY ${key} ${direction}, r.id ${direction}
    LIMIT ${page.limit + 1}`;
  return toPage(
    rows,
    page,
    list,
    (row) => toRoom(row, texts),
    (row) => [keyOf(row.sort_key), row.id],
  );
}

/** Which rooms are wanted of a list from its start: open ones that are not direct. */
export interface RoomsFromQuery extends Stretch {
  readonly viewer: string;
  /** All of them; otherwise public rooms, and those that the viewer is in. */
  readonly admin: boolean;
  /** A query for the ids of private rooms that are listed for everybody. */
  readonly alsoPrivate?: Fragment;
}

/** Rooms from the start of the list, those created first first. */
export async function roomsFrom(db: ReadDatabase, query: RoomsFromQuery): Promise<Counted<Room>> {
  const { sql, schema, texts } = reading(db);
  const { viewer, admin, alsoPrivate } = query;
  const also = alsoPrivate ? sql`OR (r.visibility = 'private' AND r.id IN (${alsoPrivate}))` : sql``;
  const listed = sql`
    FROM ${schema}.rooms r
    WHERE r.status = 'open' AND r.visibility <> 'direct' AND ${admin ? sql`true` : sql`(${isListed(db, viewer)} ${also})`}`;
  const [rows, total] = await Promise.all([
    sql<RoomRow[]>`SELECT r.* ${listed} ORDER BY r.created_at, r.id ${within(sql, query)}`,
    countOf(sql, sql`SELECT 1 ${listed}`),
  ]);
  return { items: rows.map((row) => toRoom(row, texts)), total };
}

/** Whether an open room that is not direct has this name, as names are compared, hidden rooms included. */
export async function isNameOfRoom(db: ReadDatabase, name: string): Promise<boolean> {
  const { sql, schema } = reading(db);
  const rows = await sql`
    SELECT 1 FROM ${schema}.rooms
    WHERE name_key = ${nameKeyValue(name)} AND status = 'open' AND visibility <> 'direct' LIMIT 1`;
  return rows.length > 0;
}

const keyOf = (key: string | Date): string => (key instanceof Date ? timeOf(key) : key);

export interface RoomRow {
  id: string;
  name: string | null;
  topic: string | null;
  visibility: Visibility;
  history: HistoryAccess;
  password_id: string | null;
  slow_mode_seconds: number;
  status: 'open' | 'closed';
  created_by: string | null;
  created_at: Date;
  created_position: string;
  revision: string;
  member_count: number;
  message_count: string;
  active_at: Date;
  closed_at: Date | null;
  closed_by: string | null;
  close_reason: string | null;
}

export const toRoom = (row: RoomRow, texts: Texts): Room => ({
  id: row.id,
  name: row.name,
  topic: texts.show(row.topic),
  visibility: row.visibility,
  history: row.history,
  passwordId: row.password_id,
  slowModeSeconds: row.slow_mode_seconds,
  status: row.status,
  createdBy: row.created_by,
  createdAt: timeOf(row.created_at),
  revision: BigInt(row.revision),
  memberCount: row.member_count,
  messageCount: Number(row.message_count),
  activeAt: timeOf(row.active_at),
  closing: row.closed_at && { at: timeOf(row.closed_at), by: row.closed_by, reason: texts.show(row.close_reason) },
});
