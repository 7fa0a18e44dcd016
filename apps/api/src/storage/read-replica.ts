import { outageOf, settledInTime } from '@verbatim/event-store';
import type { Logger } from 'pino';
import type { Sql } from 'postgres';

export const replicaLimits = {
  /** Milliseconds that a read waits for the replica to have what the primary has; then it goes to the primary. */
  patience: 250,
  /** Milliseconds between two looks meanwhile. */
  look: 5,
  /** Milliseconds in which the replica has to answer at all. */
  answer: 1_000,
  /** Milliseconds that a list or search may take there before it is asked of the primary. */
  read: 10_000,
  /** Milliseconds for which the replica is left alone after it was away or behind. */
  rest: 5_000,
} as const;

/**
 * A standby of the database, for lists and searches. A read goes there only when the standby has replayed everything that
 * the primary had stored when the read began. So it shows as much as a read of the primary: what somebody has just
 * written, and nothing that was redacted meanwhile.
 */
export class ReadReplica {
  /** Since when lists are read from the primary instead; null: they are not. */
  private awaySince: number | null = null;
  private restsUntil = 0;
  /** Which the primary is a server of, and the replica has to be. */
  private cluster: string | null = null;

  constructor(
    private readonly primary: Sql,
    readonly sql: Sql,
    private readonly log: Pick<Logger, 'warn' | 'info'>,
  ) {}

  get inUse(): boolean {
    return this.awaySince === null;
  }

  /** Asks `read` of the replica if it is current, and of the primary otherwise or when the replica fails. */
  async read<T>(read: (sql: Sql) => Promise<T>): Promise<T> {
    if (!(await this.current())) return read(this.primary);
    try {
      return await settledInTime(read(this.sql), replicaLimits.read, () => new Unfit('it takes too long'));
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== null) this.leave(reason);
      // If it was not the fault of the replica, the primary says the same.
      return read(this.primary);
    }
  }

  private async current(): Promise<boolean> {
    if (Date.now() < this.restsUntil) return false;
    // While it is looked at again, other reads do not wait for it.
    if (!this.inUse) this.restsUntil = Date.now() + replicaLimits.rest;
    const stored = await this.stored();
    try {
      await this.reaches(stored);
      this.take();
      return true;
    } catch (error) {
      this.leave(reasonOf(error) ?? (error as Error).message);
      return false;
    }
  }

  /** How far the primary has stored its write-ahead log: past everything that anybody can have seen. */
  private async stored(): Promise<string> {
    if (this.cluster === null) {
      const [row] = await this.primary<{ id: string }[]>`select system_identifier::text as id from pg_control_system()`;
      this.cluster = row?.id ?? null;
    }
    const [row] = await this.primary<{ at: string }[]>`select pg_current_wal_flush_lsn()::text as at`;
    return row?.at ?? '';
  }

  /** Resolves when the replica has everything up to `stored`. */
  private async reaches(stored: string): Promise<void> {
    for (const end = Date.now() + replicaLimits.patience; ; ) {
      const [row] = await settledInTime(
        this.sql<{ standby: boolean; reached: boolean; cluster: string }[]>`
          select pg_is_in_recovery() as standby, pg_last_wal_replay_lsn() >= ${stored}::text::pg_lsn as reached,
                 (select system_identifier::text from pg_control_system()) as cluster`,
        replicaLimits.answer,
        () => new Unfit('it does not answer'),
      );
      if (!row?.standby || row.cluster !== this.cluster) throw new Unfit('it is not a standby of the primary');
      if (row.reached) return;
      if (Date.now() > end) throw new Unfit('it is behind');
      await new Promise((resolve) => setTimeout(resolve, replicaLimits.look));
    }
  }

  private take(): void {
    this.restsUntil = 0;
    if (this.awaySince === null) return;
    const seconds = Number(((Date.now() - this.awaySince) / 1_000).toFixed(1));
    this.awaySince = null;
    this.log.info({ seconds }, 'Lists and searches are read from the replica again.');
  }

  private leave(reason: string): void {
    this.restsUntil = Date.now() + replicaLimits.rest;
    if (this.awaySince !== null) return;
    this.awaySince = Date.now();
    this.log.warn(
      { reason },
      `Lists and searches are read from the primary, because the replica cannot be used: ${reason}.`,
    );
  }
}

/** Why the replica is not read from, in a few words. */
class Unfit extends Error {}

/** What an error says against the replica; null: nothing, as when a query there was in the way of what it replays. */
function reasonOf(error: unknown): string | null {
  if (error instanceof Unfit) return error.message;
  const outage = outageOf(error);
  return outage?.kind === 'away' ? outage.reason : null;
}
