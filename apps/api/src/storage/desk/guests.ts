import type { Sql } from 'postgres';

/** When each guest was last used, to within an hour. */
export class GuestUse {
  constructor(private readonly sql: Sql) {}

  async note(userId: string): Promise<void> {
    await this.sql`
      insert into desk.guests as known (user_id, used_at) values (${userId}, now())
      on conflict (user_id) do update set used_at = excluded.used_at where known.used_at < now() - interval '1 hour'`;
  }

  /** Guests not used for this many hours, those not used for longest first. */
  async unused(hours: number, most: number): Promise<string[]> {
    const rows = await this.sql<{ user_id: string }[]>`
      select user_id from desk.guests where used_at < now() - make_interval(hours => ${hours})
      order by used_at limit ${most}`;
    return rows.map(({ user_id }) => user_id);
  }

  /** Forgets a guest, if still unused for that long. */
  async forget(userId: string, hours: number): Promise<void> {
    await this.sql`
      delete from desk.guests where user_id = ${userId} and used_at < now() - make_interval(hours => ${hours})`;
  }
}
