import { type EventStore, eventsOf, peek, type StoredEvent } from '@verbatim/event-store';
import type { TransactionSql } from 'postgres';
import { about } from '../../config.js';
import { client, countRows, migrationsOf, quoted, type Table, tablesOf } from '../database/target-database.js';
import { lineOf } from './backed-up-log.js';
import { BackupRefused, nameOf, writeBackupFile } from './backup-file.js';
import type { BackupPlace } from './backup-place.js';
import {
  type BackedUpTable,
  type BackupPoint,
  type LogSegment,
  type Manifest,
  readManifest,
  writeManifest,
} from './manifest.js';

/** Held on the database during a backup. */
const BACKUP_LOCK = 7_216_011;
/** What vault and desk consist of is backed up anew each time. */
const STATE = ['vault', 'desk'] as const;
/** A segment of the log ends behind the event with which it has that many events or characters of sealed texts. */
const SEGMENT = { events: 50_000, characters: 32 * 2 ** 20 };

export interface BackupOptions {
  /** URL of the database, without a pooler. */
  readonly database: string;
  readonly store: EventStore;
  /** Whether the log is in the database, and not in an event store of its own. */
  readonly logInDatabase: boolean;
  /** Recipients of age; none: the backup is plain. */
  readonly recipients: readonly string[];
  readonly onProgress: (progress: { events: number; position: bigint; through: bigint }) => void;
  /** When a segment of the log ends. */
  readonly segment?: typeof SEGMENT;
}

export interface BackupMade {
  /** Of the last event that is in the backup, -1 if the log is empty. */
  readonly position: bigint;
  /** Events that were added to the backup. */
  readonly added: number;
  readonly tables: number;
  readonly bytes: number;
}

/**
 * Backs up log, vault and desk into a place, consistently at one position, while the service runs. Of the log only what is not there yet
 * is added, in segments that stay when the backup is interrupted; vault and desk are written anew, and those of the
 * backup before are removed when this one is complete. Memory does not grow with the data.
 *
 * Vault and desk are one snapshot of the database. If the log is there too, its end is that of the snapshot; otherwise it was
 * looked up before, so that no event is newer than its key, or is the last event that was signed in the snapshot.
 */
export async function makeBackup(place: BackupPlace, options: BackupOptions): Promise<BackupMade> {
  const found = (await readManifest(place)) ?? {
    format: 1,
    recipients: [...options.recipients],
    log: [],
    point: null,
  };
  refuseOther(found, options.recipients);
  const sql = client(options.database);
  try {
    const [lock] = await sql<{ mine: boolean }[]>`select pg_try_advisory_lock(${BACKUP_LOCK}) as mine`;
    if (!lock?.mine) throw new BackupRefused('Another backup of this database is in progress.');
    await refuseOtherLog(found, options.store);
    const end = options.logInDatabase ? null : await options.store.head();
    const point = await sql.begin('isolation level repeatable read read only', (tx) =>
      backUpState(place, tx, end, options.recipients),
    );
    const added = await backUpLog(place, found, BigInt(point.position), options);
    const manifest = { ...found, log: [...found.log, ...added], point };
    await writeManifest(place, manifest);
    await removeOldState(place, point);
    await place.removeUnfinished();
    const bytes = [...added, ...point.tables].reduce((sum, file) => sum + file.bytes, 0);
    const events = added.reduce((sum, each) => sum + each.events, 0);
    return { position: BigInt(point.position), added: events, tables: point.tables.length, bytes };
  } finally {
    // The lock goes with the connection.
    await sql.end({ timeout: 5 });
  }
}

function refuseOther({ recipients }: Manifest, wanted: readonly string[]): void {
  if ([...recipients].sort().join() === [...wanted].sort().join()) return;
  const what = recipients.length === 0 ? 'is not encrypted' : `is encrypted for ${recipients.join(' and ')}`;
  throw new BackupRefused(`The backup in this place ${what}. Use another place for this one.`);
}

/** A log that was restored or moved since is another one, and does not go on where the backup ends. */
async function refuseOtherLog({ log }: Manifest, store: EventStore): Promise<void> {
  const last = log.at(-1)?.last;
  if (!last) return;
  const [event] = await store.readAll(BigInt(last.position), 1);
  if (event?.hash === last.hash && `${event.position}` === last.position) return;
  throw new BackupRefused(
    `There is a backup of another log in this place: that of the service has another event at position ${last.position}. ` +
      'Use another place, also after a restore to an earlier position.',
  );
}

// Vault and desk ------------------------------------------------------------------------------------------------------

