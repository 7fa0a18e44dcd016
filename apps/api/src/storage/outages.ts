import { type Outage, outageOf, settledInTime } from '@verbatim/event-store';
import type { Logger } from 'pino';
import { Counter, Gauge, type Metric } from 'prom-client';

/** The servers that the service depends on. */
export type Dependency = 'database' | 'event store' | 'master key';

/** Milliseconds between two probes of a server during an outage. */
const LOOK_EVERY_MS = 500;
/** Milliseconds that the server has to respond to a probe. */
const PATIENCE_MS = 2_000;
/** Milliseconds without errors after which an outage is over: more than the longest pause before a retry. */
const QUIET_MS = 6_000;

/**
 * Keeps outages of the database and the event store from filling the log. Dozens of tasks and requests notice when one of
 * them is away. Of all their errors, the first is written as one line that says what began and why, and the others are
 * counted; a second line says that it is over, and how long it took. Whether it is over is found out by asking the server, so
 * it needs no traffic.
 */
export class Outages {
  /** Use in place of the log: it filters out errors caused by an outage, and passes on everything else. */
  readonly log: Logger;
  /** The same for the event store: every outage logged here is one of the event store. */
  readonly storeLog: Logger;
  readonly metrics: readonly Metric[];
  private readonly servers: Readonly<Record<Dependency, WatchedServer>>;

  /** @param names of them, for display: `PostgreSQL at 127.0.0.1:5432`. If those of database and event store are equal, it is one server. */
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

  /** Sets how to find out whether a server is back: `ask` fails while it is away. */
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
  /** Since when it has answered without trouble, after an outage; null: it has not, or nothing was ever wrong. */
  private wellSince: number | null = null;
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
    const old = this.wellSince !== null && at < this.wellSince;
    if (!old) {
      this.troubleAt = performance.now();
      this.wellSince = null;
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
    this.lookLater();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private lookLater(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  private async look(): Promise<void> {
    const asked = performance.now();
    try {
      if (!this.ask) throw new Error('There is no probe for this server yet.');
      await settledInTime(this.ask(), PATIENCE_MS, () => new Error('There was no answer.'));
      // An error noticed during the probe counts more than its success.
      if (this.troubleAt < asked) this.wellSince ??= asked;
    } catch {
      this.troubleAt = performance.now();
      this.wellSince = null;
    }
    if (this.wellSince !== null && performance.now() - this.wellSince >= QUIET_MS) this.end(this.wellSince);
    else this.lookLater();
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
