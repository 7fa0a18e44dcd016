import { phrasesOf, phrasesWithout, type Recorded, searchText } from '@verbatim/domain';
import { column, entityId, keyValue, textValue, timeOf, timeValue } from './column-values.js';
import { type Message, type MessageRow, messageBytes, messageFields, toMessage } from './messages.js';
import { cursorKey, isPlace, isTime, type Measured, type Page, type PageRequest, toPage, withinBytes } from './page.js';
import { type Projection, type ReadDatabase, reading, type Transaction } from './projection.js';
import { rowSet } from './row-set.js';
import type { SoughtPhrase, Texts } from './texts.js';
import { visibleFrom } from './visibility.js';

/**
 * The words of every message, as `searchText` gives them. It is the most expensive of the read models, so it has a
 * checkpoint of its own and may lag. PostgreSQL stores words as text, from which the index makes its entries: so a row is
 * small, phrases are found by comparing text, and none of the limits on positions in a `tsvector` matter.
 */
export const search: Projection = {
  name: 'search',

  // What is looked at in many rows for one that is found stands first: reaching a column takes longer the more are before it.
  tables: (schema) => `
    CREATE TABLE ${schema}.search (
      revision bigint NOT NULL,
      position bigint NOT NULL,
      posted_at timestamptz NOT NULL,
      words text COLLATE "C" NOT NULL,
      room_id text COLLATE "C",
      message_id text COLLATE "C",
      PRIMARY KEY (message_id, room_id)
    );`,

  // `fastupdate` puts new words on a list first, which halves the price of a post.
  indexes: (schema) => `
    CREATE INDEX ON ${schema}.search USING gin ((words::tsvector)) WITH (fastupdate = on);
    CREATE INDEX ON ${schema}.search (room_id, posted_at, position);`,

  async apply(tx, schema, events, texts) {
    const { posted, edited, redacted } = fold(events, texts);
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
  readonly words: string;
}
interface Posted extends Edited {
  readonly revision: string;
  readonly position: string;
  readonly postedAt: string;
}

/** Messages posted, the latest texts of those edited, and those redacted; each of them whatever else happened to it. */
function fold(events: readonly Recorded[], texts: Texts) {
  const posted: Posted[] = [];
  const edited = new Map<string, Edited>();
  const redacted: Subject[] = [];
  for (const event of events) {
    if (event.type !== 'MessagePosted' && event.type !== 'MessageEdited' && event.type !== 'MessageRedacted') continue;
    const [room, message] = [entityId(event), keyValue(event.data.messageId)];
    if (event.type === 'MessagePosted') {
      posted.push({
        room,
        message,
        revision: `${event.revision}`,
        position: `${event.position}`,
        postedAt: timeValue(event),
        words: searchable(event.data.text, texts),
      });
    } else if (event.type === 'MessageEdited') {
      edited.set(`${room} ${message}`, { room, message, words: searchable(event.data.text, texts) });
    } else redacted.push({ room, message });
  }
  return { posted, edited: [...edited.values()], redacted };
}

/** What a message is found by; of a text longer than any message, only the beginning. */
function searchable(text: string | null, texts: Texts): string {
  const whole = textValue(text);
  if (whole === null) return '';
  return texts.words(searchText(whole.length > 100_000 ? whole.slice(0, 100_000).toWellFormed() : whole));
}

const postedRows = rowSet('posted', {
  room_id: ['room', 'text'],
  message_id: ['message', 'text'],
  revision: ['revision', 'bigint'],
  position: ['position', 'bigint'],
  posted_at: ['postedAt', 'timestamptz'],
  words: ['words', 'text'],
});

const insertPosted = (tx: Transaction, schema: string, rows: readonly Posted[]) => tx`
  INSERT INTO ${tx(schema)}.search (room_id, message_id, revision, position, posted_at, words)
  SELECT room_id, message_id, revision, position, posted_at, words
  FROM ${postedRows(tx, rows)}
  ON CONFLICT DO NOTHING`;

const editedRows = rowSet('edited', {
  room_id: ['room', 'text'],
  message_id: ['message', 'text'],
  words: ['words', 'text'],
});

const updateEdited = (tx: Transaction, schema: string, rows: readonly Edited[]) => tx`
  UPDATE ${tx(schema)}.search s SET words = edited.words
  FROM ${editedRows(tx, rows)}
  WHERE s.room_id = edited.room_id AND s.message_id = edited.message_id`;

const redactedRows = rowSet('redacted', {
  room_id: ['room', 'text'],
  message_id: ['message', 'text'],
});

const deleteRedacted = (tx: Transaction, schema: string, rows: readonly Subject[]) => tx`
  DELETE FROM ${tx(schema)}.search s
  USING ${redactedRows(tx, rows)}
  WHERE s.room_id = redacted.room_id AND s.message_id = redacted.message_id`;

// Queries -----------------------------------------------------------------------------------------------------------

export interface SearchQuery {
  readonly viewer: string;
  /** What must all be there, as `phrasesOf` reads it. */
  readonly q: string;
  /** Of this, as `phrasesWithout` reads it, nothing may be there. */
  readonly without?: string;
  /** Only messages of this room, from a revision on: what the viewer may read there is for the caller to judge. */
  readonly room?: { readonly id: string; readonly visibleFrom: bigint };
  readonly page: PageRequest;
}

/**
 * Messages that match, newest first, in one room or in all of which the viewer is a member, as far back as a member may read
 * there. A query without words finds nothing. While the search lags, a page may hold less than its limit.
 */
export async function searchMessages(db: ReadDatabase, query: SearchQuery): Promise<Page<Message>> {
  const places = toPage(
    await find(db, query),
    query.page,
    'search',
    (place) => place,
    ({ posted_at, position }) => [timeOf(posted_at), position],
  );
  const rows = await reading(db).texts.read(await messagesAt(db, places.items, query.viewer));
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
 * Finds one message more than the page holds. There are two ways: the index of words leads to all messages that hold them, of
 * which the newest are then taken; or each room is read from its newest message on, until there are enough. The first is
 * for rare words, the second for common ones; each would take seconds for the other kind among millions of messages.
 */
async function find(db: ReadDatabase, { viewer, q, without, room, page }: SearchQuery): Promise<Place[]> {
  const last = cursorKey(page, 'search', isTime, isPlace);
  const wanted = phrasesOf(textValue(q) ?? '');
  if (wanted.length === 0) return [];

  const values: string[] = [];
  const value = (text: string) => `$${values.push(text)}`;
  const schema = db.schema();
  const rooms = room
    ? `(SELECT id AS room_id, ${value(`${room.visibleFrom}`)}::bigint AS visible_from, message_count, active_position
        FROM ${schema}.rooms WHERE id = ${value(keyValue(room.id))})`
    : `(SELECT me.room_id, r.message_count, r.active_position,
          ${visibleFrom} AS visible_from
        FROM ${schema}.members me JOIN ${schema}.rooms r ON r.id = me.room_id WHERE me.user_id = ${value(keyValue(viewer))})`;
  const { texts } = reading(db);
  const sought = wanted.map((phrase) => texts.phrase(phrase));
  const unwanted = phrasesWithout(textValue(without) ?? '').map((phrase) => texts.phrase(phrase));
  const holds = [
    ...unique(sought.flatMap(({ parts }) => parts)).map((text) => `strpos(s.words, ${value(text)}) > 0`),
    ...unwanted.map(({ parts }) => `NOT (${parts.map((text) => `strpos(s.words, ${value(text)}) > 0`).join(' AND ')})`),
  ].join(' AND ');
  const search: Search = { db, rooms, holds, entries: entriesOf(sought), values, value, most: page.limit + 1 };

  const roomByRoom = await quickerRoomByRoom(search);
  const after = last
    ? `AND (s.posted_at, s.position) < (${value(last[0])}::timestamptz, ${value(last[1])}::bigint)`
    : '';
  const newest = `ORDER BY s.posted_at DESC, s.position DESC LIMIT ${page.limit + 1}`;
  const place = 's.room_id, s.message_id, s.posted_at, s.position';
  const statement = roomByRoom
    ? `SELECT ${place}
      FROM ${rooms} AS own
      CROSS JOIN LATERAL (
        SELECT ${place} FROM ${schema}.search s
        WHERE s.room_id = own.room_id AND s.revision >= own.visible_from AND ${holds} ${after} ${newest}
      ) AS s
      ${newest}`
    : // Materialized, since the planner would go by the rooms, of which it does not know how large they are.
      `WITH s AS MATERIALIZED (
        SELECT ${place}, s.revision FROM ${schema}.search s
        WHERE s.words::tsvector @@ ${value(search.entries)}::tsquery AND ${holds} ${after}
      )
      SELECT ${place} FROM s JOIN ${rooms} AS own ON own.room_id = s.room_id WHERE s.revision >= own.visible_from ${newest}`;
  // Planned for these words each time: a plan made for any words would be bad for many.
  return db.sql.unsafe<Place[]>(statement, values);
}

interface Search {
  readonly db: ReadDatabase;
  /** As SQL: the rooms to search, from which revision on, how many messages they have, and which are active. */
  readonly rooms: string;
  /** As SQL: whether the message `s` matches. */
  readonly holds: string;
  /** What the index is asked for, as a `tsquery`: entries that all matching messages have. */
  readonly entries: string;
  readonly values: readonly string[];
  readonly value: (text: string) => string;
  readonly most: number;
}

/** Entries that a message has to have. The longest words are likely to be the rarest; a few are enough. */
function entriesOf(sought: readonly SoughtPhrase[]): string {
  const entries = new Map(sought.flatMap((phrase) => phrase.entries));
  const longest = [...entries].sort(([, one], [, other]) => other - one).slice(0, MOST_ENTRIES);
  const nonEmpty = longest.filter(([, length]) => length > 0);
  return (nonEmpty.length > 0 ? nonEmpty : longest).map(([entry]) => entry).join(' & ');
}
const MOST_ENTRIES = 8;

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

/** How many messages, in how many rooms at most, are looked at to learn how often words are found. */
const SAMPLED_MESSAGES = 3_000;
const SAMPLED_ROOMS = 20;
/** What none of them has is taken to be in so many of as many: it may be there, but is hardly worth walking all rooms for. */
const UNSEEN = 0.3;

/**
 * Whether fewer messages have to be looked at room by room, from the newest on until each room has given enough, than by going
 * through all that the index of words leads to. How many these are is estimated twice: by the planner from its statistics,
 * which takes words to be independent of each other, though some nearly always come together; and from a sample.
 */
async function quickerRoomByRoom({ db, rooms, holds, entries, values, most }: Search): Promise<boolean> {
  const schema = db.schema();
  const [plan, [own]] = await Promise.all([
    db.sql.unsafe<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }[]>(
      `EXPLAIN (FORMAT JSON) SELECT FROM ${schema}.search s WHERE s.words::tsvector @@ $1::tsquery`,
      [entries],
    ),
    db.sql.unsafe<{ rooms: number; messages: number; sampled: number; found: number; all: number }[]>(
      `WITH own AS MATERIALIZED (SELECT * FROM ${rooms} AS own),
      sample AS (
        SELECT s.matches
        FROM (SELECT * FROM own ORDER BY active_position DESC LIMIT ${SAMPLED_ROOMS}) AS active
        CROSS JOIN LATERAL (
          SELECT (${holds}) AS matches FROM ${schema}.search s
          WHERE s.room_id = active.room_id ORDER BY s.posted_at DESC, s.position DESC
          LIMIT ${SAMPLED_MESSAGES} / greatest(1, (SELECT least(count(*), ${SAMPLED_ROOMS}) FROM own))
        ) AS s
      )
      SELECT count(*)::float8 AS rooms, coalesce(sum(message_count), 0)::float8 AS messages,
        (SELECT count(*)::float8 FROM sample) AS sampled,
        (SELECT count(*)::float8 FROM sample WHERE matches) AS found,
        (SELECT reltuples::float8 FROM pg_class WHERE oid = '${schema}.search'::regclass) AS all
      FROM own`,
      [...values],
    ),
  ]);
  const { rooms: count = 0, messages = 0, sampled = 0, found = 0, all = 0 } = own ?? {};
  const expected = Math.max(1, plan[0]?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 1);
  const planned = expected / Math.max(all, expected);
  const share = found > 0 ? found / sampled : Math.min(planned, UNSEEN / Math.max(sampled, 1));
  return Math.min(messages, (count * most) / share) < Math.max(expected, share * all);
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
