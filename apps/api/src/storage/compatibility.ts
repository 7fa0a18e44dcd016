import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import { about } from '../config.js';

/**
 * The oldest release that can run beside this one on one database: its tables serve that one, and it ignores what it does not know.
 * Raised only by a release that takes something away which no release since has used (docs/operations.md, "Versions side by side").
 */
const OLDEST_BESIDE = '0.1.0';

/** This release and the database, or processes that run on it, do not go together. The message is a sentence for the operator. */
export class IncompatibleDatabase extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'IncompatibleDatabase';
  }
}

/** What a database needs of those who use it. */
export interface Releases {
  /** The newest release that has brought its tables up to date. */
  readonly newest: string;
  /** The oldest release that its tables serve. */
  readonly oldest: string;
}

/** This release, as a database records it. */
export const thisRelease: Releases = { newest: about.version, oldest: OLDEST_BESIDE };

/**
 * Refuses, with IncompatibleDatabase, a database that is not complete, whose tables no longer serve this release, or that is in
 * use by a release that ours would not serve. To be called before anything else uses the connection.
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
      `Processes of release ${found.newest} use this database, and ${own.newest} runs beside ${own.oldest} or later only: ` +
        `stop them first, or upgrade to ${own.oldest} before.`,
    );
}

/** Records that the tables are those of this release, unless a later one has been here. */
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
