import type { Sql } from 'postgres';

/** What only the streams of the administrators can answer for certain. */
export interface AdministratorsKnown {
  /** Who may be an active administrator. */
  candidates(): Promise<readonly string[]>;
  /** Whether a user is one now. */
  isOne(userId: string): Promise<boolean>;
}

/** Seconds after which an unconfirmed departure no longer counts. */
const ABANDONED_AFTER_SECONDS = 60;

/**
 * Ensures that an active administrator remains. Each administrator is a separate stream, so two who demote each other would
 * both succeed. Therefore a departure is first recorded here, in one statement that locks all rows and finds another
 * administrator who is not leaving.
 *
 * A row without `leaving_at` is certainly an active administrator: it is written only after reading the stream, and only if
 * nothing was recorded meanwhile. Administrators without a row do not count yet; they are searched for when no one else is
 * left.
 */
export class Administrators {
  constructor(
    private readonly sql: Sql,
    private readonly known: AdministratorsKnown,
  ) {}

  /**
   * Records that an administrator is about to leave. `last`: no other would remain. `busy`: whether another remains is being
   * decided now, or was called off less than a minute ago.
   */
  async leave(userId: string): Promise<'noted' | 'last' | 'busy'> {
    if (await this.noteLeaving(userId)) return 'noted';
    const undecided = await this.lookAround(userId);
    if (await this.noteLeaving(userId)) return 'noted';
    return undecided ? 'busy' : 'last';
  }

  private async noteLeaving(userId: string): Promise<boolean> {
    const noted = await this.sql`
      with seats as (select user_id, leaving_at from vault.administrators order by user_id for update)
      insert into vault.administrators as seat (user_id, leaving_at)
      select ${userId}, clock_timestamp() where exists (select 1 from seats where user_id <> ${userId} and leaving_at is null)
      on conflict (user_id) do update set leaving_at = excluded.leaving_at
      returning 1`;
    return noted.length > 0;
  }

  /** Finds another administrator who remains. Otherwise returns whether one might still remain. */
  private async lookAround(leaving: string): Promise<boolean> {
    let undecided = false;
    for (const id of await this.known.candidates()) {
      if (id === leaving) continue;
      const [seat] = await this.sql<{ noted: string | null; recent: boolean | null }[]>`
        select leaving_at::text as noted, leaving_at > now() - make_interval(secs => ${ABANDONED_AFTER_SECONDS}) as recent
        from vault.administrators where user_id = ${id}`;
      if (!(await this.known.isOne(id))) continue;
      if (seat?.recent) undecided = true;
      else {
        await this.sql`
          insert into vault.administrators as seat (user_id) values (${id})
          on conflict (user_id) do update set leaving_at = null where seat.leaving_at::text = ${seat?.noted ?? null}`;
        return false;
      }
    }
    return undecided;
  }
}
