import type { ErasureScope } from '@verbatim/domain';
import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';

/** An erasure that has begun but not finished, or that has failed so far. */
export interface ErasureUnderWay {
  readonly id: string;
  readonly scope: ErasureScope;
  /** From its `ErasureBegan` event; null if it has not begun yet. */
  readonly beganAt: string | null;
  /** Why the last attempt failed; null if it has made progress since. */
  readonly problem: string | null;
  /** Failed attempts. */
  readonly failures: number;
  /** Keys destroyed so far; a batch during which a process died may not be counted. */
  readonly keys: number;
}

/**
 * The erasures that every process must know about before it opens the first event, and their progress. All of it derives
 * from the register in the log: if it is lost, the next attempt restores it.
 */
export class ErasuresUnderWay {
  private constructor(private readonly sql: Sql) {}

  static async open(sql: Sql): Promise<ErasuresUnderWay> {
    await migrate(sql, 'desk', 'erasures', [
      `create table desk.erasures_under_way (
         erasure_id text primary key, scope text not null, began_at text, problem text, failures int not null default 0,
         keys int not null default 0, tried_at timestamptz not null default now())`,
    ]);
    return new ErasuresUnderWay(sql);
  }

  async all(): Promise<ErasureUnderWay[]> {
    const rows = await this.sql<(Omit<ErasureUnderWay, 'scope'> & { scope: string })[]>`
      select erasure_id as id, scope, began_at as "beganAt", problem, failures, keys from desk.erasures_under_way
      order by erasure_id`;
    return rows.map((row) => ({ ...row, scope: JSON.parse(row.scope) as ErasureScope }));
  }

  /** Records that an erasure has begun. */
  async begin(id: string, scope: ErasureScope, beganAt: string): Promise<void> {
    await this.sql`
      insert into desk.erasures_under_way (erasure_id, scope, began_at) values (${id}, ${JSON.stringify(scope)}, ${beganAt})
      on conflict (erasure_id) do update set began_at = excluded.began_at`;
  }

  /** Records that an attempt failed, and why. */
  async fail(id: string, scope: ErasureScope, problem: string): Promise<void> {
    await this.sql`
      insert into desk.erasures_under_way as u (erasure_id, scope, problem, failures)
      values (${id}, ${JSON.stringify(scope)}, ${problem}, 1)
      on conflict (erasure_id) do update set problem = excluded.problem, failures = u.failures + 1, tried_at = now()`;
  }

  /** Records that more keys were destroyed, which counts as progress. */
  async destroyed(id: string, keys: number): Promise<void> {
    await this.sql`
      update desk.erasures_under_way set keys = keys + ${keys}, problem = null where erasure_id = ${id}`;
  }

  async finish(id: string): Promise<void> {
    await this.sql`delete from desk.erasures_under_way where erasure_id = ${id}`;
  }
}
