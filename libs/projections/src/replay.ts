import type { MessageKind, Recorded, RoomRole } from '@verbatim/domain';
import { arrayValue, entityId, keyValue, timeOf, timeValue } from './column-values.js';
import { forkInSql, forkOf, placesOf } from './interval-tree.js';
import { cursorKey, isPlace, listOfCursor, type PageRequest } from './page.js';
import { type Projection, type ReadDatabase, reading, type Transaction } from './projection.js';
import { rowSet } from './row-set.js';
import type { RowWithText } from './texts.js';

/**
 * Where in a room's stream the things stand that made it what it was at some revision: who was in it from when to when, and
 * which events set its settings and its texts. It holds no settings and no texts: these are opened from the log.
 */
export const replay: Projection = {
  name: 'replay',

  // A tenure is one person's time in a room in one role, from `since` on up to but without `until`, which is null while it
  // lasts. `fork` is where it is filed (`interval-tree.ts`).
  tables: (schema) => `
    CREATE TABLE ${schema}.tenures (
      room_id text COLLATE "C",
      user_id text COLLATE "C",
      since bigint,
      until bigint,
      fork bigint,
      role text NOT NULL,
      joined_at timestamptz NOT NULL,
      joined_revision bigint NOT NULL,
      PRIMARY KEY (room_id, user_id, since)
    );
    CREATE UNIQUE INDEX ON ${schema}.tenures (room_id, user_id) WHERE until IS NULL;
    CREATE TABLE ${schema}.setting_changes (
      room_id text COLLATE "C",
      setting text COLLATE "C",
      revision bigint,
      PRIMARY KEY (room_id, setting, revision)
    );
    CREATE TABLE ${schema}.text_changes (
      room_id text COLLATE "C",
      message_id text COLLATE "C",
      redacted boolean,
      revision bigint,
      PRIMARY KEY (room_id, message_id, redacted, revision)
    );`,

  indexes: (schema) => `
    CREATE INDEX ON ${schema}.tenures (room_id, fork, until) INCLUDE (since);
    CREATE INDEX ON ${schema}.tenures (room_id, fork, since) INCLUDE (until);
    CREATE INDEX ON ${schema}.tenures (room_id, since);
    CREATE INDEX ON ${schema}.tenures (room_id, until);`,

  async apply(tx, schema, events) {
    const settings = events.flatMap(settingRows);
    const texts = events.flatMap((event) => textRow(event) ?? []);
    const { ended, begun } = tenuresIn(events);
    await Promise.all([
      settings.length > 0 && insertSettings(tx, schema, settings),
      texts.length > 0 && insertTexts(tx, schema, texts),
      ended.length > 0 && changeTenures(tx, schema, ended, begun),
    ]);
  },
};

// Settings and texts ------------------------------------------------------------------------------------------------

/** What a room is told by, each the name of what was set; `existence` is its creation. */
export const roomSettings = [
  ...(['existence', 'name', 'topic', 'visibility', 'history', 'passwordId', 'slowModeSeconds', 'closing'] as const),
];
export type RoomSetting = (typeof roomSettings)[number];

function settingRows(event: Recorded) {
  const row = (setting: RoomSetting) => ({ room: entityId(event), setting, revision: `${event.revision}` });
  switch (event.type) {
    case 'RoomCreated':
      return (['existence', 'name', 'topic', 'visibility', 'history', 'passwordId'] as const).map(row);
    case 'RoomChanged': {
      // A name is never set to nothing: this event was erased, and nobody knows any more which of these it had set.
      const unknown = event.data.name === null ? ['name', 'topic', 'passwordId'] : [];
      return roomSettings
        .filter((setting) => Object.hasOwn(event.data, setting) && !unknown.includes(setting))
        .map(row);
    }
    case 'ChatClosed':
      return [row('closing')];
    default:
      return [];
  }
}

function textRow(event: Recorded) {
  if (event.type !== 'MessageEdited' && event.type !== 'MessageRedacted') return null;
  return {
    room: entityId(event),
    message: keyValue(event.data.messageId),
    redacted: event.type === 'MessageRedacted' ? 'true' : 'false',
    revision: `${event.revision}`,
  };
}

const settingSet = rowSet('s', {
  room_id: ['room', 'text'],
  setting: ['setting', 'text'],
  revision: ['revision', 'bigint'],
});

const insertSettings = (tx: Transaction, schema: string, rows: readonly ReturnType<typeof settingRows>[number][]) => tx`
  INSERT INTO ${tx(schema)}.setting_changes (room_id, setting, revision)
  SELECT * FROM ${settingSet(tx, rows)}
  ON CONFLICT DO NOTHING`;

