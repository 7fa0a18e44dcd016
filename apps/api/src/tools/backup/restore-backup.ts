import { pipeline } from 'node:stream/promises';
import {
  type ChainCheck,
  copyLog,
  type EventStore,
  MasterKeyUnavailable,
  opensRoots,
  type RootKeysOptions,
} from '@verbatim/event-store';
import type { Sql, TransactionSql } from 'postgres';
import { givenMasterKeys } from '../../storage/vault/master-key.js';
import {
  claim,
  client,
  countRows,
  emptyTarget,
  makeTables,
  migrationsOf,
  quoted,
  refusalOf,
  type TablesOptions,
} from '../database/target-database.js';
import { BackedUpLog, type Until } from './backed-up-log.js';
import { BackupReader, BackupRefused, BrokenBackup } from './backup-file.js';
import type { BackupPlace } from './backup-place.js';
import { type BackedUpTable, type BackupPoint, readCompleteManifest } from './manifest.js';
import { checkFiles } from './verify-backup.js';

export interface RestoreOptions extends TablesOptions {
  /** URL of the database to restore into, without a pooler. */
  readonly database: string;
  /** Opens the store that gets the log, once the database has its tables. */
  readonly openStore: () => Promise<EventStore>;
  readonly identities: readonly string[];
  /** Position or time up to which the log is restored; null: all of it. */
  readonly at: bigint | Date | null;
  readonly onProgress: (progress: { phase: string; events: number; position: bigint; head: bigint }) => void;
}

export interface Restored {
  readonly check: ChainCheck;
  readonly rows: number;
  /** Of the last event that was restored; null: the log is empty. */
  readonly reached: { readonly position: bigint; readonly at: string } | null;
  readonly point: BackupPoint;
}

/**
 * Restores a backup into an empty database, and into an empty event store if the log has one of its own. Refuses a backup with any
 * file that is not the one that was written, before it touches the target. The log comes first and is read again and compared, with
 * all hash chains; then vault and desk, in one transaction that completes the restore. When it is interrupted, the same
 * command goes on. Memory grows with the number of streams only.
 *
 * @throws BrokenBackup, BackupRefused, CopyRefused
 */
export async function restoreBackup(place: BackupPlace, options: RestoreOptions): Promise<Restored> {
  const { log, point } = await readCompleteManifest(place);
  const reader = new BackupReader(place, options.identities);
  const until = untilOf(options.at, point);
  const masters = await existingMasterKeys(options);
  await checkFiles(reader, [...log, ...point.tables]);
  await refuseOtherKey(reader, point, masters);

  const target = client(options.database);
  try {
    await claim(target, 'verbatim_restore', true);
    await makeTables(options.database, options);
    await refuseOtherRelease(target, point);
    const source = new BackedUpLog(reader, log, until);
    const store = await options.openStore();
    const onProgress: Parameters<typeof copyLog>[2] = (progress) => options.onProgress(progress);
    const { check } = await copyLog(source, store, onProgress).finally(() => store.close());
    const rows = await inOneStep(target, (tx) => fill(tx, reader, point.tables, check));
    return { check, rows, reached: source.reached, point };
  } finally {
    // The lock goes with the connection.
    await target.end({ timeout: 5 });
  }
}

function untilOf(at: bigint | Date | null, point: BackupPoint): Until {
  const position = BigInt(point.position);
  if (at === null) return { position };
  if (at instanceof Date) return { position, time: at };
  if (at > position) throw new BackupRefused(`The backup ends at position ${position}.`);
  return { position: at };
}

/** A key that is made here would open nothing that is restored. */
async function existingMasterKeys({ config }: RestoreOptions): Promise<RootKeysOptions> {
  const keys = await givenMasterKeys(config);
  if (keys) return keys;
  throw new BackupRefused(
    'The master key is needed, which no backup contains: set MASTER_KEY, or put the file master.key into the data folder.',
  );
}