async function backUpState(
  place: BackupPlace,
  sql: TransactionSql,
  end: bigint | null,
  recipients: readonly string[],
): Promise<BackupPoint> {
  await sql`select set_config(name, '0', true) from unnest(array['statement_timeout', 'idle_in_transaction_session_timeout']) name`;
  const [{ now } = { now: new Date() }] = await sql<{ now: Date }[]>`select now()`;
  const steps: Record<string, string> = {};
  for (const schema of STATE) {
    const known = await migrationsOf(sql, schema);
    if (known === null)
      throw new BackupRefused(`There is nothing to back up: the database has no schema ${schema} of this service.`);
    steps[schema] = known;
  }
  const position = end === null ? await lastPosition(sql) : later(end, await signedPosition(sql));
  const tables: BackedUpTable[] = [];
  const stamp = now.toISOString().replace(/[^0-9]/g, '');
  for (const table of await tablesOf(sql, STATE)) {
    const file = nameOf(`${table.schema}/${stamp}/${table.name}.copy`, recipients);
    const rows = await countRows(table, sql);
    const written = await writeBackupFile(place, file, rowsOf(table, sql), recipients);
    const { schema, name, columns } = table;
    tables.push({ ...written, schema: schema as 'vault' | 'desk', name, columns: [...columns], rows });
  }
  const release = about.version;
  return { position: `${position}`, madeAt: now.toISOString(), release, steps: steps as BackupPoint['steps'], tables };
}

async function lastPosition(sql: TransactionSql): Promise<bigint> {
  const [row] = await sql<{ position: string }[]>`select coalesce(max(position), -1)::text as position from log.events`;
  return BigInt(row?.position ?? -1);
}

/** Position of the last event that the newest tree of the transparency log covers, -1 if there is none. */
async function signedPosition(sql: TransactionSql): Promise<bigint> {
  const [table] = await sql<{ there: boolean }[]>`select to_regclass('desk.log_trees') is not null as there`;
  if (!table?.there) return -1n;
  const [row] = await sql<{ position: string | null }[]>`
    select position::text from desk.log_trees order by number desc limit 1`;
  return BigInt(row?.position ?? -1);
}

const later = (a: bigint, b: bigint): bigint => (a > b ? a : b);

async function* rowsOf(table: Table, sql: TransactionSql): AsyncGenerator<Buffer> {
  const columns = table.columns.map((column) => `"${column}"`).join(', ');
  const reading = await sql.unsafe(`copy ${quoted(table)} (${columns}) to stdout`).readable();
  yield* reading as AsyncIterable<Buffer>;
  // A stream that ended with much unread data leaves its connection paused; postgres.js resumes it only on a read.
  reading._read(0);
}

/** Old states hold keys that were destroyed since; so does what an interrupted backup has left. */
async function removeOldState(place: BackupPlace, { tables }: BackupPoint): Promise<void> {
  const current = new Set(tables.map(({ file }) => file.split('/')[1]));
  for (const schema of STATE)
    for (const stamp of await place.folders(schema))
      if (!current.has(stamp)) await place.removeFolder(`${schema}/${stamp}`);
}

// The log -------------------------------------------------------------------------------------------------------------

async function backUpLog(
  place: BackupPlace,
  manifest: Manifest,
  through: bigint,
  { store, recipients, onProgress, segment = SEGMENT }: BackupOptions,
): Promise<LogSegment[]> {
  const from = BigInt(manifest.log.at(-1)?.last.position ?? -1) + 1n;
  const added: LogSegment[] = [];
  const events = eventsOf(store, from);
  let count = 0;
  for (let next = await events.next(); !next.done && next.value.position <= through; ) {
    const first = next.value;
    let [last, inSegment, characters]: [StoredEvent, number, number] = [first, 0, 0];
    async function* lines(): AsyncGenerator<string> {
      while (!next.done && next.value.position <= through) {
        last = next.value;
        yield lineOf(last);
        inSegment++;
        characters += last.sealed.length;
        if (++count % 500 === 0) onProgress({ events: count, position: last.position, through });
        next = await events.next();
        if (inSegment >= segment.events || characters >= segment.characters) return;
      }
    }
    const file = nameOf(`log/${`${first.position}`.padStart(19, '0')}.jsonl`, recipients);
    const written = await writeBackupFile(place, file, lines(), recipients);
    const { position, stream, revision, hash } = last;
    const end = { position: `${position}`, stream, revision: `${revision}`, hash, at: peek(last.sealed).at };
    added.push({ ...written, from: `${first.position}`, events: inSegment, last: end });
    await writeManifest(place, { ...manifest, log: [...manifest.log, ...added] });
  }
  await events.return(undefined);
  return added;
}