const textSet = rowSet('t', {
  room_id: ['room', 'text'],
  message_id: ['message', 'text'],
  redacted: ['redacted', 'boolean'],
  revision: ['revision', 'bigint'],
});

const insertTexts = (tx: Transaction, schema: string, rows: readonly NonNullable<ReturnType<typeof textRow>>[]) => tx`
  INSERT INTO ${tx(schema)}.text_changes (room_id, message_id, redacted, revision)
  SELECT * FROM ${textSet(tx, rows)}
  ON CONFLICT DO NOTHING`;

// Tenures -----------------------------------------------------------------------------------------------------------

/** A tenure that a batch begins. */
interface Begun {
  readonly room: string;
  readonly user: string;
  readonly since: string;
  until: string | null;
  fork: string | null;
  readonly role: string;
  /** Null where it goes on from the tenure before the batch, and is only there if that is. */
  readonly joinedAt: string | null;
  readonly joinedRevision: string | null;
}

/** Where the tenure ends that somebody had before the batch, if they had one. */
interface Ended {
  readonly room: string;
  readonly user: string;
  readonly at: string;
}

function tenuresIn(events: readonly Recorded[]): { ended: Ended[]; begun: Begun[] } {
  const ended: Ended[] = [];
  const begun: Begun[] = [];
  /** The latest tenure of each person that a batch has touched; null: none, since they have left. */
  const latest = new Map<string, Begun | null>();
  for (const event of events) {
    if (!isMembership(event)) continue;
    const [room, user, at] = [entityId(event), keyValue(event.data.userId), `${event.revision}`];
    const key = `${room} ${user}`;
    const current = latest.get(key);
    if (current === undefined) ended.push({ room, user, at });
    if (current) {
      current.until = at;
      current.fork = `${forkOf(BigInt(current.since), event.revision)}`;
    }
    const next = current === null && event.type === 'MemberRoleChanged' ? null : tenureFrom(event, current ?? null);
    latest.set(key, next);
    if (next) begun.push(next);
  }
  return { ended, begun };
}

type Membership = Extract<Recorded, { type: 'MemberJoined' | 'MemberLeft' | 'MemberRemoved' | 'MemberRoleChanged' }>;

const isMembership = (event: Recorded): event is Membership =>
  event.type === 'MemberJoined' ||
  event.type === 'MemberLeft' ||
  event.type === 'MemberRemoved' ||
  event.type === 'MemberRoleChanged';

/** The tenure that begins with an event, where one does; `before` is the one of the same batch that it follows. */
function tenureFrom(event: Membership, before: Begun | null): Begun | null {
  if (event.type === 'MemberLeft' || event.type === 'MemberRemoved') return null;
  const joining = event.type === 'MemberJoined';
  return {
    room: entityId(event),
    user: keyValue(event.data.userId),
    since: `${event.revision}`,
    until: null,
    fork: null,
    role: keyValue(event.data.role),
    joinedAt: joining ? timeValue(event) : (before?.joinedAt ?? null),
    joinedRevision: joining ? `${event.revision}` : (before?.joinedRevision ?? null),
  };
}

const endedSet = rowSet('e', { room_id: ['room', 'text'], user_id: ['user', 'text'], at: ['at', 'bigint'] });

const begunSet = rowSet('b', {
  room_id: ['room', 'text'],
  user_id: ['user', 'text'],
  since: ['since', 'bigint'],
  until: ['until', 'bigint'],
  fork: ['fork', 'bigint'],
  role: ['role', 'text'],
  joined_at: ['joinedAt', 'timestamptz'],
  joined_revision: ['joinedRevision', 'bigint'],
});

const changeTenures = (tx: Transaction, schema: string, ended: readonly Ended[], begun: readonly Begun[]) => tx`
  WITH ended AS (
    UPDATE ${tx(schema)}.tenures t SET until = e.at, fork = ${tx.unsafe(forkInSql('t.since', 'e.at'))}
    FROM ${endedSet(tx, ended)}
    WHERE t.room_id = e.room_id AND t.user_id = e.user_id AND t.until IS NULL
    RETURNING t.room_id, t.user_id, t.joined_at, t.joined_revision
  )
  INSERT INTO ${tx(schema)}.tenures (room_id, user_id, since, until, fork, role, joined_at, joined_revision)
  SELECT b.room_id, b.user_id, b.since, b.until, b.fork, b.role,
    coalesce(b.joined_at, e.joined_at), coalesce(b.joined_revision, e.joined_revision)
  FROM ${begunSet(tx, begun)}
  LEFT JOIN ended e USING (room_id, user_id)
  WHERE coalesce(b.joined_revision, e.joined_revision) IS NOT NULL`;

