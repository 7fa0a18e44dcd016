import type { TroubleLog } from '@verbatim/event-store';
import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';

/** How many people and sockets are connected, in all replicas. */
export interface Load {
  readonly people: number;
  readonly sockets: number;
}

export interface LoadSample extends Load {
  /** Start of the quarter-hour, RFC 3339. */
  readonly at: string;
}

const SLOT_MS = 15 * 60_000;
const DAY_MS = 86_400_000;
/** Days for which samples are kept, at most 96 rows each. */
const KEEP_DAYS = 30;
const SAMPLE_EVERY_MS = 60_000;

/**
 * How many people were connected over time: the maximum of each quarter-hour. No event records it, so every replica samples
 * it once a minute for all replicas, and the highest number is kept.
 */
export class LoadHistory {
  private timer: ReturnType<typeof setInterval> | undefined;

  private constructor(
    private readonly sql: Sql,
    private readonly clock: Clock,
  ) {}

  static async open(sql: Sql, clock: Clock): Promise<LoadHistory> {
    await migrate(sql, 'desk', 'load history', [
      'create table desk.load_history (at timestamptz primary key, people int not null, sockets int not null)',
    ]);
    return new LoadHistory(sql, clock);
  }

  /** Samples immediately, then once a minute until `stop`. */
  start(load: () => Load, log: TroubleLog): void {
    const sample = () =>
      this.note(load()).catch((error) => log.warn({ err: error }, 'the number of connections was not recorded'));
    void sample();
    this.timer = setInterval(sample, SAMPLE_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  async note({ people, sockets }: Load): Promise<void> {
    const slot = new Date(Math.floor(this.clock().getTime() / SLOT_MS) * SLOT_MS);
    await this.sql`
      insert into desk.load_history as known (at, people, sockets) values (${slot}, ${people}, ${sockets})
      on conflict (at) do update set
        people = greatest(known.people, excluded.people), sockets = greatest(known.sockets, excluded.sockets)
        where known.people < excluded.people or known.sockets < excluded.sockets`;
  }

  /** The samples of the last day, oldest first. */
  async lastDay(): Promise<LoadSample[]> {
    const rows = await this.sql<{ at: Date; people: number; sockets: number }[]>`
      select at, people, sockets from desk.load_history
      where at > ${this.before(DAY_MS)} and at <= ${this.before(0)} order by at`;
    return rows.map(({ at, ...load }) => ({ at: at.toISOString(), ...load }));
  }

  async sweep(): Promise<void> {
    await this.sql`delete from desk.load_history where at < ${this.before(KEEP_DAYS * DAY_MS)}`;
  }

  private before(ms: number): Date {
    return new Date(this.clock().getTime() - ms);
  }
}
