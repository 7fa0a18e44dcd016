import { type Outage, outageOf, settledInTime } from '@verbatim/event-store';
import type { Logger } from 'pino';
import { Counter, Gauge, type Metric } from 'prom-client';

/** What the service cannot do without. */
export type Dependency = 'database' | 'event store';

/** Milliseconds between two looks at a server in an outage. */
const LOOK_EVERY_MS = 500;
/** Milliseconds for an answer of the server to such a look. */
const PATIENCE_MS = 2_000;
/** Milliseconds without trouble after which an outage is over: more than the longest pause of whoever tries again. */
const QUIET_MS = 6_000;

/**
 * Keeps outages of the database and the event store from filling the log. Dozens of tasks and requests notice when one of
 * them is away. Of all their errors, the first is written as one line that says what began and why, and the others are
 * counted; a second line says that it is over, and how long it took. Whether it is over is found out by asking the server, so
 * it needs no traffic.
 */
export class Outages {
  /** To be used in place of the log: it takes what tells of an outage, and passes on everything else. */
  readonly log: Logger;
  /** The same for the event store: whatever is away there, it is the event store. */
  readonly storeLog: Logger;
  readonly metrics: readonly Metric[];
  private readonly servers: Readonly<Record<Dependency, WatchedServer>>;

  /** @param names of both, for people: `PostgreSQL at 127.0.0.1:5432`. Where they are equal, it is one server. */
  constructor(log: Logger, names: Readonly<Record<Dependency, string>>) {
    const suppressed = new Counter({
      name: 'verbatim_outage_errors_total',
      help: 'Errors that were not written to the log because the server they tell of was known to be away.',
      labelNames: ['server'],
      registers: [],
    });
    const watched = (dependency: Dependency) =>
      new WatchedServer(names[dependency], log, () => suppressed.inc({ server: dependency }));
    const database = watched('database');
    const store = names['event store'] === names.database ? database : watched('event store');
    this.servers = { database, 'event store': store };
    const gauge = new Gauge({
      name: 'verbatim_outage',
      help: 'Whether this server is away at the moment.',
      labelNames: ['server'],
      registers: [],
      collect: () => {
        for (const [server, { away }] of Object.entries(this.servers)) gauge.set({ server }, Number(away));
      },
    });
    for (const server of Object.keys(this.servers)) suppressed.inc({ server }, 0);
    this.metrics = [gauge, suppressed];
    this.log = this.filtering(log, ({ ofStore }) => (ofStore ? store : database));
    this.storeLog = this.filtering(log, () => store);
  }

  /** Tells how to find out whether a server is back: `ask` fails while it is away. */
  watch(dependency: Dependency, ask: () => Promise<unknown>): void {
    this.servers[dependency].ask = ask;
  }

  stop(): void {
    for (const server of Object.values(this.servers)) server.stop();
  }

  private filtering(log: Logger, serverOf: (outage: { ofStore: boolean }) => WatchedServer): Logger {
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
    // What was asked before the server was well again, and is given up only now, is no news.
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
      `${server} is not available: ${reason}. What needs it is answered "unavailable".`,
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
      if (!this.ask) throw new Error('Nobody knows yet how to ask.');
      await settledInTime(this.ask(), PATIENCE_MS, () => new Error('There was no answer.'));
      // Trouble that was noticed while it was being asked says more than this answer.
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
      `${server} is available again, after ${seconds} s. ${suppressed} more errors told of this outage.`,
    );
  }
}
