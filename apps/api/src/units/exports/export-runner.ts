import { setTimeout as sleep } from 'node:timers/promises';
import { AdvisoryLock } from '@verbatim/projections';
import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import type { StoredExport, StoredExports } from '../../storage/exports/stored-exports.js';
import type { BundleMaker } from './bundle-maker.js';

/** Interval at which a replica looks whether it should take over, and for something to do, in milliseconds. */
const LOOK_EVERY_MS = 500;
/** The longest pause after a turn has failed. */
const LONGEST_PAUSE_MS = 10_000;
/** Turns that may fail in a row, which takes some minutes. */
const MOST_FAILURES = 30;

/**
 * Makes bundles, one turn for each export after the other, so that a small one does not wait for a large one. One replica
 * does; when it is gone, another goes on where it has stored something last.
 */
export class ExportRunner {
  private readonly stopping = new AbortController();
  private over: Promise<void> = Promise.resolve();
  /** Whether this replica is the one. */
  running = false;

  /** @param direct connects to the database itself, not to a transaction pooler */
  constructor(
    private readonly direct: Sql,
    private readonly exports: StoredExports,
    private readonly maker: BundleMaker,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.over = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.over;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const lock = await AdvisoryLock.tryTake(this.direct, 'verbatim exports').catch(() => null);
      if (!lock) {
        await this.rest(LOOK_EVERY_MS);
        continue;
      }
      this.running = true;
      await this.takeTurns(AbortSignal.any([signal, lock.lost]));
      this.running = false;
      await lock.release();
    }
  }

  private async takeTurns(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      const taken = await this.exports.takeNext().catch(() => null);
      const worked = taken !== null && (await this.turn(taken, until));
      if (!worked) await this.rest(LOOK_EVERY_MS);
    }
  }

  /** Whether something was done. */
  private async turn(taken: StoredExport, until: AbortSignal): Promise<boolean> {
    try {
      return await this.maker.advance(taken, until);
    } catch (error) {
      if (until.aborted) return false;
      this.log.warn({ err: error, export: taken.id }, 'an export could not go on; it is tried again');
      const failures = await this.exports.stumbled(taken).catch(() => 1);
      if (failures >= MOST_FAILURES) await this.exports.fail(taken, 'It failed again and again. Ask an administrator.');
      await this.rest(Math.min(LONGEST_PAUSE_MS, LOOK_EVERY_MS * failures));
      return false;
    }
  }

  private async rest(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}
