import type { Recorded } from '@verbatim/domain';
import { entityId, keyValue, textValue, timeOf, timeValue } from './column-values.js';
import { cursorKey, isPlace, type Page, type PageRequest, toPage } from './page.js';
import { type Projection, type ReadDatabase, reading, type Transaction } from './projection.js';
import { rowSet } from './row-set.js';
import type { Texts } from './texts.js';

/** Who is banned from which room and who is muted there. Those that have ended by themselves stay until they are lifted. */
export const restraints: Projection = {
  name: 'restraints',

  tables: (schema) => `
    CREATE TABLE ${schema}.restraints (
      room_id text COLLATE "C",
      kind text COLLATE "C",
      user_id text COLLATE "C",
      until timestamptz,
      reason text,
      by_id text,
      set_at timestamptz NOT NULL,
      revision bigint NOT NULL,
      PRIMARY KEY (room_id, kind, user_id)
    );`,

  indexes: (schema) => `CREATE INDEX ON ${schema}.restraints (room_id, kind, revision);`,

  async apply(tx, schema, events, texts) {
    const { lifted, set } = fold(events, texts);
    await Promise.all([
      lifted.length > 0 && deleteLifted(tx, schema, lifted),
      set.length > 0 && upsertSet(tx, schema, set),
    ]);
  },
};

type Kind = 'ban' | 'mute';

interface Subject {
  readonly room: string;
  readonly kind: Kind;
  readonly user: string;
}
interface Restraint extends Subject {
  readonly until: string | null;
  readonly reason: string | null;
  readonly by: string | null;
  readonly at: string;
  readonly revision: string;
}

/** The last word of the batch on each ban and mute. */
function fold(events: readonly Recorded[], texts: Texts): { lifted: Subject[]; set: Restraint[] } {
  const lifted = new Map<string, Subject>();
  const set = new Map<string, Restraint>();
  for (const event of events) {
    if (!isAboutRestraint(event)) continue;
    const kind = event.type === 'MemberBanned' || event.type === 'MemberUnbanned' ? 'ban' : 'mute';
    const subject: Subject = { room: entityId(event), kind, user: keyValue(event.data.userId) };
    const key = `${subject.room} ${kind} ${subject.user}`;
    if (event.type === 'MemberBanned' || event.type === 'MemberMuted') {
      const { until, reason } = event.data;
      lifted.delete(key);
      set.set(key, {
        ...subject,
        until: until === null ? null : timeValue({ at: until }),
        reason: texts.keep(textValue(reason)),
        by: textValue(event.actor),
        at: timeValue(event),
        revision: `${event.revision}`,
      });
    } else {
      set.delete(key);
      lifted.set(key, subject);
    }
  }
  return { lifted: [...lifted.values()], set: [...set.values()] };
}

type AboutRestraint = Extract<Recorded, { type: 'MemberBanned' | 'MemberUnbanned' | 'MemberMuted' | 'MemberUnmuted' }>;

const isAboutRestraint = (event: Recorded): event is AboutRestraint =>
  event.type === 'MemberBanned' ||
  event.type === 'MemberUnbanned' ||
  event.type === 'MemberMuted' ||
  event.type === 'MemberUnmuted';

const liftedRows = rowSet('lifted', {
  room_id: ['room', 'text'],
  kind: ['kind', 'text'],
  user_id: ['user', 'text'],
});

const deleteLifted = (tx: Transaction, schema: string, rows: readonly Subject[]) => tx`
  DELETE FROM ${tx(schema)}.restraints r
  USING ${liftedRows(tx, rows)}
  WHERE r.room_id = lifted.room_id AND r.kind = lifted.kind AND r.user_id = lifted.user_id`;

const setRows = rowSet('changes', {
  room_id: ['room', 'text'],
  kind: ['kind', 'text'],
  user_id: ['user', 'text'],
  until: ['until', 'timestamptz'],
  reason: ['reason', 'text'],
  by_id: ['by', 'text'],
  set_at: ['at', 'timestamptz'],
  revision: ['revision', 'bigint'],
});

const upsertSet = (tx: Transaction, schema: string, rows: readonly Restraint[]) => tx`
  INSERT INTO ${tx(schema)}.restraints (room_id, kind, user_id, until, reason, by_id, set_at, revision)
  SELECT * FROM ${setRows(tx, rows)}
  ON CONFLICT (room_id, kind, user_id) DO UPDATE SET
    until = excluded.until, reason = excluded.reason, by_id = excluded.by_id, set_at = excluded.set_at,
    revision = excluded.revision`;

// Queries -----------------------------------------------------------------------------------------------------------

export interface Ban {
  readonly user: { readonly id: string; readonly username: string | null };
  /** Null: without end. */
  readonly until: string | null;
  readonly reason: string | null;
  readonly by: { readonly id: string; readonly username: string | null } | null;
  readonly at: string;
}

/** The bans of a room that are in force at a time (RFC 3339), the latest first. */
export async function bansOf(db: ReadDatabase, room: string, at: string, page: PageRequest): Promise<Page<Ban>> {
  const { sql, schema, texts } = reading(db);
  const before = cursorKey(page, 'bans', isPlace);
  const rows = await sql<BanRow[]>`
    SELECT r.*, banned.username, moderator.username AS by_username
    FROM ${schema}.restraints r
    LEFT JOIN ${schema}.people banned ON banned.id = r.user_id
    LEFT JOIN ${schema}.people moderator ON moderator.id = r.by_id
    WHERE r.room_id = ${keyValue(room)} AND r.kind = 'ban' AND (r.until IS NULL OR r.until > ${at})
      ${before ? sql`AND r.revision < ${before[0]}` : sql``}
    ORDER BY r.revision DESC
    LIMIT ${page.limit + 1}`;
  return toPage(
    rows,
    page,
    'bans',
    (row) => toBan(row, texts),
    (row) => [`${row.revision}`],
  );
}

interface BanRow {
  user_id: string;
  username: string | null;
  until: Date | null;
  reason: string | null;
  by_id: string | null;
  by_username: string | null;
  set_at: Date;
  revision: string;
}

const toBan = (row: BanRow, texts: Texts): Ban => ({
  user: { id: row.user_id, username: row.username },
  until: row.until && timeOf(row.until),
  reason: texts.show(row.reason),
  by: row.by_id === null ? null : { id: row.by_id, username: row.by_username },
  at: timeOf(row.set_at),
});
