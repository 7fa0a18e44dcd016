import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AdvisoryLock } from '@verbatim/projections';
import type { Sql } from 'postgres';
import { originOfTree } from '../../storage/transparency/audit-log-settings.js';
import { WrongLogKey } from '../../storage/transparency/log-keys.js';
import type { LogTree } from '../../storage/transparency/log-trees.js';
import type { WitnessStatus } from './cosigning.js';
import { Halted } from './halted.js';
import { Overtaken, type SigningParts, SigningSession } from './signing-session.js';

/** Interval at which a standby replica checks whether it should take over. */
const STANDBY_MS = 1_000;
/** Pause after a failure, and before checking again whether signing is still halted. */
const AGAIN_MS = 1_000;
const HALTED_MS = 5_000;
/** The longest that a start waits, so that readiness is correct from its first answer. */
const FIRST_LOOK_MS = 5_000;

/** The state of signing in this process, for metrics. */
export interface SigningFigures {
  readonly signing: boolean;
  readonly uncovered: number;
  readonly cosigned: number;
  readonly witnesses: readonly WitnessStatus[];
}

/**
 * Signs the log. One replica signs; the others stand by, and one of them takes over within about two seconds when it is
 * gone. The lock only saves work: even if two replicas sign, the database stores each size of the tree once.
 */
export class LogSigner {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private session: SigningSession | null = null;
  /** Whether the state of signing is known by now, here or in another process. */
  private looked = false;
  private hasLooked = (): void => undefined;
  private known: true | string | false = false;

  /** @param direct connects to the database directly, not through a transaction pooler */
  constructor(
    private readonly direct: Sql,
    private readonly origin: string | undefined,
    private readonly parts: Omit<SigningParts, 'begun'>,
  ) {}

  /** Begins the first tree, with its keys, if there is none. */
  async begin(): Promise<void> {
    const { trees, keys } = this.parts;
    if (!(await trees.newest())) await trees.begin(1, this.origin ?? madeUpOrigin());
    await keys.ensure(((await trees.newest()) as LogTree).origin);
  }

  /** Resolves when the state of signing is known, or after some seconds. */
  async start(): Promise<void> {
    const looked = new Promise<void>((resolve) => {
      this.hasLooked = resolve;
    });
    this.running = this.run();
    const over = new AbortController();
    await Promise.race([looked, this.pause(FIRST_LOOK_MS, AbortSignal.any([over.signal, this.stopping.signal]))]);
    over.abort();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  get figures(): SigningFigures {
    const { session } = this;
    const { cosigned = 0, statuses = [] } = session?.witnesses ?? {};
    return { signing: session !== null, uncovered: session?.uncovered ?? 0, cosigned, witnesses: statuses };
  }

  /** Why no replica signs the log; true when one does, false before that is known. */
  async ready(): Promise<true | string | false> {
    if (!this.looked) return false;
    // While the database is down, other checks report it.
    const tree = await this.parts.trees.newest().catch(() => null);
    if (tree) this.known = tree.halted ?? true;
    return this.known;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const lock = await AdvisoryLock.tryTake(this.direct, 'verbatim transparency log').catch(() => undefined);
      if (lock) {
        await this.sign(AbortSignal.any([signal, lock.lost]));
        await lock.release();
      } else {
        if (lock === null) this.look();
        await this.pause(STANDBY_MS, signal);
      }
    }
  }

  private async sign(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      let tree: LogTree | null = null;
      try {
        tree = await this.tree();
        await new SigningSession(tree, { ...this.parts, begun: (session) => this.began(session) }, until).run();
      } catch (error) {
        if (!until.aborted) await this.pause(await this.failed(error, tree), until);
      } finally {
        this.session = null;
      }
    }
  }

  private began(session: SigningSession): void {
    this.session = session;
    this.look();
  }

  private look(): void {
    this.looked = true;
    this.hasLooked();
  }

  /** The growing tree. */
  private async tree(): Promise<LogTree> {
    await this.begin();
    const tree = (await this.parts.trees.newest()) as LogTree;
    const expected = this.origin === undefined ? tree.origin : originOfTree(this.origin, tree.number);
    if (tree.origin !== expected)
      throw new Halted(
        `AUDIT_LOG_ORIGIN requires ${expected}, and the log is known as ${tree.origin}. Change the setting back, or begin a new ` +
          'tree (npm run cli -- audit new-log)',
      );
    return tree;
  }

  /** Milliseconds after which to try again. */
  private async failed(error: unknown, tree: LogTree | null): Promise<number> {
    const { log, trees } = this.parts;
    if (error instanceof Overtaken) return AGAIN_MS;
    if (!(error instanceof Halted || error instanceof WrongLogKey)) {
      log.warn({ err: error }, 'the log could not be signed; trying again');
      return AGAIN_MS;
    }
    const newest = tree ?? (await trees.newest().catch(() => null));
    const ahead = error instanceof Halted ? error.witnessAhead : null;
    if (newest?.halted !== error.message) log.error(`The log is not signed. ${error.message}.`);
    if (newest) await trees.halt(newest.number, error.message, ahead).catch(() => undefined);
    this.look();
    return HALTED_MS;
  }

  private async pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
  }
}

/** The unique origin of a log that its operator has not named. */
const madeUpOrigin = (): string => `unnamed.invalid/${randomBytes(8).toString('hex')}`;
