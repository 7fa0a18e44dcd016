import type { Sql } from 'postgres';
import { median } from './table.js';

/**
 * What the database does with the same rows by itself: messages that the service has stored are inserted over and over,
 * under new places, into a table of the same form with the same indexes.
 */
export class Inserts {
  private next = 0;

  static async prepare(sql: Sql): Promise<Inserts> {
    await sql.unsafe(`
      create schema if not exists bench;
      drop table if exists bench.events;
      create table bench.events (like log.events including all) with (autovacuum_enabled = off)`);
    const rows = await sql<Stored[]>`
      select stream, id, type, hash, sealed from log.events where type = 'MessagePosted' order by position desc limit 5000`;
    return new Inserts(sql, rows);
  }

  private constructor(
    private readonly sql: Sql,
    private readonly rows: readonly Stored[],
  ) {}

  /** Milliseconds of an insert of one row, the median of some. */
  async commitTime(): Promise<number> {
    const times: number[] = [];
    for (let i = 0; i < 50; i++) {
      const begun = performance.now();
      await this.insert(1);
      times.push(performance.now() - begun);
    }
    return median(times);
  }

  /** Inserts for some seconds, so many rows in a commit, on so many connections; answers rows, and rows in a second. */
  async repeat(rowsInCommit: number, connections: number, seconds: number): Promise<{ rows: number; rate: number }> {
    await this.sql`truncate bench.events`;
    const first = this.next;
    const begun = performance.now();
    const worker = async () => {
      while (performance.now() < begun + seconds * 1_000) await this.insert(rowsInCommit);
    };
    await Promise.all(Array.from({ length: connections }, worker));
    const rows = this.next - first;
    return { rows, rate: (rows * 1_000) / (performance.now() - begun) };
  }

  /** One commit, as the service writes: arrays that are made rows of. */
  async insert(count: number): Promise<void> {
    const places = Array.from({ length: count }, () => this.next++);
    const rows = places.map((place) => this.rows[place % this.rows.length] as Stored);
    await this.sql`
      insert into bench.events (position, stream, revision, id, type, hash, sealed)
      select * from unnest(
        ${places}::bigint[], ${rows.map(({ stream }) => stream)}::text[], ${places}::bigint[],
        ${rows.map(({ id }) => id)}::uuid[], ${rows.map(({ type }) => type)}::text[],
        ${rows.map(({ hash }) => hash)}::text[], ${rows.map(({ sealed }) => sealed)}::text[])`;
  }
}

interface Stored {
  readonly stream: string;
  readonly id: string;
  readonly type: string;
  readonly hash: string;
  readonly sealed: string;
}
