import {
  contentFingerprint,
  type MessageFacts,
  type MessageKind,
  mostReactions,
  type OlderMessages,
  type ReactionCount,
  type Recorded,
  reactionOf,
} from '@verbatim/domain';
import { arrayValue, column, entityId, keyValue, textValue, timeOf, timeValue } from './column-values.js';
import { cursorKey, isPlace, type Measured, type Page, type PageRequest, toPage, withinBytes } from './page.js';
import { type Projection, type ReadDatabase, reading, type Sql, type Transaction } from './projection.js';
import { rowSet } from './row-set.js';
import { type Counted, countOf, type Stretch, within } from './stretch.js';
import type { RowWithText, Texts } from './texts.js';

/** Every message in its present form, who reacted to it, and how many did so with each emoji. */
export const messages: Projection = {
  name: 'messages',

  // `ordinal`: it is the nth message of its room, from 1. `first`: the revision at which the emoji was first used. Message ids stand first in keys because they grow with time:
  // new entries then go to the end of the index, which costs a third of finding the place of their room first.
  tables: (schema) => `
    CREATE TABLE ${schema}.messages (
      room_id text COLLATE "C",
      revision bigint,
      message_id text COLLATE "C" NOT NULL,
      ordinal bigint NOT NULL,
      position bigint NOT NULL,
      author_id text COLLATE "C" NOT NULL,
      kind text NOT NULL,
      text text,
      text_bytes integer,
      reply_to text,
      posted_at timestamptz NOT NULL,
      edited_at timestamptz,
      redacted_at timestamptz,
      text_revision bigint NOT NULL,
      fingerprint bigint,
      PRIMARY KEY (room_id, revision),
      UNIQUE (message_id, room_id)
    );
    CREATE TABLE ${schema}.reactions (
      room_id text COLLATE "C",
      message_id text COLLATE "C",
      emoji text COLLATE "C",
      user_id text COLLATE "C",
      PRIMARY KEY (message_id, room_id, emoji, user_id)
    );
    CREATE TABLE ${schema}.reaction_counts (
      room_id text COLLATE "C",
      message_id text COLLATE "C",
      emoji text COLLATE "C",
      count integer NOT NULL,
      first bigint NOT NULL,
      PRIMARY KEY (message_id, room_id, emoji)
    );`,

  // The first finds redacted messages, which do not count as unread. A message of an old log may have any number of different
  // reactions; the second finds the top ones without a look at the others.
  indexes: (schema) => `
    CREATE INDEX ON ${schema}.messages (room_id, revision) WHERE redacted_at IS NOT NULL;
    CREATE INDEX ON ${schema}.reaction_counts (message_id, room_id, count DESC, first, emoji) WHERE count > 0;`,

  async apply(tx, schema, events, texts) {
    const { posted, changed, reactions } = fold(events, texts);
    // In this order, so that a message posted and then changed within the batch is there to be changed.
    await Promise.all([
      posted.length > 0 && insertPosted(tx, schema, posted),
      changed.length > 0 && updateChanged(tx, schema, changed),
      reactions.length > 0 && changeReactions(tx, schema, reactions),
    ]);
  },
};

type Of<T extends Recorded['type']> = Extract<Recorded, { type: T }>;

type Posted = ReturnType<typeof postedRow>;
/** What a batch comes to for a message after its posting. */
interface Changed {
  readonly room: string;
  readonly message: string;
  text: string | null;
  textBytes: string | null;
  editedAt: string | null;
  redactedAt: string | null;
  /** Null if the text stays. */
  textRevision: string | null;
}
type Reaction = ReturnType<typeof reactionRow>;

/** Messages posted, as they were then; what became of them or of older ones; and the last word on each reaction. */
function fold(events: readonly Recorded[], texts: Texts) {
  const posted: Posted[] = [];
  const changes = new Map<string, Changed>();
  const reactions = new Map<string, Reaction>();
  for (const event of events) {
    switch (event.type) {
      case 'MessagePosted':
        posted.push(postedRow(event, texts));
        break;
      case 'MessageEdited':
      case 'MessageRedacted': {
        const room = entityId(event);
        const message = keyValue(event.data.messageId);
        const change = changes.get(`${room} ${message}`) ?? unchanged(room, message);
        changes.set(`${room} ${message}`, change);
        if (event.type === 'MessageEdited') edit(change, event, texts);
        else redact(change, event);
        break;
      }
      case 'ReactionAdded':
      case 'ReactionRemoved': {
        const reaction = reactionRow(event);
        const key = `${reaction.room} ${reaction.message} ${reaction.user} ${reaction.emoji}`;
        reactions.set(key, { ...reaction, first: reactions.get(key)?.first ?? reaction.first });
        break;
      }
    }
  }
  return { posted, changed: [...changes.values()], reactions: [...reactions.values()] };
}

