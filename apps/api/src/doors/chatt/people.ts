import type { Sql } from 'postgres';
import type { Migration } from '../../composition/migration.js';
import type { Directory } from '../../storage/directory.js';
import type { ShownNames } from './shown-names.js';

/** Minutes of silence after which a person counts as gone. */
export const SILENT_MINUTES = 10;
/** Seconds during which another sign of life is neither stored nor announced. */
const FRESH_SECONDS = 30;
/** Maximum number of people in the list. */
const MOST = 1_000;

export const peopleMigration: Migration = {
  schema: 'desk',
  name: 'chatt people',
  statements: [
    `create table desk.chatt_people (user_id uuid primary key, heard_at timestamptz not null);
     create index chatt_people_heard on desk.chatt_people (heard_at)`,
  ],
};

/**
 * The people present at this door, on all replicas: those who greeted or said something in the last ten minutes. Names are not
 * stored.
 */
export class People {
  private readonly fresh = new Map<string, number>();

  constructor(
    private readonly sql: Sql,
    private readonly directory: Directory,
    private readonly names: ShownNames,
  ) {}

  /** Records a sign of life. Returns whether it was news. */
  async heard(userId: string): Promise<boolean> {
    const now = performance.now();
    const before = this.fresh.get(userId);
    if (before !== undefined && now - before < FRESH_SECONDS * 1_000) return false;
    this.fresh.set(userId, now);
    await this.sql`
      insert into desk.chatt_people (user_id, heard_at) values (${userId}, now())
      on conflict (user_id) do update set heard_at = excluded.heard_at`;
    return true;
  }

  /** A person leaves. Returns whether they were present. */
  async gone(userId: string): Promise<boolean> {
    this.fresh.delete(userId);
    const { count } = await this.sql`delete from desk.chatt_people where user_id = ${userId}`;
    return count > 0;
  }

  /** The names of the people present. */
  async present(): Promise<string[]> {
    const rows = await this.sql<{ user_id: string }[]>`
      select user_id from desk.chatt_people where heard_at > now() - make_interval(mins => ${SILENT_MINUTES})
      order by heard_at desc limit ${MOST}`;
    return this.namesOf(rows.map(({ user_id }) => user_id));
  }

  /** Removes people who have gone silent and returns their names, on one replica only. */
  async takeSilent(): Promise<string[]> {
    const cut = performance.now() - SILENT_MINUTES * 60_000;
    for (const [userId, heard] of this.fresh) if (heard < cut) this.fresh.delete(userId);
    const rows = await this.sql<{ user_id: string }[]>`
      delete from desk.chatt_people where heard_at < now() - make_interval(mins => ${SILENT_MINUTES}) returning user_id`;
    return this.namesOf(rows.map(({ user_id }) => user_id));
  }

  private async namesOf(userIds: readonly string[]): Promise<string[]> {
    const people = await this.directory.people(userIds);
    const names = await Promise.all([...people.values()].map((person) => this.names.of(person)));
    return [...new Set(names)].filter((name) => name !== '');
  }
}
