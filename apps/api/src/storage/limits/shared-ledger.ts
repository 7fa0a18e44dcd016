import type { TroubleLog } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import type { Allowance, Ledger } from '../../limits/allowance.js';

/** Milliseconds between two settlements. */
const SETTLE = 1_000;
/** Allowances in one statement. */
const MOST = 1_000;

/**
 * Has the replicas' allowances make up one. Each replica gives credit from its own memory, and every second tells the
 * database what was spent, which answers what all have spent together. So nobody waits for a limit, what several replicas
 * give too much of in one second is paid back in the next, and while a replica is alone the database is not asked at all.
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
          this.log.warn({ err: error }, 'Limits could not be settled with the other replicas; each goes by its own.');
        });
    }, SETTLE).unref();
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
    const told = spent.map((allowance) => ({ allowance, milliseconds: allowance.tell() }));
    if (this.otherReplicas() === 0) return;
    for (let from = 0; from < told.length; from += MOST) await this.tell(told.slice(from, from + MOST));
  }

  private async tell(told: readonly { allowance: Allowance; milliseconds: number }[]): Promise<void> {
    const keys = told.map(({ allowance }) => allowance.key);
    const microseconds = told.map(({ milliseconds }) => Math.ceil(milliseconds * 1_000));
    // In the same order everywhere, so that two replicas never wait for each other's rows.
    const rows = await this.sql<{ key: string; milliseconds: number }[]>`
      insert into desk.allowances as known (key, full_at)
      select key, statement_timestamp() + make_interval(secs => cost / 1e6)
      from unnest(${keys}::text[], ${microseconds}::bigint[]) as spent (key, cost) order by key
      on conflict (key) do update set
        full_at = greatest(known.full_at, statement_timestamp()) + (excluded.full_at - statement_timestamp())
      returning key, extract(epoch from full_at - statement_timestamp())::float8 * 1000 as milliseconds`;
    const debts = new Map(rows.map(({ key, milliseconds }) => [key, milliseconds]));
    for (const { allowance } of told) allowance.learn(debts.get(allowance.key) ?? 0);
  }
}