// Queries -----------------------------------------------------------------------------------------------------------

/** By setting, the revision of the event that had set it when the room was at a revision. */
export async function settingsAt(
  db: ReadDatabase,
  room: string,
  revision: bigint,
): Promise<ReadonlyMap<RoomSetting, bigint>> {
  const { sql, schema } = reading(db);
  const rows = await sql<{ setting: RoomSetting; revision: string }[]>`
    SELECT s.setting, c.revision
    FROM unnest(${arrayValue(roomSettings)}::text[]) AS s (setting)
    CROSS JOIN LATERAL (
      SELECT revision FROM ${schema}.setting_changes c
      WHERE c.room_id = ${keyValue(room)} AND c.setting = s.setting AND c.revision <= ${`${revision}`}
      ORDER BY revision DESC LIMIT 1
    ) AS c`;
  return new Map(rows.map((row) => [row.setting, BigInt(row.revision)]));
}

/** Somebody who was in a room. */
export interface MemberThen {
  readonly user: { readonly id: string; readonly username: string | null; readonly displayName: string | null };
  readonly role: RoomRole;
  readonly joinedAt: string;
}

/** Who was in the room at a revision, in the order in which they had joined, and how many there were in all. */
export async function membersAt(
  db: ReadDatabase,
  room: string,
  revision: bigint,
  most: number,
): Promise<{ members: MemberThen[]; count: number }> {
  const { sql, schema } = reading(db);
  const rows = await sql<(MemberRow & { count: string })[]>`
    WITH present AS MATERIALIZED (${presentAt(db, room, revision)})
    SELECT present.*, p.username, p.display_name, (SELECT count(*) FROM present) AS count
    FROM (SELECT * FROM present ORDER BY joined_revision LIMIT ${most}) AS present
    LEFT JOIN ${schema}.people p ON p.id = present.user_id
    ORDER BY joined_revision`;
  return { members: rows.map(toMember), count: Number(rows[0]?.count ?? 0) };
}

interface MemberRow {
  user_id: string;
  username: string | null;
  display_name: string | null;
  role: RoomRole;
  joined_at: Date;
}

const toMember = (row: MemberRow): MemberThen => ({
  user: { id: row.user_id, username: row.username, displayName: row.display_name },
  role: row.role,
  joinedAt: timeOf(row.joined_at),
});

/** The ids of those who were in the room at a revision, in alphabetical order. */
export async function presentIds(db: ReadDatabase, room: string, revision: bigint): Promise<string[]> {
  const { sql } = reading(db);
  const rows = await sql<{ user_id: string }[]>`
    SELECT user_id FROM (${presentAt(db, room, revision)}) AS present ORDER BY user_id`;
  return rows.map((row) => row.user_id);
}

function presentAt(db: ReadDatabase, room: string, revision: bigint) {
  const { sql, schema } = reading(db);
  const { upTo, beyond } = placesOf(revision);
  const list = (of: readonly bigint[]) => arrayValue(of.map(String));
  const there = sql`SELECT t.* FROM ${schema}.tenures t WHERE t.room_id = ${keyValue(room)}`;
  return sql`
    ${there} AND t.fork = ANY(${list(upTo)}::bigint[]) AND t.until > ${`${revision}`}
    UNION ALL ${there} AND t.fork = ANY(${list(beyond)}::bigint[]) AND t.since <= ${`${revision}`}
    UNION ALL ${there} AND t.until IS NULL AND t.since <= ${`${revision}`}`;
}

/** For each of some revisions, the last one up to it at which somebody came, went or got another role. */
export async function membershipsChanged(
  db: ReadDatabase,
  room: string,
  revisions: readonly bigint[],
): Promise<bigint[]> {
  const { sql, schema } = reading(db);
  const last = (column: 'since' | 'until') => sql`
    (SELECT max(t.${sql(column)}) FROM ${schema}.tenures t
     WHERE t.room_id = ${keyValue(room)} AND t.${sql(column)} <= asked.revision)`;
  const rows = await sql<{ changed: string | null }[]>`
    SELECT greatest(${last('since')}, ${last('until')}) AS changed
    FROM unnest(${arrayValue(revisions.map(String))}::bigint[]) WITH ORDINALITY AS asked (revision, nth)
    ORDER BY nth`;
  return rows.map(({ changed }) => BigInt(changed ?? -1));
}

