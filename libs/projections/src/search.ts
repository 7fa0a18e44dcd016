import type { Recorded } from '@verbatim/domain';
import { column, entityId, keyValue, textValue, timeOf, timeValue } from './column-values.js';
import { type Message, type MessageRow, messageBytes, messageFields, toMessage } from './messages.js';
import { cursorKey, isPlace, isTime, type Measured, type Page, type PageRequest, toPage, withinBytes } from './page.js';
import { type Projection, type ReadDatabase, reading, type Transaction } from './projection.js';

/**
 * The words of every message. It is the dearest of the read models, so it has a checkpoint of its own and may lag. The
 * words are taken as they are written ('simple'): a chat has many languages, often in one room.
 */
export const search: Projection = {
  name: 'search',

  tables: (schema) => `
    CREATE TABLE ${schema}.search (
      room_id text COLLATE "C",
      message_id text COLLATE "C",
      revision bigint NOT NULL,
      position bigint NOT NULL,
      posted_at timestamptz NOT NULL,
      words tsvector NOT NULL,
      PRIMARY KEY (message_id, room_id)
    );`,

  // `fastupdate` puts new words on a list first, which halves the price of a post.
  indexes: (schema) => `
    CREATE INDEX ON ${schema}.search USING gin (words) WITH (fastupdate = on);
    CREATE INDEX ON ${schema}.search (room_id, posted_at, position);`,

  async apply(tx, schema, events) {
    const { posted, edited, redacted } = fold(events);
    // In this order, so that a message posted and then changed within the batch is there to be changed.
    await Promise.all([
      posted.length > 0 && insertPosted(tx, schema, posted),
      edited.length > 0 && updateEdited(tx, schema, edited),
      redacted.length > 0 && deleteRedacted(tx, schema, redacted),
    ]);
  },
};

interface Subject {
  readonly room: string;
  readonly message: string;
}
interface Edited extends Subject {
  readonly text: string;
}
interface Posted extends Edited {
  readonly revision: string;
  readonly position: string;
  readonly postedAt: string;
}

/** Messages posted, the latest texts of those edited, and those redacted; each of them whatever else happened to it. */
function fold(events: readonly Recorded[]) {
  const posted: Posted[] = [];
  const edited = new Map<string, Edited>();
  const redacted: Subject[] = [];
  for (const event of events) {
    if (event.type !== 'MessagePosted' && event.type !== 'MessageEdited' && event.type !== 'MessageRedacted') continue;
    const subject = { room: entityId(event), message: keyValue(event.data.messageId) };
    if (event.type === 'MessagePosted') {
      const places = { revision: `${event.revision}`, position: `${event.position}`, postedAt: timeValue(event) };
      posted.push({ ...subject, ...places, text: searchable(event.data.text) });
    } else if (event.type === 'MessageEdited') {
      edited.set(`${subject.room} ${subject.message}`, { ...subject, text: searchable(event.data.text) });
    } else redacted.push(subject);
  }
  return { posted, edited: [...edited.values()], redacted };
}

/** PostgreSQL refuses the words of a text beyond a megabyte. No message is nearly as long. */
const searchable = (text: string | null): string => (textValue(text) ?? '').slice(0, 100_000);

const insertPosted = (tx: Transaction, schema: string, rows: readonly Posted[]) => tx`
  INSERT INTO ${tx(schema)}.search (room_id, message_id, revision, position, posted_at, words)
  SELECT room_id, message_id, revision, position, posted_at, to_tsvector('simple', text)
  FROM unnest(
    ${column(rows, 'room')}::text[], ${column(rows, 'message')}::text[], ${column(rows, 'revision')}::bigint[],
    ${column(rows, 'position')}::bigint[], ${column(rows, 'postedAt')}::text[]::timestamptz[], ${column(rows, 'text')}::text[]
  ) AS posted (room_id, message_id, revision, position, posted_at, text)
  ON CONFLICT DO NOTHING`;

const updateEdited = (tx: Transaction, schema: string, rows: readonly Edited[]) => tx`
  UPDATE ${tx(schema)}.search s SET words = to_tsvector('simple', edited.text)
  FROM unnest(${column(rows, 'room')}::text[], ${column(rows, 'message')}::text[], ${column(rows, 'text')}::text[])
    AS edited (room_id, message_id, text)
  WHERE s.room_id = edited.room_id AND s.message_id = edited.message_id`;

const deleteRedacted = (tx: Transaction, schema: string, rows: readonly Subject[]) => tx`
  DELETE FROM ${tx(schema)}.search s
  USING unnest(${column(rows, 'room')}::text[], ${column(rows, 'message')}::text[]) AS redacted (room_id, message_id)
  WHERE s.room_id = redacted.room_id AND s.message_id = redacted.message_id`;

// Queries -----------------------------------------------------------------------------------------------------------

export interface SearchQuery {
  readonly viewer: string;
  /** Words that must all be there; "in quotes": next to each other; `or`; `-word`: must not be there. */
  readonly q: string;
  /** Only messages of this room, from a revision on: what the viewer may read there is for the caller to judge. */
  readonly room?: { readonly id: string; readonly visibleFrom: bigint };
  readonly page: PageRequest;
}

/**
 * Messages that hold the words, newest first, in one room or in all of which the viewer is a member, as far back as a
 * member may read there. A query that only excludes words finds nothing. While the search lags, a page may hold less than its limit.
 */
