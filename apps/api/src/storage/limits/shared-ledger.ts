import type { TroubleLog } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import type { Allowance, Ledger } from '../../limits/allowance.js';

/** How often the spending of the replicas is settled. */
const SETTLE_EVERY_MS = 1_000;
/** Maximum number of allowances in one statement. */
const BATCH = 1_000;

/**
 * Shares allowances between replicas. Each replica decides from memory and every second reports its spending to the database,
 * which returns the total. So no request waits for a limit, overspending of several replicas is corrected within a second,
 * and a single replica never queries the database.
 */
export class SharedLedger implements Ledger {
  private spent = new Set<Allowance>();
  private timer: NodeJS.Timeout | null = null;
  private settling: Promise<void> = Promise.resolve();

  constructor(
    private readonly sql: Sql,
    private readonly otherReplicas: () => number,
    private readonly log: TroubleLog,
  ) {}

  note(allowance: Allowance): void {
    this.spent.add(allowance);
  }

  start(): void {
    this.timer = setInterval(() => {
      this.settling = this.settling
        .then(() => this.settle())
        .catch((error) => {
          this.log.warn({ err: error }, 'limits could not be settled with the other replicas; each applies its own');
        });
    }, SETTLE_EVERY_MS).unref();
  }

  async stop(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    await this.settling;
  }

  async sweep(): Promise<void> {
    await this.sql`delete from desk.allowances where full_at < now()`;
  }

  private async settle(): Promise<void> {
    const spent = [...this.spent];
    this.spent = new Set();
    const reports = spent.map((allowance) => ({ allowance, milliseconds: allowance.report() }));
    if (this.otherReplicas() === 0) return;
    for (let from = 0; from < reports.length; from += BATCH) await this.report(reports.slice(from, from + BATCH));
  }

  private async report(reports: readonly { allowance: Allowance; milliseconds: number }[]): Promise<void> {
    const keys = reports.map(({ allowance }) => allowance.key);
    const microseconds = reports.map(({ milliseconds }) => Math.ceil(milliseconds * 1_000));
    // Sorted, so that replicas never deadlock.
    const rows = await this.sql<{ key: string; milliseconds: number }[]>`
      insert into desk.allowances as known (key, full_at)
      select key, statement_timestamp() + make_interval(secs => cost / 1e6)
      from unnest(${keys}::text[], ${microseconds}::bigint[]) as spent (key, cost) order by key
      on conflict (key) do update set
        full_at = greatest(known.full_at, statement_timestamp()) + (excluded.full_at - statement_timestamp())
      returning key, extract(epoch from full_at - statement_timestamp())::float8 * 1000 as milliseconds`;
    const debts = new Map(rows.map(({ key, milliseconds }) => [key, milliseconds]));
    for (const { allowance } of reports) allowance.adjust(debts.get(allowance.key) ?? 0);
  }
}
