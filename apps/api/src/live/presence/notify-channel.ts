import { DatabaseClient, pauseBeforeRetry, type TroubleLog } from '@verbatim/event-store';

/** Milliseconds that the database may take to answer. */
const PATIENCE = 5_000;

export interface NotifyChannelOptions {
  /** Leads to the database itself; a transaction pooler would lose what is listened to. */
  readonly directUrl: string;
  readonly channel: string;
  readonly log: TroubleLog;
  /** Is called with everything that is told, by this process as well. */
  readonly hear: (text: string) => void;
  /** Is called whenever there is a connection again. */
  readonly opened: () => void;
}

/**
 * Lets processes on one database hear each other, by LISTEN and NOTIFY on a single connection: who can tell, can hear.
 * What is told is lost on those who do not listen at that moment.
 */
export class NotifyChannel {
  private readonly client: DatabaseClient;
  private readonly closing = new AbortController();
  private listening = false;
  private lost = () => {};

  constructor(private readonly options: NotifyChannelOptions) {
    this.client = new DatabaseClient(options.directUrl, {
      connections: 1,
      patience: PATIENCE,
      onnotify: (_, text) => options.hear(text),
      onclose: () => this.lost(),
    });
  }

  /** Starts to listen, and goes on until closed, whatever becomes of the connection. */
  listen(): void {
    void this.keepListening();
  }

  /** Whether there is a connection, as far as anybody knows. */
  get open(): boolean {
    return this.listening;
  }

  /** Never fails; a text that cannot be told is lost. */
  async tell(text: string): Promise<void> {
    const { channel } = this.options;
    await this.client.ask((sql) => sql`select pg_notify(${channel}, ${text})`).catch(() => this.lost());
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.lost();
    await this.client.close();
  }

  private async keepListening(): Promise<void> {
    const { channel, log, opened } = this.options;
    const { signal } = this.closing;
    for (let failures = 0; !signal.aborted; failures++) {
      const connectionLost = new Promise<void>((resolve) => {
        this.lost = resolve;
      });
      try {
        await this.client.ask((sql) => sql`listen ${sql(channel)}`);
        failures = 0;
        this.listening = true;
        opened();
        await connectionLost;
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error, failures }, 'Other replicas cannot be heard; trying again.');
      }
      this.listening = false;
      await pauseBeforeRetry(failures, signal);
    }
  }
}