function postedRow(event: Of<'MessagePosted'>, texts: Texts) {
  const { messageId, text, replyTo, kind } = event.data;
  const [room, message] = [entityId(event), keyValue(messageId)];
  const kept = texts.ofMessage(textValue(text));
  return {
    room,
    nthRoom: 0,
    nth: 0,
    revision: `${event.revision}`,
    message,
    position: `${event.position}`,
    author: keyValue(event.actor),
    kind: keyValue(kind),
    text: kept.text,
    textBytes: kept.bytes,
    replyTo: textValue(replyTo),
    postedAt: timeValue(event),
    fingerprint: texts.cover(text === null ? null : contentFingerprint(event.data), room, message),
  };
}

const unchanged = (room: string, message: string): Changed => ({
  room,
  message,
  text: null,
  textBytes: null,
  editedAt: null,
  redactedAt: null,
  textRevision: null,
});

function edit(change: Changed, event: Of<'MessageEdited'>, texts: Texts): void {
  const { text, bytes } = texts.ofMessage(textValue(event.data.text));
  change.text = text;
  change.textBytes = bytes;
  change.editedAt = timeValue(event);
  change.textRevision = `${event.revision}`;
}

function redact(change: Changed, event: Of<'MessageRedacted'>): void {
  change.redactedAt ??= timeValue(event);
}

const reactionRow = (event: Of<'ReactionAdded' | 'ReactionRemoved'>) => ({
  room: entityId(event),
  message: keyValue(event.data.messageId),
  emoji: keyValue(reactionOf(event.data.emoji)),
  user: keyValue(event.actor),
  first: `${event.revision}`,
  present: event.type === 'ReactionAdded' ? 'true' : 'false',
});

const postedRows = rowSet('p', {
  room_id: ['room', 'text'],
  nth_room: ['nthRoom', 'integer'],
  nth: ['nth', 'integer'],
  revision: ['revision', 'bigint'],
  message_id: ['message', 'text'],
  position: ['position', 'bigint'],
  author_id: ['author', 'text'],
  kind: ['kind', 'text'],
  text: ['text', 'text'],
  text_bytes: ['textBytes', 'integer'],
  reply_to: ['replyTo', 'text'],
  posted_at: ['postedAt', 'timestamptz'],
  fingerprint: ['fingerprint', 'bigint'],
});

/** How many messages each of the rooms had before is looked up once, not for each message. */
function insertPosted(tx: Transaction, schema: string, rows: readonly Posted[]) {
  const rooms = numberByRoom(rows);
  return tx`
  WITH before AS (
    SELECT array_agg(coalesce((
      SELECT m.ordinal FROM ${tx(schema)}.messages m WHERE m.room_id = r.id ORDER BY m.revision DESC LIMIT 1
    ), 0) ORDER BY i) AS ordinals
    FROM unnest(${arrayValue(rooms)}::text[]) WITH ORDINALITY AS r (id, i)
  )
  INSERT INTO ${tx(schema)}.messages (
    room_id, revision, message_id, ordinal, position, author_id, kind, text, text_bytes, reply_to, posted_at, text_revision, fingerprint)
  SELECT
    room_id, revision, message_id, before.ordinals[nth_room] + nth, position, author_id, kind, text, text_bytes, reply_to,
    posted_at, revision, fingerprint
  FROM before, ${postedRows(tx, rows)}
  ON CONFLICT (message_id, room_id) DO NOTHING`;
}

/** Gives each message the number of its room, and its own in that room, both from 1. Returns the rooms in this order. */
function numberByRoom(rows: readonly Posted[]): string[] {
  const counts = new Map<string, { readonly nthRoom: number; messages: number }>();
  for (const row of rows) {
    const count = counts.get(row.room) ?? { nthRoom: counts.size + 1, messages: 0 };
    counts.set(row.room, count);
    row.nthRoom = count.nthRoom;
    row.nth = ++count.messages;
  }
  return [...counts.keys()];
}

