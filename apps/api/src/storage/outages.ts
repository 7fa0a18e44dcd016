import { type Outage, outageOf, settledInTime } from '@verbatim/event-store';
import type { Logger } from 'pino';
import { Counter, Gauge, type Metric } from 'prom-client';

/** The servers that the service depends on. */
export type Dependency = 'database' | 'event store' | 'master key';

/** Milliseconds between two probes of a server during an outage. */
const PROBE_EVERY_MS = 500;
/** Milliseconds that the server has to respond to a probe. */
const PROBE_TIMEOUT_MS = 2_000;
/** Milliseconds without errors after which an outage is over: more than the longest pause before a retry. */
const QUIET_MS = 6_000;

/**
 * Keeps outages of the database and the event store from filling the log. Dozens of tasks and requests notice when one of
 * them is away. The first error is logged as one line that says what began and why, and the others are counted; a second
 * line says that the outage is over, and how long it took. The server is probed to detect the end, so no traffic is needed.
 */
export class Outages {
  /** Use instead of the log: it filters out errors caused by an outage, and passes on everything else. */
  readonly log: Logger;
  /** The same for the event store: every outage logged here is attributed to the event store. */
  readonly storeLog: Logger;
  readonly metrics: readonly Metric[];
  private readonly servers: Readonly<Record<Dependency, WatchedServer>>;

  /**
   * @param names for display: `PostgreSQL at 127.0.0.1:5432`. If database and event store have the same name, they are one
   * server.
   */
  constructor(log: Logger, names: Readonly<Record<Dependency, string>>) {
    const suppressed = new Counter({
      name: 'verbatim_outage_errors_total',
      help: 'Errors that were not logged because the server that caused them was known to be unavailable.',
      labelNames: ['server'],
      registers: [],
    });
    const watched = (dependency: Dependency) =>
      new WatchedServer(names[dependency], log, () => suppressed.inc({ server: dependency }));
    const database = watched('database');
    const store = names['event store'] === names.database ? database : watched('event store');
    const masterKey = watched('master key');
    this.servers = { database, 'event store': store, 'master key': masterKey };
    const gauge = new Gauge({
      name: 'verbatim_outage',
      help: 'Whether this server is unavailable at the moment.',
      labelNames: ['server'],
      registers: [],
      collect: () => {
        for (const [server, { away }] of Object.entries(this.servers)) gauge.set({ server }, Number(away));
      },
    });
    for (const server of Object.keys(this.servers)) suppressed.inc({ server }, 0);
    this.metrics = [gauge, suppressed];
    this.log = this.filtering(log, ({ ofStore, ofMasterKey }) =>
      ofMasterKey ? masterKey : ofStore ? store : database,
    );
    this.storeLog = this.filtering(log, () => store);
  }

  /** Sets the probe for a server: `ask` fails while it is unavailable. */
  watch(dependency: Dependency, ask: () => Promise<unknown>): void {
    this.servers[dependency].ask = ask;
  }

  stop(): void {
    for (const server of Object.values(this.servers)) server.stop();
  }

  private filtering(log: Logger, serverOf: (outage: Outage) => WatchedServer): Logger {
    const pass = (level: 'warn' | 'error') =>
      ((...args: [unknown, ...unknown[]]) => {
        const outage = outageOf((args[0] as { err?: unknown } | null)?.err);
        if (outage?.kind === 'away') serverOf(outage).noteTrouble(outage);
        else (log[level] as (...args: unknown[]) => void)(...args);
      }) as Logger['warn'];
    return Object.assign(Object.create(log) as Logger, { warn: pass('warn'), error: pass('error') });
  }
}

/** One server, and whether it is away. */
class WatchedServer {
  ask: (() => Promise<unknown>) | null = null;
  private beganAt: number | null = null;
  private troubleAt = 0;
  /** Since when it has responded without errors after an outage; null if it has not, or if there was no outage. */
  private healthySince: number | null = null;
  private suppressed = 0;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly name: string,
    private readonly log: Logger,
    private readonly count: () => void,
  ) {}

  get away(): boolean {
    return this.beganAt !== null;
  }

  noteTrouble({ reason, askedMsAgo = 0 }: Outage): void {
    const at = performance.now() - askedMsAgo;
    // A request from before the server recovered that fails only now says nothing about the server.
    const old = this.healthySince !== null && at < this.healthySince;
    if (!old) {
      this.troubleAt = performance.now();
      this.healthySince = null;
    }
    if (old || this.away || this.stopped) {
      this.suppressed++;
      this.count();
      return;
    }
    this.beganAt = at;
    this.suppressed = 0;
    const { name: server } = this;
    this.log.error(
      { server, reason },
      `${server} is not available: ${reason}. Requests that need it get "unavailable" until it is back.`,
    );
    this.probeLater();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private probeLater(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.probe(), PROBE_EVERY_MS).unref();
  }

  private async probe(): Promise<void> {
    const asked = performance.now();
    try {
      if (!this.ask) throw new Error('There is no probe for this server yet.');
      await settledInTime(this.ask(), PROBE_TIMEOUT_MS, () => new Error('There was no answer.'));
      // An error noticed during the probe counts more than its success.
      if (this.troubleAt < asked) this.healthySince ??= asked;
    } catch {
      this.troubleAt = performance.now();
      this.healthySince = null;
    }
    if (this.healthySince !== null && performance.now() - this.healthySince >= QUIET_MS) this.end(this.healthySince);
    else this.probeLater();
  }

  private end(at: number): void {
    const seconds = Number(((at - (this.beganAt ?? at)) / 1_000).toFixed(1));
    this.beganAt = null;
    const { name: server, suppressed } = this;
    this.log.warn(
      { server, seconds, suppressed },
      `${server} is available again after ${seconds} s. ${suppressed} further errors of this outage were not logged.`,
    );
  }
}
