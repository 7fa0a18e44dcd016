import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';

/** How far the look through all rooms for what is due has come. */
export interface RetentionPass {
  /** For which day it looks, as `2026-01-31` in UTC. */
  readonly day: string;
  /** Of the rules and holds for which it looks; with others it starts over. */
  readonly basis: string;
  /** The stream of the last room that was looked at; null: all were. */
  readonly cursor: string | null;
  /** Rooms looked at, erasures asked for, and rooms in which a hold forbade it. */
  readonly looked: number;
  readonly requested: number;
  readonly held: number;
}

/** Keeps one pass, so that another replica goes on with it. */
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
