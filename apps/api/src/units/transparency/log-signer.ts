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
/** Pause after a failure, and before it is looked again whether what kept us from signing is over. */
const AGAIN_MS = 1_000;
const HALTED_MS = 5_000;
/** For how long a start waits at most, so that readiness tells the truth from its first answer. */
const FIRST_LOOK_MS = 5_000;

/** What the log looks like from here, for metrics. */
export interface SigningFigures {
  readonly signing: boolean;
  readonly uncovered: number;
  readonly cosigned: number;
  readonly witnesses: readonly WitnessStatus[];
}

/**
 * Signs the log. One replica does; the others stand by, and one of them takes over within about two seconds when it is gone.
 * The lock only saves work: should two ever think that they sign, the database lets each size of the tree be stored once.
 */
export class LogSigner {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private session: SigningSession | null = null;
  /** Whether it is known by now if all is well, here or in another process. */
  private looked = false;
  private hasLooked = (): void => undefined;
  private known: true | string | false = false;

  /** @param direct connects to the database itself, not to a transaction pooler */
  constructor(
    private readonly direct: Sql,
    private readonly origin: string | undefined,
    private readonly parts: Omit<SigningParts, 'begun'>,
  ) {}

  /** Begins the first tree, with its keys, where there is none. */
  async begin(): Promise<void> {
    const { trees, keys } = this.parts;
    if (!(await trees.newest())) await trees.begin(1, this.origin ?? madeUpOrigin());
    await keys.ensure(((await trees.newest()) as LogTree).origin);
  }

  /** Resolves when it is known whether all is well, or after some seconds. */
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

  /** Why the log is not signed, whichever replica would do it; true when it is, false before that is known. */
  async ready(): Promise<true | string | false> {
    if (!this.looked) return false;
    // While the database is away, others say so.
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

  /** The tree that grows. */
  private async tree(): Promise<LogTree> {
    await this.begin();
    const tree = (await this.parts.trees.newest()) as LogTree;
    const expected = this.origin === undefined ? tree.origin : originOfTree(this.origin, tree.number);
    if (tree.origin !== expected)
      throw new Halted(
        `AUDIT_LOG_ORIGIN asks for ${expected}, and the log is known as ${tree.origin}. Change the setting back, or begin a new ` +
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

/** The log of a service whose operator has not named it; nobody else's has this origin. */
const madeUpOrigin = (): string => `unnamed.invalid/${randomBytes(8).toString('hex')}`;
