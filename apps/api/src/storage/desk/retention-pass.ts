import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';

/** Progress of a scan through all rooms for what is due for erasure. */
export interface RetentionPass {
  /** The day it scans for, such as `2026-01-31`, in UTC. */
  readonly day: string;
  /** Identifies the rules and holds it applies; when they change, it starts over. */
  readonly basis: string;
  /** Stream of the last room scanned; null when all have been. */
  readonly cursor: string | null;
  /** Rooms scanned, erasures requested, and rooms skipped because of a hold. */
  readonly looked: number;
  readonly requested: number;
  readonly held: number;
}

/** Stores one pass, so that another replica can continue it. */
export class RetentionPasses {
  private constructor(private readonly sql: Sql) {}

  static async open(sql: Sql): Promise<RetentionPasses> {
    await migrate(sql, 'desk', 'retention', [
      `create table desk.retention_pass (
         only_row boolean primary key default true check (only_row), day text not null, basis text not null, cursor text,
         looked int not null, requested int not null, held int not null)`,
    ]);
    return new RetentionPasses(sql);
  }

  async newest(): Promise<RetentionPass | null> {
    const [row] = await this.sql<RetentionPass[]>`
      select day, basis, cursor, looked, requested, held from desk.retention_pass`;
    return row ?? null;
  }

  async keep({ day, basis, cursor, looked, requested, held }: RetentionPass): Promise<void> {
    await this.sql`
      insert into desk.retention_pass (day, basis, cursor, looked, requested, held)
      values (${day}, ${basis}, ${cursor}, ${looked}, ${requested}, ${held})
      on conflict (only_row) do update set day = excluded.day, basis = excluded.basis, cursor = excluded.cursor,
        looked = excluded.looked, requested = excluded.requested, held = excluded.held`;
  }
}
