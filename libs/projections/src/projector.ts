import { AdvisoryLock } from './advisory-lock.js';
import { readCheckpoint } from './checkpoints.js';
import { backoff, pause } from './connection.js';
import { GroupRunner, type GroupRunnerOptions } from './group-runner.js';
import type { Sql } from './projection.js';
import type { ReadModels } from './read-models.js';

/** How often a process that does not project looks whether it should; milliseconds. */
const STANDBY_MS = 1_000;
/** How often the checkpoint is read while somebody waits and another process projects; milliseconds. */
const WAITING_MS = 20;

export interface ProjectorOptions
  extends Pick<GroupRunnerOptions, 'sql' | 'store' | 'open' | 'texts' | 'schema' | 'log' | 'projected'> {
  readonly projections: ReadModels;
  /** Leads to the database itself where `sql` goes through a transaction pooler. Default: `sql`. */
  readonly direct?: Sql;
  /**
   * How long events are collected before they are applied, unless somebody waits for them; milliseconds, default 100.
   * Search collects for longer, since nobody waits for it.
   */
  readonly delayMs?: number;
  /** Most events in a transaction, default 2,000. */
  readonly maxBatch?: number;
}

export interface ProjectorStatus {
  /** Checkpoint of the timeline. */
  readonly position: bigint;
  /** Position of the last event in the log. */
  readonly head: bigint;
  /** How far the timeline is behind, in positions: these count events in some stores, and bytes of the log in others. */
  readonly lag: number;
  /** When this process last saw the checkpoint move, in milliseconds since 1970; null: not since it began. */
  readonly movedAt: number | null;
  readonly search: { readonly position: bigint; readonly lag: number; readonly movedAt: number | null };
  /** Whether it is this process that projects. */
  readonly projecting: boolean;
}

interface Waiter {
  readonly position: bigint;
  readonly settle: (reached: boolean) => void;
}

/**
 * Keeps one schema of read models up with the log. Of all processes that run a projector for the same schema one does
 * the work; the others watch, and one of them takes over within about two seconds when it is gone. Should two ever
 * project at once, the checkpoint in each transaction lets only one of them go on.
 */
export class Projector {
  /** Resolves when the timeline shows everything that was in the log at the start. */
  readonly caughtUpOnce: Promise<void>;

  readonly #timeline: GroupRunner;
  readonly #search: GroupRunner;
  readonly #stopping = new AbortController();
  readonly #waiters = new Set<Waiter>();
  #position = -1n;
  #searchPosition = -1n;
  #movedAt: number | null = null;
  #searchMovedAt: number | null = null;
  #head = -1n;
  #projecting = false;
  #watching = false;
  #running: Promise<void> = Promise.resolve();
  #caughtUp: () => void = () => {};

  constructor(private readonly options: ProjectorOptions) {
    const { projections, delayMs = 100, maxBatch = 2_000 } = options;
    const common = { ...options, delayMs, maxBatch };
    this.#timeline = new GroupRunner({
      ...common,
      group: projections.timeline,
      progressed: (at) => this.#progressed(at),
    });
    this.#search = new GroupRunner({
      ...common,
      delayMs: delayMs * 2.5,
      group: projections.search,
      progressed: (at) => this.#searchProgressed(at),
    });
    this.caughtUpOnce = new Promise((resolve) => {
      this.#caughtUp = resolve;
    });
  }

  start(): void {
    this.#running = this.#run();
    void this.#catchUpOnce();
  }

  /** Lets the transactions under way finish, and answers those who still wait that it was not reached. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const waiter of this.#waiters) waiter.settle(false);
    await this.#running;
  }

  /** Whether the timeline shows everything up to `position`, within `deadlineMs` milliseconds from now. */
  reached(position: bigint, deadlineMs: number): Promise<boolean> {
    if (this.#position >= position) return Promise.resolve(true);
    if (this.#stopping.signal.aborted || deadlineMs <= 0) return Promise.resolve(false);
    this.#timeline.hurryTo(position);
    return new Promise((resolve) => {
      const timer = Number.isFinite(deadlineMs) ? setTimeout(() => waiter.settle(false), deadlineMs) : undefined;
      const waiter: Waiter = {
        position,
        settle: (reached) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(reached);
        },
      };
      this.#waiters.add(waiter);
      void this.#watch();
    });
  }

  /** How far this process knows the read models to be; less than two seconds old when it is another that projects. */
  async status(): Promise<ProjectorStatus> {
    this.#head = await this.options.store.head().catch(() => this.#head);
    const lag = (position: bigint) => Math.max(0, Number(this.#head - position));
    return {
      position: this.#position,
      head: this.#head,
      lag: lag(this.#position),
      movedAt: this.#movedAt,
      search: { position: this.#searchPosition, lag: lag(this.#searchPosition), movedAt: this.#searchMovedAt },
      projecting: this.#projecting,
    };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const { sql, direct = sql, schema, log } = this.options;
    while (!signal.aborted) {
      const lock = await AdvisoryLock.tryTake(direct, `verbatim projector ${schema}`).catch((error) => {
        log.warn({ err: error, schema }, 'Could not ask for the lock of the projector; trying again.');
        return null;
      });
      if (lock) await this.#project(lock);
      else {
        await this.#look();
        await pause(STANDBY_MS, signal);
      }
    }
  }

  async #project(lock: AdvisoryLock): Promise<void> {
    const until = AbortSignal.any([this.#stopping.signal, lock.lost]);
    this.#projecting = true;
    await Promise.all([this.#timeline.run(until), this.#search.run(until)]);
    this.#projecting = false;
    await lock.release();
  }

  #progressed(position: bigint): void {
    // What is read first may be of long ago.
    if (position > this.#position && this.#position >= 0n) this.#movedAt = Date.now();
    if (position > this.#position) this.#position = position;
    for (const waiter of this.#waiters) if (waiter.position <= position) waiter.settle(true);
  }

  #searchProgressed(position: bigint): void {
    if (position > this.#searchPosition && this.#searchPosition >= 0n) this.#searchMovedAt = Date.now();
    this.#searchPosition = position;
  }

  /** Looks at the checkpoints that another process moves. */
  async #look(): Promise<boolean> {
    const { sql, schema, projections } = this.options;
    try {
      this.#progressed((await readCheckpoint(sql, schema, projections.timeline.name)).position);
      this.#searchProgressed((await readCheckpoint(sql, schema, projections.search.name)).position);
      return true;
    } catch {
      // Waiting callers fail at the deadline, and the loop of `run` logs that the database is unavailable.
      return false;
    }
  }

  /** As long as somebody waits, looks often; what this process projects itself needs no looking. */
  async #watch(): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    for (let failures = 0; this.#waiters.size > 0; ) {
      failures = this.#projecting || (await this.#look()) ? 0 : failures + 1;
      await pause(failures === 0 ? WAITING_MS : backoff(failures), this.#stopping.signal);
    }
    this.#watching = false;
  }

  async #catchUpOnce(): Promise<void> {
    const { store } = this.options;
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; failures++) {
      const head = await store.head().catch(() => null);
      if (head !== null && (await this.reached(head, Number.POSITIVE_INFINITY))) return this.#caughtUp();
      await pause(backoff(failures + 1), signal);
    }
  }
}
