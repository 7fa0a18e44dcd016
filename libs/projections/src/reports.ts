import type { Recorded, ReportOutcome } from '@verbatim/domain';
import { entityId, keyValue, textValue, timeOf, timeValue } from './column-values.js';
import { cursorKey, isPlace, isTime, type Page, type PageRequest, toPage } from './page.js';
import { type Projection, type ReadDatabase, reading, type Transaction } from './projection.js';
import { rowSet } from './row-set.js';
import type { Texts } from './texts.js';

/** Every report of a message, and what became of it. */
export const reports: Projection = {
  name: 'reports',

  tables: (schema) => `
    CREATE TABLE ${schema}.reports (
      id text COLLATE "C",
      room_id text COLLATE "C",
      message_id text COLLATE "C" NOT NULL,
      reporter_id text COLLATE "C" NOT NULL,
      reason text,
      reported_at timestamptz NOT NULL,
      position bigint NOT NULL,
      settled boolean NOT NULL DEFAULT false,
      settled_by text,
      settled_at timestamptz,
      outcome text,
      note text,
      PRIMARY KEY (id, room_id)
    );`,

  indexes: (schema) => `
    CREATE INDEX ON ${schema}.reports (room_id, settled, reported_at, position);
    CREATE INDEX ON ${schema}.reports (settled, reported_at, position);`,

  async apply(tx, schema, events, texts) {
    const reported = events.flatMap((event) => (event.type === 'MessageReported' ? [reportedRow(event, texts)] : []));
    const settled = events.flatMap((event) => (event.type === 'ReportSettled' ? [settledRow(event, texts)] : []));
    // In this order, so that a report made and settled within the batch is there to be settled.
    await Promise.all([
      reported.length > 0 && insertReported(tx, schema, reported),
      settled.length > 0 && updateSettled(tx, schema, settled),
    ]);
  },
};

type Of<T extends Recorded['type']> = Extract<Recorded, { type: T }>;
type Reported = ReturnType<typeof reportedRow>;
type Settled = ReturnType<typeof settledRow>;

const reportedRow = (event: Of<'MessageReported'>, texts: Texts) => ({
  id: keyValue(event.data.reportId),
  room: entityId(event),
  message: keyValue(event.data.messageId),
  reporter: keyValue(event.actor),
  reason: texts.keep(textValue(event.data.reason)),
  at: timeValue(event),
  position: `${event.position}`,
});

const settledRow = (event: Of<'ReportSettled'>, texts: Texts) => ({
  id: keyValue(event.data.reportId),
  room: entityId(event),
  by: textValue(event.actor),
  at: timeValue(event),
  outcome: keyValue(event.data.outcome),
  note: texts.keep(textValue(event.data.note)),
});

const reportedRows = rowSet('reported', {
  id: ['id', 'text'],
  room_id: ['room', 'text'],
  message_id: ['message', 'text'],
  reporter_id: ['reporter', 'text'],
  reason: ['reason', 'text'],
  reported_at: ['at', 'timestamptz'],
  position: ['position', 'bigint'],
});

const insertReported = (tx: Transaction, schema: string, rows: readonly Reported[]) => tx`
  INSERT INTO ${tx(schema)}.reports (id, room_id, message_id, reporter_id, reason, reported_at, position)
  SELECT * FROM ${reportedRows(tx, rows)}
  ON CONFLICT DO NOTHING`;

const settledRows = rowSet('done', {
  id: ['id', 'text'],
  room_id: ['room', 'text'],
  settled_by: ['by', 'text'],
  settled_at: ['at', 'timestamptz'],
  outcome: ['outcome', 'text'],
  note: ['note', 'text'],
});

const updateSettled = (tx: Transaction, schema: string, rows: readonly Settled[]) => tx`
  UPDATE ${tx(schema)}.reports r
  SET settled = true, settled_by = done.settled_by, settled_at = done.settled_at, outcome = done.outcome, note = done.note
  FROM ${settledRows(tx, rows)}
  WHERE r.id = done.id AND r.room_id = done.room_id`;

// Queries -----------------------------------------------------------------------------------------------------------

interface Person {
  readonly id: string;
  readonly username: string | null;
}