/** Rows fit only tables of the same shape. */
async function refuseOtherRelease(target: Sql, { steps, release }: BackupPoint): Promise<void> {
  for (const [schema, wanted] of Object.entries(steps)) {
    if (wanted !== (await target.begin((tx) => migrationsOf(tx, schema))))
      throw new BackupRefused(
        `The backup was made by another release (${release}). Restore it with that release, then upgrade.`,
      );
  }
}

async function refuseOtherKey(reader: BackupReader, { tables }: BackupPoint, masters: RootKeysOptions): Promise<void> {
  const table = tables.find(({ schema, name }) => schema === 'vault' && name === 'root_wrappings');
  if (!table) throw new BrokenBackup('manifest.json', 'the root keys of the vault are not in it');
  const [root, master, wrapped] = ['root', 'master', 'wrapped'].map((column) => table.columns.indexOf(column));
  let text = '';
  for await (const chunk of reader.contentOf(table)) text += chunk.toString('latin1');
  const wrappings = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'))
    .map((values) => ({
      root: Number(values[root as number]),
      master: values[master as number] ?? '',
      wrapped: values[wrapped as number] ?? '',
    }));
  const fits = await opensRoots(wrappings, masters).catch((error) => {
    if (!(error instanceof MasterKeyUnavailable)) throw error;
    throw new BackupRefused(`${error.message} What to do: ${error.advice}.`);
  });
  if (fits) return;
  throw new BackupRefused('The master key is not the one of the service that was backed up. Restore the right one.');
}

async function inOneStep<T>(target: Sql, work: (tx: TransactionSql) => Promise<T>): Promise<T> {
  let cause: unknown;
  try {
    const { value } = await target.begin(async (tx) => {
      const value = await work(tx).catch(async (error) => {
        cause = error;
        // A COPY that was cut short would let the rollback wait for its end.
        await target.end({ timeout: 0 });
        throw error;
      });
      return { value };
    });
    return value;
  } catch (error) {
    throw cause ?? error;
  }
}

async function fill(
  to: TransactionSql,
  reader: BackupReader,
  tables: readonly BackedUpTable[],
  check: ChainCheck,
): Promise<number> {
  await to`select set_config(name, '0', true) from unnest(array['statement_timeout', 'idle_in_transaction_session_timeout']) name`;
  await emptyTarget(to, ['vault', 'desk']);
  let rows = 0;
  for (const table of tables) {
    const columns = table.columns.map((column) => `"${column}"`).join(', ');
    const copying = to.unsafe(`copy ${quoted(table)} (${columns}) from stdin`);
    const refused = refusalOf(copying);
    await Promise.race([pipeline(reader.contentOf(table), await copying.writable()), refused]);
    const filled = await countRows(table, to);
    if (filled !== table.rows) throw new BrokenBackup(table.file, `it has ${filled} rows instead of ${table.rows}`);
    rows += filled;
  }
  await keepWithinLog(to, check);
  return rows;
}

const ROOM = 'room-';
/** Streams in one statement. */
const BATCH = 10_000;

/** What the desk knows of events that are not in the log: deliveries and read marks end where their room ends. */
async function keepWithinLog(to: TransactionSql, check: ChainCheck): Promise<void> {
  await to`create temporary table room_ends (room text primary key, revision bigint not null) on commit drop`;
  let batch: (readonly [room: string, revision: string])[] = [];
  const flush = async () => {
    const [rooms, revisions] = [batch.map(([room]) => room), batch.map(([, revision]) => revision)];
    await to`insert into room_ends select * from unnest(${rooms}::text[], ${revisions}::bigint[])`;
    batch = [];
  };
  for (const [stream, revision] of check.lastRevisions()) {
    if (stream.startsWith(ROOM)) batch.push([stream.slice(ROOM.length), `${revision}`]);
    if (batch.length === BATCH) await flush();
  }
  await flush();
  await to`
    update desk.webhook_deliveries d set through = coalesce((select revision from room_ends where room = d.room_id::text), -1)
     where through > coalesce((select revision from room_ends where room = d.room_id::text), -1)`;
  await to`
    update desk.read_marks m set revision = coalesce((select revision from room_ends where room = m.room_id), -1)
     where revision > coalesce((select revision from room_ends where room = m.room_id), -1)`;
}