const changedRows = rowSet('c', {
  room_id: ['room', 'text'],
  message_id: ['message', 'text'],
  text: ['text', 'text'],
  text_bytes: ['textBytes', 'integer'],
  edited_at: ['editedAt', 'timestamptz'],
  redacted_at: ['redactedAt', 'timestamptz'],
  text_revision: ['textRevision', 'bigint'],
});

/** With the text of a redacted message its fingerprint goes too: it would let one check a guess at the text. */
const updateChanged = (tx: Transaction, schema: string, rows: readonly Changed[]) => tx`
  UPDATE ${tx(schema)}.messages m SET
    text = CASE
      WHEN m.redacted_at IS NOT NULL OR c.redacted_at IS NOT NULL THEN NULL
      WHEN c.text_revision IS NOT NULL THEN c.text
      ELSE m.text END,
    text_bytes = CASE
      WHEN m.redacted_at IS NOT NULL OR c.redacted_at IS NOT NULL THEN NULL
      WHEN c.text_revision IS NOT NULL THEN c.text_bytes
      ELSE m.text_bytes END,
    edited_at = coalesce(c.edited_at, m.edited_at),
    redacted_at = coalesce(m.redacted_at, c.redacted_at),
    text_revision = coalesce(c.text_revision, m.text_revision),
    fingerprint = CASE WHEN c.redacted_at IS NULL THEN m.fingerprint END
  FROM ${changedRows(tx, rows)}
  WHERE m.room_id = c.room_id AND m.message_id = c.message_id`;

const reactionRows = rowSet('c', {
  room_id: ['room', 'text'],
  message_id: ['message', 'text'],
  emoji: ['emoji', 'text'],
  user_id: ['user', 'text'],
  first: ['first', 'bigint'],
  present: ['present', 'boolean'],
});

/** Counts change by what was really inserted and deleted, so that a reaction is never counted twice. */
const changeReactions = (tx: Transaction, schema: string, rows: readonly Reaction[]) => tx`
  WITH changes AS MATERIALIZED (
    SELECT * FROM ${reactionRows(tx, rows)}
  ),
  added AS (
    INSERT INTO ${tx(schema)}.reactions (room_id, message_id, emoji, user_id)
    SELECT room_id, message_id, emoji, user_id FROM changes WHERE present
    ON CONFLICT (message_id, room_id, emoji, user_id) DO NOTHING
    RETURNING room_id, message_id, emoji
  ),
  removed AS (
    DELETE FROM ${tx(schema)}.reactions r USING changes c
    WHERE NOT c.present AND r.room_id = c.room_id AND r.message_id = c.message_id AND r.emoji = c.emoji
      AND r.user_id = c.user_id
    RETURNING r.room_id, r.message_id, r.emoji
  )
  INSERT INTO ${tx(schema)}.reaction_counts AS counts (room_id, message_id, emoji, count, first)
  SELECT room_id, message_id, emoji, sum(n), min(first)
  FROM (
    SELECT room_id, message_id, emoji, 0 AS n, first FROM changes
    UNION ALL SELECT room_id, message_id, emoji, 1, NULL FROM added
    UNION ALL SELECT room_id, message_id, emoji, -1, NULL FROM removed
  ) AS all_changes (room_id, message_id, emoji, n, first)
  GROUP BY room_id, message_id, emoji
  ON CONFLICT (message_id, room_id, emoji) DO UPDATE SET
    count = counts.count + excluded.count, first = least(counts.first, excluded.first)`;

// Queries -----------------------------------------------------------------------------------------------------------

export interface Message {
  readonly id: string;
  readonly roomId: string;
  readonly revision: bigint;
  /** Names are null for the service itself, the display name also once erased. */
  readonly author: { readonly id: string; readonly username: string | null; readonly displayName: string | null };
  readonly kind: MessageKind;
  /** Null when redacted or erased. */
  readonly text: string | null;
  readonly replyTo: string | null;
  readonly postedAt: string;
  readonly editedAt: string | null;
  readonly redactedAt: string | null;
  /** The `mostReactions` most frequent ones: the most frequent first, and among equals the one that was used first. */
  readonly reactions: readonly ReactionCount[];
}

