import { setTimeout as sleep } from 'node:timers/promises';
import type { TroubleLog } from '../trouble-log.js';
import type { DatabaseClient } from './database-client.js';
import { Listener } from './listener.js';

const CHANNEL = 'verbatim_log';

/** At least this long between two notifications. */
const SPACING_MS = 5;

/**
 * Notifies other processes that the log has grown. A notification may be lost and says only up to which position there is
 * something to read. It is sent after the commit and not within it, where PostgreSQL would make commits wait for each other,
 * and whatever happens while one notification is under way is covered by the next.
 */
export class CommitNews {
  private latest = -1n;
  private announcing = false;
  private listener: Listener | undefined;
  private readonly closing = new AbortController();

  constructor(
    private readonly client: DatabaseClient,
    private readonly directUrl: string,
    private readonly log: TroubleLog,
    private readonly onReconnect?: () => void,
  ) {}

  announce(position: bigint): void {
    if (position <= this.latest) return;
    this.latest = position;
    if (!this.announcing) void this.announceLatest();
  }

  /** Starts to listen unless it already does. `heard` is called without a position when notifications may have been missed. */
  listen(heard: (position?: bigint) => void): void {
    if (this.listener || this.closing.signal.aborted) return;
    this.listener = new Listener({
      directUrl: this.directUrl,
      channel: CHANNEL,
      log: this.log,
      heard: (position) => heard(BigInt(position)),
      listening: (again) => {
        if (again) this.onReconnect?.();
        heard();
      },
    });
    this.listener.start();
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.listener?.close();
  }

  private async announceLatest(): Promise<void> {
    this.announcing = true;
    for (let announced = -1n; announced < this.latest && !this.closing.signal.aborted; ) {
      announced = this.latest;
      // Processes that miss it find the events by polling.
      await this.client.ask((sql) => sql`select pg_notify(${CHANNEL}, ${`${announced}`})`).catch(() => {});
      await sleep(SPACING_MS);
    }
    this.announcing = false;
  }
}
