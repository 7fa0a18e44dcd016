import { setTimeout as sleep } from 'node:timers/promises';
import type { TroubleLog } from '../trouble-log.js';
import { pauseBeforeRetry } from '../waiting.js';
import { DatabaseClient } from './database-client.js';

/** How long the database may take to answer. */
const PATIENCE_MS = 5_000;
/** How often an idle connection is tried, because a dead network gives no sign of its own. */
const KEEP_ALIVE_MS = 10_000;

export interface ListenerOptions {
  /** Leads to the database itself, because a transaction pooler loses notifications. */
  readonly directUrl: string;
  readonly channel: string;
  readonly log: TroubleLog;
  /** Called with the payload of every notification, including those of this process. */
  readonly heard: (payload: string) => void;
  /** Called whenever listening starts; whatever was sent before may have been missed. `again`: not for the first time. */
  readonly listening: (again: boolean) => void;
  readonly keepAliveMs?: number;
  readonly patienceMs?: number;
}

/**
 * LISTEN on one channel, on a connection of its own that is replaced whenever it is lost. Notifications are lost while there
 * is none. `notify` uses the same connection, so a process that can notify can also listen.
 */
export class Listener {
  private readonly client: DatabaseClient;
  private readonly closing = new AbortController();
  private isListening = false;
  private started = false;
  private lost = () => {};

  constructor(private readonly options: ListenerOptions) {
    this.client = new DatabaseClient(options.directUrl, {
      connections: 1,
      patience: options.patienceMs ?? PATIENCE_MS,
      onnotify: (_, payload) => options.heard(payload),
      onclose: () => this.lost(),
    });
  }

  /** Listens until closed, whatever happens to the connection. A second call does nothing. */
  start(): void {
    if (this.started || this.closing.signal.aborted) return;
    this.started = true;
    void this.keepListening();
  }

  /** Whether there is a connection, as far as is known. */
  get open(): boolean {
    return this.isListening;
  }

  /** Never fails; a payload that cannot be sent is lost. At most 7,999 bytes. */
  async notify(payload: string): Promise<void> {
    const { channel } = this.options;
    await this.client.ask((sql) => sql`select pg_notify(${channel}, ${payload})`).catch(() => this.lost());
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.lost();
    await this.client.close();
  }

  private async keepListening(): Promise<void> {
    const { channel, log, listening } = this.options;
    const { signal } = this.closing;
    for (let failures = 0, again = false; !signal.aborted; failures++) {
      const loss = new AbortController();
      this.lost = () => loss.abort();
      try {
        await this.client.ask((sql) => sql`listen ${sql(channel)}`);
        failures = 0;
        this.isListening = true;
        listening(again);
        again = true;
        await this.keepAlive(loss.signal);
      } catch (error) {
        if (!signal.aborted)
          log.warn({ err: error, failures, channel }, 'Cannot listen for notifications; trying again.');
      }
      this.isListening = false;
      await pauseBeforeRetry(failures, signal);
    }
  }

  /** Resolves when the connection is lost. */
  private async keepAlive(lost: AbortSignal): Promise<void> {
    const { keepAliveMs = KEEP_ALIVE_MS } = this.options;
    while (!lost.aborted) {
      await sleep(keepAliveMs, undefined, { signal: lost, ref: false }).catch(() => undefined);
      if (!lost.aborted) await this.client.ask((sql) => sql`select 1`).catch(() => this.lost());
    }
  }
}
