import { setTimeout as sleep } from 'node:timers/promises';
import { encodeVerifierKey, type Fault, isFault, TreeReader } from '@verbatim/transparency';
import type { Logger } from 'pino';
import type { Clock } from '../../clock.js';
import type { WitnessSetting } from '../../storage/transparency/audit-log-settings.js';
import type { LogTree, LogTrees } from '../../storage/transparency/log-trees.js';
import { addCheckpoint, cosignatureIn } from './witness-client.js';

export const cosigningTimes = {
  /** Milliseconds that a start waits for the first answers. */
  first: 5_000,
  /** Milliseconds for which one checkpoint is offered to all witnesses while it lacks its quorum: twice what one may take. */
  patience: 20_000,
  /** Milliseconds that slower witnesses still have once there is a quorum. */
  courtesy: 2_000,
  /** Milliseconds after which an unchanged checkpoint is cosigned again. */
  refresh: 10_000,
  /** Milliseconds between two attempts at a failing witness: shortest and longest, doubled each time. */
  pause: [500, 10_000],
} as const;

/** Consecutive attempts to bring a witness up to date, each from the size it reports. */
const MAX_CORRECTIONS = 3;

interface Offered {
  readonly size: number;
  readonly note: string;
}

/** The state of a witness, for metrics and operators. */
export interface WitnessStatus {
  readonly name: string;
  /** The newest size that it has cosigned, and when; 0 and null if none. */
  readonly size: number;
  readonly time: number | null;
  /** Why the last attempt failed; null if it did not. */
  readonly problem: string | null;
}

export interface CosigningParts {
  readonly trees: LogTrees;
  readonly witnesses: readonly WitnessSetting[];
  readonly quorum: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called with the key of a witness that has cosigned a larger checkpoint than the newest one here. */
  readonly ahead: (key: string, sentence: string) => void;
  /** Called when a checkpoint has its quorum. */
  readonly quorumReached: (size: number) => void;
}

/**
 * Has the checkpoints of one tree cosigned by all witnesses, each in its own loop, so that none waits for another.
 *
 * All are offered the same checkpoint, the candidate: if each took the newest one when it happened to be free, a quorum
 * would hardly ever agree on one size. The next candidate is the newest checkpoint at that time.
 */
