import { builtFrom } from './checkpoints.js';
import { backoff, pause } from './connection.js';
import type { ReadDatabase, Sql } from './projection.js';
import { Projector, type ProjectorOptions, type ProjectorStatus } from './projector.js';
import { readModels, versionWith } from './read-models.js';
import { type LiveSchema, ReadSchemas, type ReadSchemasOptions } from './read-schemas.js';
import {
  type RebuildOutcome,
  type RebuildProgress,
  type RebuildUnderWay,
  rebuild,
  rebuildUnderWay,
} from './rebuild.js';
import { plainTexts, type Texts } from './texts.js';

/** How long new read models may take to catch up before the move to them is put off; milliseconds. */
const CATCH_UP_MS = 60_000;

export type ReadSideOptions = Omit<ProjectorOptions, 'schema' | 'projections'> &
  Omit<ReadSchemasOptions, 'sql' | 'direct' | 'log'>;

/**
 * All that a process of the service needs for reading: the live read models, a projector that keeps them up with the
 * log, and the move to new ones when somebody has rebuilt them. Queries take it as their database.
 */
export class ReadSide implements ReadDatabase {
  readonly #schemas: ReadSchemas;
  readonly #stopping = new AbortController();
  #projector: Projector | undefined;
  #schema = '';
  #watching: Promise<void> = Promise.resolve();
  #rebuilding: Promise<unknown> = Promise.resolve();
  #noteMove: () => void = () => {};
  /** Resolves with the first move to other read models, which takes place only when those have caught up. */
  readonly #moved = new Promise<void>((resolve) => {
    this.#noteMove = resolve;
  });

  constructor(private readonly options: ReadSideOptions) {
    this.#schemas = new ReadSchemas({ ...options, version: options.version ?? versionWith(options.texts) });
  }

  get sql(): Sql {
    return this.options.sql;
  }

  get texts(): Texts {
    return this.options.texts ?? plainTexts;
  }

  /** The schema that queries are to read at this moment. */
  schema(): string {
    if (!this.#schema) throw new Error('The read models are not open yet.');
    return this.#schema;
  }

  /**
   * Opens the live read models and starts to project. Where they are those of another release, or were built from
   * another log, they are first rebuilt beside the old ones, which go on to serve the processes that use them. Resolves when queries may be asked, though
   * what they answer may still lag: see `caughtUp`.
   */
  async start(): Promise<void> {
    const live = await this.#usable();
    this.#stopping.signal.throwIfAborted();
    this.#schema = live.schema;
    this.#projector = this.#project(live.schema);
    this.#watching = this.#schemas.watch(this.#stopping.signal, (now) => this.#moveTo(now));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
    await this.#rebuilding;
    await this.#projector?.stop();
  }

  /** Resolves when the timeline shows everything that was in the log at the start. */
  async caughtUp(): Promise<void> {
    await Promise.race([this.#current.caughtUpOnce, this.#moved]);
  }

  /** Whether queries show everything up to `position`, within `deadlineMs` milliseconds from now; search may lag. */
  async reached(position: bigint, deadlineMs: number): Promise<boolean> {
    const deadline = performance.now() + deadlineMs;
    for (;;) {
      const projector = this.#current;
      const reached = await projector.reached(position, deadline - performance.now());
      // Moved to other read models meanwhile, whose projector is the one to ask.
      if (projector === this.#current) return reached;
    }
  }

  /** Position of the last event in the log. */
  head(): Promise<bigint> {
    return this.options.store.head();
  }

  status(): Promise<ProjectorStatus> {
    return this.#current.status();
  }

  /** Builds all read models anew; this and all other processes move to them by themselves. */
  rebuild(onProgress?: (progress: RebuildProgress) => void): Promise<RebuildOutcome> {
    const { maxBatch: _, ...options } = this.options;
    const signal = this.#stopping.signal;
    const running = rebuild({ ...options, version: this.#schemas.version, signal }, onProgress);
    this.#rebuilding = Promise.allSettled([this.#rebuilding, running]);
    return running;
  }

  /** The rebuild that runs now, in whatever process; null if there is none. */
  rebuildUnderWay(): Promise<RebuildUnderWay | null> {
    return rebuildUnderWay(this.options);
  }

  get #current(): Projector {
    if (!this.#projector) throw new Error('The read models are not open yet.');
    return this.#projector;
  }

  #project(schema: string): Projector {
    const projector = new Projector({ ...this.options, schema, projections: readModels });
    projector.start();
    return projector;
  }

  /** Live read models of this release and this log, rebuilt here or by another process if there are none yet. */
  async #usable(): Promise<LiveSchema> {
    const { signal } = this.#stopping;
    for (let failures = 0; ; ) {
      signal.throwIfAborted();
      const live = await this.#schemas.ensureLive();
      try {
        if (await this.#fits(live)) return live;
        const { outcome } = await this.rebuild();
        if (outcome === 'already running') await pause(500, signal);
      } catch (error) {
        this.options.log.error({ err: error }, 'Could not open or rebuild the read models; trying again.');
        await pause(backoff(++failures), signal);
      }
    }
  }

  /** Whether these read models are those of this release, and were built from this log. */
  async #fits({ schema, needsRebuild }: LiveSchema): Promise<boolean> {
    if (needsRebuild) return false;
    const { store, sql, log } = this.options;
    const fits = await builtFrom(store, sql, schema);
    if (!fits) log.warn({ schema }, 'The live read models were built from another log; they are of no use here.');
    return fits;
  }

  /**
   * Lets a second projector catch up with the new read models, and only then moves the queries over, so that they never
   * show less than before. Read models of another release or of another log are for the processes that built them.
   */
  async #moveTo(live: LiveSchema): Promise<void> {
    if (live.schema === this.#schema || !(await this.#fits(live))) return;
    const { signal } = this.#stopping;
    const before = this.#current;
    const { position, head } = await before.status();
    const next = this.#project(live.schema);
    const giveUp = () => void next.stop();
    signal.addEventListener('abort', giveUp);
    const caughtUp = await next.reached(position > head ? position : head, CATCH_UP_MS);
    signal.removeEventListener('abort', giveUp);
    // Tried again at the next look, if these are then still the live ones.
    if (!caughtUp) return next.stop();

    this.#projector = next;
    this.#schema = live.schema;
    this.#noteMove();
    this.options.log.info({ schema: live.schema }, 'Moved to other read models.');
    await before.stop();
  }
}
