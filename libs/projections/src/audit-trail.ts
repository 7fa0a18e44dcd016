import type { Recorded } from '@verbatim/domain';
import { auditedAction, type TargetKind } from './audited-actions.js';
import { entityId, keyValue, textValue, timeOf, timeValue } from './column-values.js';
import { cursorKey, isPlace, type Page, type PageRequest, toPage } from './page.js';
import { type Projection, type ReadDatabase, reading, type Transaction } from './projection.js';
import { rowSet } from './row-set.js';
import type { Texts } from './texts.js';

/**
 * What administrators and auditors did, each by the role that they had at that moment. `overseers` has a row for each time
 * that somebody got or lost such a role.
 */
export const auditTrail: Projection = {
  name: 'audit trail',

  tables: (schema) => `
    CREATE TABLE ${schema}.overseers (
      user_id text COLLATE "C",
      position bigint,
      overseeing boolean NOT NULL,
      PRIMARY KEY (user_id, position)
    );
    CREATE TABLE ${schema}.audit_trail (
      position bigint PRIMARY KEY,
      event_id text NOT NULL,
      at timestamptz NOT NULL,
      actor_id text COLLATE "C" NOT NULL,
      action text COLLATE "C" NOT NULL,
      detail text,
      target_kind text COLLATE "C" NOT NULL,
      target_id text COLLATE "C",
      room_id text COLLATE "C",
      reason text,
      trace_id text NOT NULL
    );`,

  indexes: (schema) => `
    CREATE INDEX ON ${schema}.audit_trail (at);
    CREATE INDEX ON ${schema}.audit_trail (actor_id, position);
    CREATE INDEX ON ${schema}.audit_trail (action, position);
    CREATE INDEX ON ${schema}.audit_trail (target_id, position);
    CREATE INDEX ON ${schema}.audit_trail (room_id, position);`,

  async apply(tx, schema, events, texts) {
    const roles = events.flatMap((event) => roleRow(event) ?? []);
    const actions = events.flatMap((event) => actionRow(event, texts) ?? []);
    // In this order, so that a role given within the batch is known for what was done with it.
    await Promise.all([
      roles.length > 0 && insertRoles(tx, schema, roles),
      actions.length > 0 && insertActions(tx, schema, actions),
    ]);
  },
};

type Role = NonNullable<ReturnType<typeof roleRow>>;
type Action = NonNullable<ReturnType<typeof actionRow>>;

function roleRow(event: Recorded) {
  if (event.type !== 'UserRoleChanged' && event.type !== 'UserRegistered') return null;
  const { role } = event.data;
  if (event.type === 'UserRegistered' && role === 'user') return null;
  return { user: entityId(event), position: `${event.position}`, overseeing: role === 'user' ? 'false' : 'true' };
}

function actionRow(event: Recorded, texts: Texts) {
  if (event.actor === null) return null;
  const action = auditedAction(event);
  if (!action) return null;
  return {
    position: `${event.position}`,
    event: keyValue(event.id),
    at: timeValue({ at: event.at }),
    actor: keyValue(event.actor),
    action: keyValue(event.type),
    detail: textValue(action.detail),
    kind: action.kind,
    target: action.id === null ? null : keyValue(action.id),
    room: action.room === undefined ? null : keyValue(action.room),
    reason: texts.keep(textValue(action.reason)),
    trace: keyValue(event.correlation),
  };
}

const roleRows = rowSet('r', {
  user_id: ['user', 'text'],
  position: ['position', 'bigint'],
  overseeing: ['overseeing', 'boolean'],
});

const insertRoles = (tx: Transaction, schema: string, rows: readonly Role[]) => tx`
  INSERT INTO ${tx(schema)}.overseers (user_id, position, overseeing)
  SELECT * FROM ${roleRows(tx, rows)}
  ON CONFLICT DO NOTHING`;

const actionRows = rowSet('a', {
  position: ['position', 'bigint'],
  event_id: ['event', 'text'],
  at: ['at', 'timestamptz'],
  actor_id: ['actor', 'text'],
  action: ['action', 'text'],
  detail: ['detail', 'text'],
  target_kind: ['kind', 'text'],
  target_id: ['target', 'text'],
  room_id: ['room', 'text'],
  reason: ['reason', 'text'],
  trace_id: ['trace', 'text'],
});