export async function searchMessages(db: ReadDatabase, query: SearchQuery): Promise<Page<Message>> {
  const byRooms = !query.room && (await quickerByRooms(db, query));
  const places = toPage(
    await find(db, query, byRooms),
    query.page,
    'search',
    (place) => place,
    ({ posted_at, position }) => [timeOf(posted_at), position],
  );
  const rows = await messagesAt(db, places.items, query.viewer);
  const cursorAfter = (index: number) => places.cursorAfter(Number(rows[index]?.n) - 1);
  const next = rows.at(-1)?.more ? cursorAfter(rows.length - 1) : places.next;
  return { items: rows.map(toMessage), next, cursorAfter };
}

interface Place {
  room_id: string;
  message_id: string;
  posted_at: Date;
  position: string;
}

/**
 * Finds one message more than the page holds. There are two ways to do it in many rooms: to go by the index of words through all
 * messages that hold them, or by that of rooms through each of the person's rooms, from its newest message on, until there are
 * enough. The first is for rare words, the second for common ones; for the other kind each takes seconds among millions of
 * messages. In one room the planner knows how to choose, as long as it plans for these words: so each statement is planned anew.
 */
function find(db: ReadDatabase, { viewer, q, room, page }: SearchQuery, byRooms: boolean): Promise<Place[]> {
  const values: string[] = [];
  const value = (text: string) => `$${values.push(text)}`;
  const schema = db.schema();
  const wanted = `websearch_to_tsquery('simple', ${value(textValue(q) ?? '')})`;
  const last = cursorKey(page, 'search', isTime, isPlace);
  const after = last && `AND (s.posted_at, s.position) < (${value(last[0])}::timestamptz, ${value(last[1])}::bigint)`;
  const matching = `s.words @@ ${wanted} AND querytree(${wanted}) NOT IN ('', 'T') ${after ?? ''}`;
  const newest = `ORDER BY s.posted_at DESC, s.position DESC LIMIT ${page.limit + 1}`;
  const place = 's.room_id, s.message_id, s.posted_at, s.position';
  const asMember = "(r.visibility = 'public' OR r.history = 'full' OR s.revision >= me.joined_revision)";
  const ask = (statement: string) => db.sql.unsafe<Place[]>(statement, values);
  if (room) {
    return ask(`
      SELECT ${place} FROM ${schema}.search s
      WHERE s.room_id = ${value(keyValue(room.id))} AND s.revision >= ${value(`${room.visibleFrom}`)}::bigint AND ${matching}
      ${newest}`);
  }
  const ownRooms = `${schema}.members me JOIN ${schema}.rooms r ON r.id = me.room_id`;
  if (byRooms) {
    return ask(`
      SELECT ${place}
      FROM ${ownRooms}
      CROSS JOIN LATERAL (
        SELECT ${place} FROM ${schema}.search s WHERE s.room_id = me.room_id AND ${asMember} AND ${matching} ${newest}
      ) AS s
      WHERE me.user_id = ${value(keyValue(viewer))} ${newest}`);
  }
  // Materialized, since the planner would go by the rooms, of which it does not know how large they are.
  return ask(`
    WITH s AS MATERIALIZED (SELECT ${place}, s.revision FROM ${schema}.search s WHERE ${matching})
    SELECT ${place}
    FROM s JOIN (${ownRooms}) ON me.room_id = s.room_id AND me.user_id = ${value(keyValue(viewer))}
    WHERE ${asMember} ${newest}`);
}

/**
 * Whether fewer messages have to be looked at by going through the person's rooms until each has given enough, than by going
 * through all that hold the words. How many these are is what the planner expects, from its statistics of words.
 */
async function quickerByRooms(db: ReadDatabase, { viewer, q, page }: SearchQuery): Promise<boolean> {
  const { sql, schema } = reading(db);
  const [expected, [own]] = await Promise.all([
    sql<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }[]>`
      EXPLAIN (FORMAT JSON)
      SELECT FROM ${schema}.search s WHERE s.words @@ websearch_to_tsquery('simple', ${textValue(q)})`,
    sql<{ rooms: number; messages: number; all: number }[]>`
      SELECT count(*)::float8 AS rooms, coalesce(sum(r.message_count), 0)::float8 AS messages,
        (SELECT reltuples::float8 FROM pg_class WHERE oid = ${`${db.schema()}.search`}::regclass) AS all
      FROM ${schema}.members me JOIN ${schema}.rooms r ON r.id = me.room_id
      WHERE me.user_id = ${keyValue(viewer)}`,
  ]);
  const matches = Math.max(1, expected[0]?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 1);
  const { rooms = 0, messages = 0, all = 0 } = own ?? {};
  const share = matches / Math.max(all, matches);
  return Math.min(messages, (rooms * (page.limit + 1)) / share) < matches;
}

/**
 * The messages at these places, in their order. What is searched and what is shown are not of one moment: a message that was
 * redacted by now, or is not there yet, is left out.
 */
async function messagesAt(db: ReadDatabase, places: readonly Place[], viewer: string) {
  const { sql, schema } = reading(db);
  const found = sql`
    SELECT shown.*, ${messageBytes(sql)} AS bytes
    FROM (
      SELECT place.n, ${messageFields(db, viewer)}
      FROM unnest(${column(places, 'room_id')}::text[], ${column(places, 'message_id')}::text[])
        WITH ORDINALITY AS place (room_id, message_id, n)
      JOIN ${schema}.messages m ON m.message_id = place.message_id AND m.room_id = place.room_id
      LEFT JOIN ${schema}.people author ON author.id = m.author_id
      WHERE m.redacted_at IS NULL
      OFFSET 0 -- so that the reactions are not counted twice
    ) AS shown`;
  // `n`: of which place it is, from 1.
  return sql<(MessageRow & Measured & { n: string })[]>`${withinBytes(sql, found, sql`n`)}`;
}
