import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import { about } from '../config.js';

/**
 * The oldest release that can share a database with this one: that release works with our tables and ignores what it does
 * not know. Raised only by a release that removes something no release since then has used (docs/operations.md, "Versions
 * side by side").
 */
const OLDEST_BESIDE = '0.1.0';

/** This release is incompatible with the database or with processes that use it. The message is a sentence for the operator. */
export class IncompatibleDatabase extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'IncompatibleDatabase';
  }
}

/** The releases that a database supports. */
export interface Releases {
  /** The newest release that has migrated its tables. */
  readonly newest: string;
  /** The oldest release that its tables still support. */
  readonly oldest: string;
}

/** This release, as a database records it. */
export const thisRelease: Releases = { newest: about.version, oldest: OLDEST_BESIDE };

/**
 * Throws IncompatibleDatabase if the database is incomplete, its tables no longer support this release, or a release that
 * is incompatible with ours is using it. Call it before anything else uses the connection.
 */
export async function refuseIncompatible(sql: Sql, { own = thisRelease, filling = false } = {}): Promise<void> {
  const unfinished = await sql`select from pg_namespace where nspname in ('verbatim_copy', 'verbatim_restore')`;
  if (unfinished.length > 0 && !filling)
    throw new IncompatibleDatabase(
      'This database was not filled completely: run the interrupted restore or copy again.',
    );
  const found = await releasesOf(sql);
  if (!found) return;
  if (isOlder(own.newest, found.oldest))
    throw new IncompatibleDatabase(
      `This database was upgraded to release ${found.newest}, which needs ${found.oldest} or later, and this is ${own.newest}: ` +
        'start a later release, or restore a backup.',
    );
  if (isOlder(found.newest, own.oldest) && (await isInUse(sql)))
    throw new IncompatibleDatabase(
      `Processes of release ${found.newest} use this database, and ${own.newest} can only run beside ${own.oldest} or later: ` +
        `stop them, or upgrade to ${own.oldest} first.`,
    );
}

/** Records that the tables are those of this release, unless a later release has recorded itself. */
export async function noteRelease(sql: Sql, own = thisRelease): Promise<void> {
  await migrate(sql, 'desk', 'releases', [
    `create table desk.releases (
       only_row boolean primary key default true check (only_row), newest text not null, oldest text not null)`,
  ]);
  const found = await releasesOf(sql);
  if (found && !isOlder(found.newest, own.newest)) return;
  await sql`
    insert into desk.releases (newest, oldest) values (${own.newest}, ${own.oldest})
    on conflict (only_row) do update set newest = excluded.newest, oldest = excluded.oldest`;
}

async function releasesOf(sql: Sql): Promise<Releases | null> {
  const [{ there } = { there: false }] = await sql`select to_regclass('desk.releases') is not null as there`;
  if (!there) return null;
  const [row] = await sql<Releases[]>`select newest, oldest from desk.releases`;
  return row ?? null;
}

async function isInUse(sql: Sql): Promise<boolean> {
  const others = await sql`
    select from pg_stat_activity
     where datname = current_database() and application_name = 'verbatim' and pid <> pg_backend_pid() limit 1`;
  return others.length > 0;
}

/** Whether one release, `major.minor.patch`, came before another. */
export function isOlder(one: string, other: string): boolean {
  const [a, b] = [numbersOf(one), numbersOf(other)];
  const place = a.findIndex((part, index) => part !== b[index]);
  return place >= 0 && (a[place] as number) < (b[place] as number);
}

const numbersOf = (version: string): number[] => (/^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