/** Only those whose actor was an administrator or auditor at that moment. */
const insertActions = (tx: Transaction, schema: string, rows: readonly Action[]) => tx`
  INSERT INTO ${tx(schema)}.audit_trail (
    position, event_id, at, actor_id, action, detail, target_kind, target_id, room_id, reason, trace_id)
  SELECT a.* FROM ${actionRows(tx, rows)}
  WHERE (
    SELECT o.overseeing FROM ${tx(schema)}.overseers o
    WHERE o.user_id = a.actor_id AND o.position < a.position ORDER BY o.position DESC LIMIT 1
  )
  ON CONFLICT DO NOTHING`;

// Queries -----------------------------------------------------------------------------------------------------------

export interface AuditEntry {
  /** Id of the event that recorded it. */
  readonly id: string;
  readonly at: string;
  readonly actor: { readonly id: string; readonly username: string | null };
  /** Type of that event. */
  readonly action: string;
  readonly detail: string | null;
  /** `name`: that of a person or room, if there is one. */
  readonly target: { readonly kind: TargetKind; readonly id: string | null; readonly name: string | null };
  readonly roomId: string | null;
  /** Null where none was given, or it was forgotten. */
  readonly reason: string | null;
  readonly traceId: string;
}

export interface AuditQuery {
  readonly actor?: string;
  readonly action?: string;
  readonly kind?: TargetKind;
  readonly target?: string;
  readonly room?: string;
  /** RFC 3339; `from` is inclusive, `before` is not. */
  readonly from?: string;
  readonly before?: string;
  readonly order: 'asc' | 'desc';
  readonly page: PageRequest;
}

/** The audit trail in order of the log. */
export async function listAuditTrail(db: ReadDatabase, query: AuditQuery): Promise<Page<AuditEntry>> {
  const { actor, action, kind, target, room, from, before, order, page } = query;
  const { sql, schema, texts } = reading(db);
  const list = `audit trail ${order}`;
  const last = cursorKey(page, list, isPlace);
  const descending = order === 'desc';
  const direction = descending ? sql`DESC` : sql`ASC`;
  const rows = await sql<AuditRow[]>`
    SELECT t.*, actor.username, coalesce(person.username, room.name) AS target_name
    FROM (
      SELECT * FROM ${schema}.audit_trail t
      WHERE true
        ${last ? (descending ? sql`AND t.position < ${last[0]}` : sql`AND t.position > ${last[0]}`) : sql``}
        ${actor === undefined ? sql`` : sql`AND t.actor_id = ${keyValue(actor)}`}
        ${action === undefined ? sql`` : sql`AND t.action = ${keyValue(action)}`}
        ${kind === undefined ? sql`` : sql`AND t.target_kind = ${kind}`}
        ${target === undefined ? sql`` : sql`AND t.target_id = ${keyValue(target)}`}
        ${room === undefined ? sql`` : sql`AND t.room_id = ${keyValue(room)}`}
        ${from === undefined ? sql`` : sql`AND t.at >= ${from}::timestamptz`}
        ${before === undefined ? sql`` : sql`AND t.at < ${before}::timestamptz`}
      ORDER BY t.position ${direction}
      LIMIT ${page.limit + 1}
    ) AS t
    LEFT JOIN ${schema}.people actor ON actor.id = t.actor_id
    LEFT JOIN ${schema}.people person ON t.target_kind = 'user' AND person.id = t.target_id
    LEFT JOIN ${schema}.rooms room ON t.target_kind = 'room' AND room.id = t.target_id
    ORDER BY t.position ${direction}`;
  return toPage(
    rows,
    page,
    list,
    (row) => toEntry(row, texts),
    (row) => [row.position],
  );
}

interface AuditRow {
  position: string;
  event_id: string;
  at: Date;
  actor_id: string;
  username: string | null;
  action: string;
  detail: string | null;
  target_kind: TargetKind;
  target_id: string | null;
  target_name: string | null;
  room_id: string | null;
  reason: string | null;
  trace_id: string;
}

const toEntry = (row: AuditRow, texts: Texts): AuditEntry => ({
  id: row.event_id,
  at: timeOf(row.at),
  actor: { id: row.actor_id, username: row.username },
  action: row.action,
  detail: row.detail,
  target: { kind: row.target_kind, id: row.target_id, name: row.target_name },
  roomId: row.room_id,
  reason: texts.show(row.reason),
  traceId: row.trace_id,
});