/** A message as it stood at a revision of its room. */
export interface MessageThen {
  readonly id: string;
  readonly revision: bigint;
  readonly author: { readonly id: string; readonly username: string | null; readonly displayName: string | null };
  readonly kind: MessageKind;
  readonly replyTo: string | null;
  readonly postedAt: string;
  /** Revision of the event with the text as it read then. */
  readonly textRevision: bigint;
  /** That text, if it is still the text of the message; null where it has to be opened from the log, or was erased. */
  readonly text: string | null;
  /** Whether an edit or redaction has replaced that text since. */
  readonly replaced: boolean;
  /** When that text was written, if it is an edit and no later one replaced it; otherwise the log knows. */
  readonly editedAt: string | null;
  /** When it was redacted, if that was up to then. */
  readonly redactedAt: string | null;
}

export interface MessagesThenQuery {
  readonly room: string;
  readonly revision: bigint;
  /** Nothing below this revision is shown. */
  readonly visibleFrom: bigint;
  /** With the first messages, or with the last ones before `revision`; these too come oldest first. */
  readonly part: 'first' | 'last';
  readonly page: PageRequest;
}

/** Messages of a room as they stood at a revision, oldest first; one more than asked for where there are more. */
export async function messagesAt(db: ReadDatabase, query: MessagesThenQuery): Promise<MessageThen[]> {
  const { room, revision, visibleFrom, part, page } = query;
  const { sql, schema, texts } = reading(db);
  const end = cursorKey(page, messagesList(query), isPlace);
  const first = part === 'first';
  // Cursors are not signed: whatever one says, it shows nothing below what is visible and nothing after the revision.
  const after = first && end ? BigInt(end[0]) + 1n : visibleFrom;
  const before = !first && end ? BigInt(end[0]) - 1n : revision;
  const lowest = after > visibleFrom ? after : visibleFrom;
  const highest = before < revision ? before : revision;
  const direction = first ? sql`ASC` : sql`DESC`;
  const then = sql`c.room_id = m.room_id AND c.message_id = m.message_id AND c.revision <= ${`${revision}`}`;
  const rows = await sql<MessageRow[]>`
    SELECT m.*, author.username, author.display_name,
      (SELECT max(c.revision) FROM ${schema}.text_changes c WHERE ${then} AND NOT c.redacted) AS edited_then,
      (SELECT min(c.revision) FROM ${schema}.text_changes c WHERE ${then} AND c.redacted) AS redacted_then
    FROM (
      SELECT * FROM ${schema}.messages m
      WHERE m.room_id = ${keyValue(room)} AND m.revision BETWEEN ${`${lowest}`} AND ${`${highest}`}
      ORDER BY m.revision ${direction} LIMIT ${page.limit + 1}
    ) AS m
    LEFT JOIN ${schema}.people author ON author.id = m.author_id
    ORDER BY m.revision`;
  return (await texts.read(rows)).map(toMessage);
}

/** The name of this list in cursors: one holds for the revision, and the end of the list, for which it was made. */
export const messagesList = ({ revision, part }: Pick<MessagesThenQuery, 'revision' | 'part'>): string =>
  `messages at ${revision} ${part}`;

/** The revision for which the cursor of such a list was made; undefined where there is none. */
export function revisionOfCursor(page: Pick<PageRequest, 'cursor'>): bigint | undefined {
  const [, revision] = /^messages at (\d{1,18}) /.exec(listOfCursor(page) ?? '') ?? [];
  return revision === undefined ? undefined : BigInt(revision);
}

interface MessageRow extends RowWithText {
  message_id: string;
  revision: string;
  author_id: string;
  username: string | null;
  display_name: string | null;
  kind: MessageKind;
  reply_to: string | null;
  posted_at: Date;
  redacted_at: Date | null;
  edited_at: Date | null;
  edited_then: string | null;
  redacted_then: string | null;
}

function toMessage(row: MessageRow): MessageThen {
  const textRevision = BigInt(row.edited_then ?? row.revision);
  const latest = BigInt(row.text_revision) === textRevision;
  const replaced = row.redacted_at !== null || !latest;
  return {
    id: row.message_id,
    revision: BigInt(row.revision),
    author: { id: row.author_id, username: row.username, displayName: row.display_name },
    kind: row.kind,
    replyTo: row.reply_to,
    postedAt: timeOf(row.posted_at),
    textRevision,
    text: replaced ? null : row.text,
    replaced,
    editedAt: latest && row.edited_at ? timeOf(row.edited_at) : null,
    redactedAt: row.redacted_then !== null && row.redacted_at ? timeOf(row.redacted_at) : null,
  };
}
