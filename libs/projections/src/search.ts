import type { Recorded } from '@verbatim/domain';
import { column, entityId, keyValue, textValue, timeOf, timeValue } from './column-values.js';
import { type Message, type MessageRow, messageFields, toMessage } from './messages.js';
import { cursorKey, isPlace, isTime, type Page, type PageRequest, toPage } from './page.js';
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
  indexes: (schema) => `CREATE INDEX ON ${schema}.search USING gin (words) WITH (fastupdate = on);`,

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
export async function searchMessages(db: ReadDatabase, { viewer, q, room, page }: SearchQuery): Promise<Page<Message>> {
  const { sql, schema } = reading(db);
  const last = cursorKey(page, 'search', isTime, isPlace);
  const wanted = sql`websearch_to_tsquery('simple', ${textValue(q)})`;
  const ownRooms = sql`
      JOIN ${schema}.members me ON me.room_id = s.room_id AND me.user_id = ${keyValue(viewer)}
      JOIN ${schema}.rooms r ON r.id = s.room_id`;
  const asMember = sql`(r.visibility = 'public' OR r.history = 'full' OR s.revision >= me.joined_revision)`;
  const rows = await sql<(MessageRow & { found_at: Date; position: string })[]>`
    WITH found AS (
      SELECT s.room_id, s.message_id, s.posted_at, s.position
      FROM ${schema}.search s
      ${room ? sql`` : ownRooms}
      WHERE s.words @@ ${wanted} AND querytree(${wanted}) NOT IN ('', 'T')
        AND ${room ? sql`s.room_id = ${keyValue(room.id)} AND s.revision >= ${`${room.visibleFrom}`}` : asMember}
        ${last ? sql`AND (s.posted_at, s.position) < (${last[0]}::timestamptz, ${last[1]}::bigint)` : sql``}
      ORDER BY s.posted_at DESC, s.position DESC
      LIMIT ${page.limit + 1}
    )
    SELECT found.posted_at AS found_at, found.position, ${messageFields(db, viewer)}
    FROM found
    LEFT JOIN ${schema}.messages m ON m.message_id = found.message_id AND m.room_id = found.room_id
    LEFT JOIN ${schema}.people author ON author.id = m.author_id
    ORDER BY found.posted_at DESC, found.position DESC`;
  const found = toPage(
    rows,
    page,
    'search',
    (row) => row,
    (row) => [timeOf(row.found_at), `${row.position}`],
  );
  // What is searched and what is shown are not of one moment: a message may be redacted by now, or not there yet.
  const shown = found.items.filter((row) => row.message_id !== null && row.redacted_at === null);
  return { items: shown.map(toMessage), next: found.next };
}