export interface Report {
  readonly id: string;
  readonly roomId: string;
  readonly messageId: string;
  /** Null while the read models have no such message. */
  readonly messageRevision: bigint | null;
  readonly author: Person | null;
  readonly reporter: Person;
  readonly reason: string | null;
  readonly reportedAt: string;
  readonly settled: boolean;
  readonly settledBy: Person | null;
  readonly settledAt: string | null;
  readonly outcome: ReportOutcome | null;
  readonly note: string | null;
}

export interface ReportsQuery {
  /** Only reports of messages in this room. */
  readonly room?: string;
  readonly settled: boolean;
  readonly page: PageRequest;
}

/** Reports, the oldest first. Who may see them is for the caller to judge. */
export async function listReports(db: ReadDatabase, { room, settled, page }: ReportsQuery): Promise<Page<Report>> {
  const { sql, texts } = reading(db);
  const list = room === undefined ? 'reports' : 'reports of a room';
  const after = cursorKey(page, list, isTime, isPlace);
  const rows = await sql<ReportRow[]>`
    ${selectReports(db)}
    WHERE r.settled = ${settled}
      ${room === undefined ? sql`` : sql`AND r.room_id = ${keyValue(room)}`}
      ${after ? sql`AND (r.reported_at, r.position) > (${after[0]}::timestamptz, ${after[1]}::bigint)` : sql``}
    ORDER BY r.reported_at, r.position
    LIMIT ${page.limit + 1}`;
  return toPage(
    rows,
    page,
    list,
    (row) => toReport(row, texts),
    (row) => [timeOf(row.reported_at), row.position],
  );
}

/** How many reports nobody has settled, counted up to `most`. */
export async function countOpenReports(db: ReadDatabase, most: number): Promise<number> {
  const { sql, schema } = reading(db);
  const [row] = await sql<{ count: number }[]>`
    SELECT count(*)::int AS count FROM (SELECT FROM ${schema}.reports WHERE NOT settled LIMIT ${most}) AS open`;
  return row?.count ?? 0;
}

/** One report, or null. */
export async function getReport(db: ReadDatabase, room: string, id: string): Promise<Report | null> {
  const { sql, texts } = reading(db);
  const [row] = await sql<
    ReportRow[]
  >`${selectReports(db)} WHERE r.id = ${keyValue(id)} AND r.room_id = ${keyValue(room)}`;
  return row ? toReport(row, texts) : null;
}

function selectReports(db: ReadDatabase) {
  const { sql, schema } = reading(db);
  return sql`
    SELECT r.*, m.revision AS message_revision, m.author_id, author.username AS author_name,
      reporter.username AS reporter_name, settler.username AS settler_name
    FROM ${schema}.reports r
    LEFT JOIN ${schema}.messages m ON m.message_id = r.message_id AND m.room_id = r.room_id
    LEFT JOIN ${schema}.people author ON author.id = m.author_id
    LEFT JOIN ${schema}.people reporter ON reporter.id = r.reporter_id
    LEFT JOIN ${schema}.people settler ON settler.id = r.settled_by`;
}

interface ReportRow {
  id: string;
  room_id: string;
  message_id: string;
  message_revision: string | null;
  author_id: string | null;
  author_name: string | null;
  reporter_id: string;
  reporter_name: string | null;
  reason: string | null;
  reported_at: Date;
  position: string;
  settled: boolean;
  settled_by: string | null;
  settler_name: string | null;
  settled_at: Date | null;
  outcome: ReportOutcome | null;
  note: string | null;
}

const personOf = (id: string | null, username: string | null): Person | null => (id === null ? null : { id, username });

const toReport = (row: ReportRow, texts: Texts): Report => ({
  id: row.id,
  roomId: row.room_id,
  messageId: row.message_id,
  messageRevision: row.message_revision === null ? null : BigInt(row.message_revision),
  author: personOf(row.author_id, row.author_name),
  reporter: { id: row.reporter_id, username: row.reporter_name },
  reason: texts.show(row.reason),
  reportedAt: timeOf(row.reported_at),
  settled: row.settled,
  settledBy: personOf(row.settled_by, row.settler_name),
  settledAt: row.settled_at && timeOf(row.settled_at),
  outcome: row.outcome,
  note: texts.show(row.note),
});