export interface TimelineQuery {
  readonly room: string;
  readonly order: 'newest' | 'oldest';
  /**
   * Where to start. A revision, inclusive: downwards for `newest`, upwards for `oldest`. Or an instant: then `oldest` starts
   * with the first message posted at it or later, `newest` with the last one before it.
   */
  readonly from?: bigint | string;
  /** Nothing below this revision is shown (`readableFrom` of the domain). */
  readonly visibleFrom: bigint;
  readonly viewer: string;
  readonly page: PageRequest;
}

/** Messages of a room in order of their revisions, downwards or upwards. */
export async function timeline(db: ReadDatabase, query: TimelineQuery): Promise<Page<Message>> {
  const { room, order, visibleFrom, viewer, page } = query;
  const { sql, schema, texts } = reading(db);
  const newest = order === 'newest';
  const list = `timeline ${order}`;
  const last = cursorKey(page, list, isPlace);
  const start = last ? BigInt(last[0]) + (newest ? -1n : 1n) : await startOf(db, query);
  const lowest = newest || start === undefined || start < visibleFrom ? visibleFrom : start;
  const highest = newest && start !== undefined ? start : HIGHEST;
  const direction = newest ? sql`DESC` : sql`ASC`;
  const found = sql`
    SELECT shown.*, ${messageBytes(sql)} AS bytes
    FROM (
      SELECT ${messageFields(db, viewer)}
      FROM (
        SELECT * FROM ${schema}.messages m
        WHERE m.room_id = ${keyValue(room)} AND m.revision BETWEEN ${`${lowest}`} AND ${`${highest}`}
        ORDER BY m.revision ${direction}
        LIMIT ${page.limit + 1}
      ) AS m
      LEFT JOIN ${schema}.people author ON author.id = m.author_id
      OFFSET 0 -- so that the reactions are not counted twice
    ) AS shown`;
  const rows = await sql<(MessageRow & Measured)[]>`${withinBytes(sql, found, sql`revision ${direction}`)}`;
  return toPage(await texts.read(rows), page, list, toMessage, (row) => [`${row.revision}`]);
}

/** What `messagesFrom` finds. */
export interface MessagesFromQuery extends Stretch {
  readonly room: string;
  /** Nothing below this revision is shown or counted. */
  readonly visibleFrom: bigint;
  readonly viewer: string;
}

/** Messages of a room from its start, as many of those wanted as fit into a page. */
export async function messagesFrom(db: ReadDatabase, query: MessagesFromQuery): Promise<Counted<Message>> {
  const { room, visibleFrom, viewer } = query;
  const { sql, schema, texts } = reading(db);
  const listed = sql`FROM ${schema}.messages m WHERE m.room_id = ${keyValue(room)} AND m.revision >= ${`${visibleFrom}`}`;
  const found = sql`
    SELECT shown.*, ${messageBytes(sql)} AS bytes
    FROM (
      SELECT ${messageFields(db, viewer)}
      FROM (
        SELECT m.* FROM (SELECT m.room_id, m.revision ${listed} ORDER BY m.revision ${within(sql, query)}) AS wanted
        JOIN ${schema}.messages m USING (room_id, revision)
      ) AS m
      LEFT JOIN ${schema}.people author ON author.id = m.author_id
      OFFSET 0
    ) AS shown`;
  const [rows, total] = await Promise.all([
    sql<(MessageRow & Measured)[]>`${withinBytes(sql, found, sql`revision ASC`)}`,
    countOf(sql, sql`SELECT 1 ${listed}`),
  ]);
  return { items: (await texts.read(rows)).map(toMessage), total };
}

async function startOf(db: ReadDatabase, { room, order, from }: TimelineQuery): Promise<bigint | undefined> {
  if (typeof from !== 'string') return from;
  const boundary = await firstSince(db, room, from);
  return order === 'newest' ? boundary - 1n : boundary;
}

/**
 * A revision that parts the messages of a room posted before an instant from those posted at it or later. Times grow with
 * revisions, so it is found by halving, by the primary key alone: an index on times would cost every message. Imports can
 * bring messages out of that order; then it parts them somewhere near.
 */
