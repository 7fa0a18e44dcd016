import { setTimeout as sleep } from 'node:timers/promises';
import type { TroubleLog } from '../trouble-log.js';
import { pauseBeforeRetry } from '../waiting.js';
import { DatabaseClient } from './database-client.js';

const channel = 'verbatim_log';

/** Milliseconds between two notifications. */
const spacing = 5;

/**
 * Tells other processes that the log has grown, by NOTIFY and LISTEN. News may be lost and says nothing but up to which
 * position there is something to read. It is sent after the commit and not within it, where PostgreSQL would let
 * commits wait for each other, and what happens while one notification is under way is told by the next.
 */
export class CommitNews {
  private latest = -1n;
  private announcing = false;
  private listener: DatabaseClient | undefined;
  private lost = () => {};
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

  /** Starts to listen, if that has not been done. `hear` is called without a position when news may have been missed. */
  listen(hear: (position?: bigint) => void): void {
    if (this.listener || this.closing.signal.aborted) return;
    this.listener = new DatabaseClient(this.directUrl, {
      connections: 1,
      patience: 5_000,
      onnotify: (_, position) => hear(BigInt(position)),
      onclose: () => this.lost(),
    });
    void this.keepListening(this.listener, hear);
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.lost();
    await this.listener?.close();
  }

  private async announceLatest(): Promise<void> {
    this.announcing = true;
    for (let told = -1n; told < this.latest && !this.closing.signal.aborted; ) {
      told = this.latest;
      // Whoever misses this finds the events by polling.
      await this.client.ask((sql) => sql`select pg_notify(${channel}, ${`${told}`})`).catch(() => {});
      await sleep(spacing);
    }
    this.announcing = false;
  }

  private async keepListening(client: DatabaseClient, hear: () => void): Promise<void> {
    const { signal } = this.closing;
    for (let failures = 0, first = true; !signal.aborted; failures++) {
      const connectionLost = new Promise<void>((resolve) => {
        this.lost = resolve;
      });
      try {
        await client.ask((sql) => sql`listen ${sql(channel)}`);
        if (!first) this.onReconnect?.();
        first = false;
        failures = 0;
        hear();
        await connectionLost;
      } catch (error) {
        if (!signal.aborted)
          this.log.warn({ err: error, failures }, 'Cannot listen for news of the log; trying again.');
      }
      await pauseBeforeRetry(failures, signal);
    }
  }
}
