import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';

/** What applications keep for people, wherever they sign in: a text that only the application understands. */
export class Preferences {
  private constructor(private readonly sql: Sql) {}

  static async open(sql: Sql): Promise<Preferences> {
    await migrate(sql, 'desk', 'preferences', [
      'create table desk.preferences (user_id uuid primary key, preferences text not null)',
    ]);
    return new Preferences(sql);
  }

  /** Empty, if nothing was kept. */
  async of(userId: string): Promise<string> {
    const [row] = await this.sql<{ preferences: string }[]>`
      select preferences from desk.preferences where user_id = ${userId}`;
    return row?.preferences ?? '';
  }

  async keep(userId: string, preferences: string): Promise<void> {
    await this.sql`
      insert into desk.preferences (user_id, preferences) values (${userId}, ${preferences})
      on conflict (user_id) do update set preferences = excluded.preferences`;
  }
}
