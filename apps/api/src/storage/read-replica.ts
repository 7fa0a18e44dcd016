import { outageOf, settledInTime } from '@verbatim/event-store';
import type { Logger } from 'pino';
import type { Sql } from 'postgres';

export const replicaLimits = {
  /** Milliseconds that a read waits for the replica to catch up before it goes to the primary. */
  patience: 250,
  /** Milliseconds between checks while it waits. */
  look: 5,
  /** Milliseconds for the replica to respond at all. */
  answer: 1_000,
  /** Milliseconds that a list or search may take on the replica before it goes to the primary. */
  read: 10_000,
  /** Milliseconds for which the replica is not used after it was unavailable or behind. */
  rest: 5_000,
} as const;

/**
 * A standby of the database, for lists and searches. A read goes there only when the standby has replayed everything that
 * the primary had stored when the read began. So it is as current as a read of the primary: it shows what was just written,
 * and nothing that was redacted meanwhile.
 */
export class ReadReplica {
  /** Since when lists are read from the primary instead; null if they are not. */
  private awaySince: number | null = null;
  private restsUntil = 0;
  /** System identifier of the primary, which the replica must share. */
  private cluster: string | null = null;

  constructor(
    private readonly primary: Sql,
    readonly sql: Sql,
    private readonly log: Pick<Logger, 'warn' | 'info'>,
  ) {}

  get inUse(): boolean {
    return this.awaySince === null;
  }

  /** Runs `read` on the replica if it is current, and on the primary otherwise or when the replica fails. */
  async read<T>(read: (sql: Sql) => Promise<T>): Promise<T> {
    if (!(await this.current())) return read(this.primary);
    try {
      return await settledInTime(read(this.sql), replicaLimits.read, () => new Unfit('it takes too long'));
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== null) this.suspend(reason);
      // If the replica was not at fault, the primary fails the same way.
      return read(this.primary);
    }
  }

  private async current(): Promise<boolean> {
    if (Date.now() < this.restsUntil) return false;
    // While it is being checked again, other reads do not wait for it.
    if (!this.inUse) this.restsUntil = Date.now() + replicaLimits.rest;
    const stored = await this.stored();
    try {
      await this.reaches(stored);
      this.resume();
      return true;
    } catch (error) {
      this.suspend(reasonOf(error) ?? (error as Error).message);
      return false;
    }
  }

  /** How far the primary has flushed its write-ahead log: past everything that any client can have seen. */
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

  private resume(): void {
    this.restsUntil = 0;
    if (this.awaySince === null) return;
    const seconds = Number(((Date.now() - this.awaySince) / 1_000).toFixed(1));
    this.awaySince = null;
    this.log.info({ seconds }, 'Lists and searches are read from the replica again.');
  }

  private suspend(reason: string): void {
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

/** Why an error disqualifies the replica; null if it does not, such as when a query conflicted with recovery. */
function reasonOf(error: unknown): string | null {
  if (error instanceof Unfit) return error.message;
  const outage = outageOf(error);
  return outage?.kind === 'away' ? outage.reason : null;
}