async function firstSince(db: ReadDatabase, room: string, instant: string): Promise<bigint> {
  const { sql, schema } = reading(db);
  const [row] = await sql<{ low: string }[]>`
    WITH RECURSIVE halving (low, high) AS (
      SELECT 0::bigint, coalesce(max(m.revision) + 1, 0) FROM ${schema}.messages m WHERE m.room_id = ${keyValue(room)}
      UNION ALL
      SELECT
        CASE WHEN m.posted_at < ${instant}::timestamptz THEN m.revision + 1 ELSE h.low END,
        CASE WHEN m.posted_at < ${instant}::timestamptz THEN h.high ELSE (h.low + h.high) / 2 END
      FROM halving h
      LEFT JOIN LATERAL (
        SELECT m.revision, m.posted_at FROM ${schema}.messages m
        WHERE m.room_id = ${keyValue(room)} AND m.revision >= (h.low + h.high) / 2 AND m.revision < h.high
        ORDER BY m.revision LIMIT 1
      ) AS m ON true
      WHERE h.low < h.high
    )
    SELECT low FROM halving WHERE low >= high`;
  return BigInt(row?.low ?? 0);
}

/** The highest revision there can be, that of PostgreSQL's `bigint`. */
const HIGHEST = 2n ** 63n - 1n;

/** One message by its id, as `viewer` sees it, or null. Whether the viewer may see it is for the caller to judge. */
export async function message(db: ReadDatabase, room: string, id: string, viewer: string): Promise<Message | null> {
  const { sql, schema, texts } = reading(db);
  const rows = await sql<MessageRow[]>`
    SELECT ${messageFields(db, viewer)}
    FROM ${schema}.messages m
    LEFT JOIN ${schema}.people author ON author.id = m.author_id
    WHERE m.room_id = ${keyValue(room)} AND m.message_id = ${keyValue(id)}`;
  const [row] = await texts.read(rows);
  return row ? toMessage(row) : null;
}

/** What a command needs to know of messages that have left its room's window. */
export interface MessageLookup {
  readonly room: string;
  readonly messages: readonly string[];
  /** Who asks; reactions say whether this person is among those who reacted. */
  readonly actor: string;
  /** A reaction that is asked about, however rare it is. */
  readonly emoji?: string | undefined;
}

/**
 * Answers look-ups for any number of rooms, in their order, in one statement: each answer speaks of all events of its
 * room through one revision (-1 for a room that is not there). Messages that do not exist are absent. Of the reactions to
 * a message, one more is returned than a message may have, to show whether there are too many.
 */
export async function messageFacts(db: ReadDatabase, lookups: readonly MessageLookup[]): Promise<OlderMessages[]> {
  const { sql, schema, texts } = reading(db);
  const wanted = lookups.flatMap(({ room, messages, actor, emoji }, index) =>
    messages.map((message) => ({
      index,
      room: keyValue(room),
      message: keyValue(message),
      actor: keyValue(actor),
      emoji: emoji === undefined ? null : keyValue(reactionOf(emoji)),
    })),
  );
  const rows = await sql<FactsRow[]>`
    SELECT w.index, w.room_id, r.revision AS through, m.message_id, m.author_id, m.revision, m.fingerprint, m.text_revision,
      m.redacted_at IS NOT NULL AS redacted,
      (SELECT json_agg(json_build_object('emoji', emoji, 'count', count, 'mine', EXISTS (
          SELECT FROM ${schema}.reactions x
          WHERE x.message_id = w.message_id AND x.room_id = w.room_id AND x.emoji = c.emoji AND x.user_id = w.actor)))
        FROM (
          (SELECT emoji, count FROM ${schema}.reaction_counts
            WHERE message_id = w.message_id AND room_id = w.room_id AND count > 0
            ORDER BY count DESC, first, emoji LIMIT ${mostReactions + 1})
          UNION
          SELECT emoji, count FROM ${schema}.reaction_counts
            WHERE message_id = w.message_id AND room_id = w.room_id AND count > 0 AND emoji = w.emoji
        ) AS c) AS reactions
    FROM unnest(
      ${column(wanted, 'index')}::integer[], ${column(wanted, 'room')}::text[], ${column(wanted, 'message')}::text[],
      ${column(wanted, 'actor')}::text[], ${column(wanted, 'emoji')}::text[]
    ) AS w (index, room_id, message_id, actor, emoji)
    JOIN ${schema}.rooms r ON r.id = w.room_id
    LEFT JOIN ${schema}.messages m ON m.room_id = w.room_id AND m.message_id = w.message_id`;

  const answers = lookups.map(({ messages }) => ({
    through: -1n,
    asked: new Set(messages),
    messages: new Map<string, OldMessage>(),
  }));
  for (const row of rows) {
    const answer = answers[row.index];
    if (!answer) continue;
    answer.through = BigInt(row.through);
    if (row.message_id !== null)
      answer.messages.set(row.message_id, toFacts(row, texts.uncover(row.fingerprint, row.room_id, row.message_id)));
  }
  return answers;
}