export class Cosigning {
  private newest: Offered | null = null;
  private candidate: (Offered & { readonly since: number; readonly by: Set<Witness> }) | null = null;
  private readonly witnesses: Witness[];
  private readonly changed = new Bell();
  private loops: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly tree: LogTree,
    private readonly parts: CosigningParts,
    private readonly until: AbortSignal,
  ) {
    this.witnesses = parts.witnesses.map((setting) => new Witness(setting));
  }

  get statuses(): WitnessStatus[] {
    return this.witnesses.map(({ setting, size, time, problem }) => ({ name: setting.key.name, size, time, problem }));
  }

  /** Witnesses that have cosigned the candidate. */
  get cosigned(): number {
    return this.candidate?.by.size ?? 0;
  }

  /**
   * Continues where another process stopped, and starts asking. `newest` is the newest signed checkpoint, if there is one.
   * The returned promise resolves when all witnesses have been asked once, or after five seconds. Await it before signing
   * anything new, because a witness may know that the log was rolled back.
   */
  async start(newest: Offered | null): Promise<{ asked: Promise<void> }> {
    const keys = this.witnesses.map(({ key }) => key);
    const known = await this.parts.trees.cosigned(this.tree.number, keys);
    for (const witness of this.witnesses) Object.assign(witness, known.get(witness.key));
    if (newest) this.offer(newest);
    const all = Promise.all(newest ? this.witnesses.map(({ asked }) => asked.rung()) : []);
    this.loops = Promise.all(this.witnesses.map((witness) => this.attend(witness)));
    return { asked: this.orAfter(cosigningTimes.first, all) };
  }

  /** Resolves when all loops have ended; `until` ends them. */
  async ended(): Promise<void> {
    await this.loops;
  }

  /** Whether this witness, if it is still one, has cosigned something since `start`. */
  hasCosignedAgain(key: string): boolean {
    const witness = this.witnesses.find((one) => one.key === key);
    return !witness || (witness.answered && witness.problem === null);
  }

  /** Announces a newer checkpoint. */
  offer(newest: Offered): void {
    this.newest = newest;
    this.moveOn();
    this.changed.ring();
  }

  private async attend(witness: Witness): Promise<void> {
    while (!this.until.aborted) {
      this.moveOn();
      const rest = this.rest(witness);
      if (rest > 0) await this.orAfter(rest, this.changed.rung());
      else await this.submit(witness);
      if (witness.pause > 0) await this.orAfter(witness.pause);
    }
  }

  /** Milliseconds until there is something to ask a witness. */
  private rest(witness: Witness): number {
    const { candidate, newest } = this;
    if (!candidate) return cosigningTimes.refresh;
    if (!candidate.by.has(witness)) return 0;
    const untilAgain = witness.askedAt + cosigningTimes.refresh - performance.now();
    const hold = candidate.by.size >= this.parts.quorum ? cosigningTimes.courtesy : cosigningTimes.patience;
    const untilNext = newest?.size === candidate.size ? untilAgain : candidate.since + hold - performance.now() + 1;
    return Math.max(0, Math.min(untilAgain, untilNext));
  }

  /** Resolves after this many milliseconds, or when one of these promises resolves or the tree ends. */
  private async orAfter(milliseconds: number, ...promises: Promise<unknown>[]): Promise<void> {
    const over = new AbortController();
    const timer = sleep(milliseconds, undefined, { signal: AbortSignal.any([this.until, over.signal]) });
    await Promise.race([timer, ...promises]).catch(() => undefined);
    over.abort();
    await timer.catch(() => undefined);
  }

  /** Makes the newest checkpoint the candidate when the current one has had its time. */
  private moveOn(): void {
    const { newest, candidate } = this;
    if (!newest || newest.size === candidate?.size) return;
    const age = candidate ? performance.now() - candidate.since : 0;
    const all = candidate === null || candidate.by.size === this.witnesses.length;
    const enough = candidate !== null && candidate.by.size >= this.parts.quorum && age > cosigningTimes.courtesy;
    if (all || enough || age > cosigningTimes.patience) this.propose(newest);
  }

  private propose(newest: Offered): void {
    this.candidate = { ...newest, since: performance.now(), by: new Set() };
    this.changed.ring();
  }

  /** Offers a checkpoint to a witness until it has cosigned or the next attempt has to wait. Never rejects. */
  private async submit(witness: Witness): Promise<void> {
    if (!this.candidate) return;
    witness.askedAt = performance.now();
    try {
      const problem = await this.bringUpToDate(witness, this.candidate);
      if (problem === null) witness.succeed();
      else this.fail(witness, problem);
    } catch (error) {
      if (!this.until.aborted) this.fail(witness, causeOf(error));
    }
    witness.answered = true;
    witness.asked.ring();
  }

  private fail(witness: Witness, problem: string): void {
    if (witness.problem !== problem)
      this.parts.log.warn({ witness: witness.setting.key.name, problem }, 'a witness has not cosigned');
    witness.fail(problem);
  }

  private async bringUpToDate(witness: Witness, first: Offered): Promise<string | null> {
    let offered = first;
    for (let corrections = 0; corrections <= MAX_CORRECTIONS; corrections++) {
      const oldSize = Math.min(witness.size, offered.size);
      const proof = await this.consistencyProof(oldSize, offered.size);
      if (isFault(proof)) return proof.detail;
      const answer = await addCheckpoint(witness.setting, { oldSize, proof, checkpoint: offered.note }, this.until);
      if (isFault(answer)) return answer.detail;
      if (answer.answer === 'cosigned') return this.keep(witness, offered, answer.signatures);
      if (answer.answer !== 'conflict') return refusals[answer.answer];
      const newest = this.newest ?? offered;
      if (answer.size > newest.size) return this.isAhead(witness, answer.size, newest.size);
      witness.size = answer.size;
      // It has cosigned a later one than the candidate, offered by the process that signed before this one.
      if (answer.size > offered.size) {
        if (this.candidate === first) this.propose(newest);
        offered = newest;
      }
    }
    return 'It keeps reporting other sizes.';
  }

  private isAhead(witness: Witness, size: number, newest: number): string {
    const { name } = witness.setting.key;
    this.parts.ahead(
      witness.key,
      `The witness ${name} has cosigned a checkpoint of size ${size}, and the newest one here has ${newest}: the log was put ` +
        'back to an earlier state. Restore what is missing, or begin a new tree (npm run cli -- audit new-log)',
    );
    return `It has cosigned a checkpoint of size ${size}, and the newest one here has ${newest}.`;
  }

  private async keep(
    witness: Witness,
    offered: Offered,
    signatures: Parameters<typeof cosignatureIn>[1],
  ): Promise<string | null> {
    const cosignature = cosignatureIn(offered.note, signatures, witness.setting, this.parts.clock());
    if (isFault(cosignature)) return cosignature.detail;
    await this.parts.trees.cosign(this.tree.number, offered.size, { key: witness.key, ...cosignature });
    witness.size = Math.max(witness.size, offered.size);
    witness.time = cosignature.time;
    if (this.candidate?.size === offered.size) {
      this.candidate.by.add(witness);
      if (this.candidate.by.size >= this.parts.quorum) this.parts.quorumReached(offered.size);
    }
    return null;
  }

  private async consistencyProof(oldSize: number, size: number): Promise<Buffer[] | Fault> {
    const reader = TreeReader.of(size, this.parts.trees.tiles(this.tree.number));
    return isFault(reader) ? reader : reader.consistencyProof(oldSize);
  }
}

const refusals = {
  'unknown-log': 'It does not know this log. Send its operator the origin and the verifier key.',
  forbidden: 'It does not know the key that signed the checkpoint.',
  inconsistent: 'It says that the checkpoint does not extend the one that it cosigned before.',
  'bad-request': 'It could not read the request.',
} as const;

/** Wakes everything that waits for it. */
class Bell {
  private waiting: (() => void)[] = [];

  ring(): void {
    for (const wake of this.waiting.splice(0)) wake();
  }

  rung(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

/** A witness and what is known of it. */
class Witness {
  readonly key: string;
  size = 0;
  time: number | null = null;
  problem: string | null = null;
  /** Milliseconds to wait before the next attempt. */
  pause = 0;
  askedAt = Number.NEGATIVE_INFINITY;
  answered = false;
  readonly asked = new Bell();

  constructor(readonly setting: WitnessSetting) {
    this.key = encodeVerifierKey(setting.key);
  }

  succeed(): void {
    this.problem = null;
    this.pause = 0;
  }

  fail(problem: string): void {
    const [first, last] = cosigningTimes.pause;
    this.problem = problem;
    this.pause = Math.min(last, this.pause === 0 ? first : this.pause * 2);
  }
}

/** What went wrong, without addresses. */
function causeOf(error: unknown): string {
  const { cause, name, message } = error as Error & { cause?: { code?: string } };
  if (name === 'TimeoutError') return 'It did not answer in time.';
  return `It could not be reached: ${cause?.code ?? message}.`;
}