type OldMessage = MessageFacts & { readonly reactions: readonly ReactionCount[] };

interface FactsRow {
  index: number;
  room_id: string;
  through: string;
  message_id: string | null;
  author_id: string;
  revision: string;
  fingerprint: string | null;
  text_revision: string;
  redacted: boolean;
  reactions: readonly ReactionCount[] | null;
}

const toFacts = (row: FactsRow, fingerprint: number | null): OldMessage => ({
  author: row.author_id,
  posted: { revision: BigInt(row.revision), fingerprint },
  textRevision: BigInt(row.text_revision),
  redacted: row.redacted,
  reactions: row.reactions ?? [],
});

/** What a query selects to show messages `m` with their `author`; `toMessage` takes a row of it. */
export function messageFields(db: ReadDatabase, viewer: string): ReturnType<Sql> {
  const { sql, schema } = reading(db);
  return sql`
  m.room_id, m.revision, m.message_id, m.author_id, author.username, author.display_name, m.kind, m.text, m.text_bytes, m.text_revision, m.reply_to,
  m.posted_at, m.edited_at, m.redacted_at,
  (SELECT json_agg(json_build_object('emoji', emoji, 'count', count, 'mine', EXISTS (
      SELECT FROM ${schema}.reactions x
      WHERE x.message_id = m.message_id AND x.room_id = m.room_id AND x.emoji = top.emoji
        AND x.user_id = ${keyValue(viewer)})) ORDER BY count DESC, first, emoji)
    FROM (
      SELECT emoji, count, first FROM ${schema}.reaction_counts c
      WHERE c.message_id = m.message_id AND c.room_id = m.room_id AND c.count > 0
      ORDER BY c.count DESC, c.first, c.emoji LIMIT ${mostReactions}
    ) AS top
  ) AS reactions`;
}

/** About how many bytes a row of `messageFields` has. The database measures texts without unpacking them. */
export const messageBytes = (sql: Sql): ReturnType<Sql> =>
  sql`300 + coalesce(octet_length(text), text_bytes, 0) + coalesce(octet_length(reactions::text), 0)`;

export interface MessageRow extends RowWithText {
  revision: string;
  message_id: string;
  author_id: string;
  username: string | null;
  display_name: string | null;
  kind: MessageKind;
  reply_to: string | null;
  posted_at: Date;
  edited_at: Date | null;
  redacted_at: Date | null;
  reactions: readonly ReactionCount[] | null;
}

export const toMessage = (row: MessageRow): Message => ({
  id: row.message_id,
  roomId: row.room_id,
  revision: BigInt(row.revision),
  author: { id: row.author_id, username: row.username, displayName: row.display_name },
  kind: row.kind,
  text: row.text,
  replyTo: row.reply_to,
  postedAt: timeOf(row.posted_at),
  editedAt: row.edited_at && timeOf(row.edited_at),
  redactedAt: row.redacted_at && timeOf(row.redacted_at),
  reactions: row.reactions ?? [],
});

/** How many messages of a room have a text of this day (`2026-01-31`, UTC) or before, counted up to `most`. */
export async function textsUpTo(db: ReadDatabase, roomId: string, day: string, most: number): Promise<number> {
  const { sql, schema } = reading(db);
  const [row] = await sql<{ count: number }[]>`
    SELECT count(*)::int AS count FROM (
      SELECT FROM ${schema}.messages
      WHERE room_id = ${keyValue(roomId)} AND text IS NOT NULL
        AND (coalesce(edited_at, posted_at) AT TIME ZONE 'utc')::date <= ${day}::date
      LIMIT ${most}) AS texts`;
  return row?.count ?? 0;
}
