import { setTimeout as sleep } from 'node:timers/promises';
import { type EventStore, eventsOf, type StoredEvent } from '@verbatim/event-store';
import {
  encodeCheckpoint,
  encodeVerifierKey,
  isFault,
  openCheckpoint,
  signNote,
  TreeReader,
} from '@verbatim/transparency';
import type { Logger } from 'pino';
import type { Clock } from '../../clock.js';
import type { WitnessSetting } from '../../storage/transparency/audit-log-settings.js';
import type { LogKeys } from '../../storage/transparency/log-keys.js';
import type { LogTree, LogTrees } from '../../storage/transparency/log-trees.js';
import type { WitnessFile } from '../../storage/transparency/witness-file.js';
import { Cosigning } from './cosigning.js';
import { GrowingTree } from './growing-tree.js';
import { Halted } from './halted.js';
import { behind, placeInLog } from './log-place.js';

export const signingLimits = {
  /** The most events that one checkpoint adds. */
  events: 1_000,
  /** Milliseconds from the first event that no checkpoint covers to the checkpoint that does. */
  delay: 500,
} as const;

/** Milliseconds between checks whether an operator has begun another tree. */
const CHECK_MS = 2_000;

export interface SigningParts {
  readonly store: EventStore;
  readonly trees: LogTrees;
  readonly keys: LogKeys;
  readonly file: WitnessFile | null;
  readonly witnesses: readonly WitnessSetting[];
  readonly quorum: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when everything stored has been checked, and signing begins. */
  readonly begun: (session: SigningSession) => void;
}

/**
 * The time during which this process signs one tree. It follows the log with its own subscription; each checkpoint goes
 * through the same steps, so that a process that dies at any of them leaves nothing ambiguous behind:
 *
 * 1. The size gets its root: tiles and root are stored, unless another process has stored that size.
 * 2. What is stored is signed. Ed25519 is deterministic, so signing again gives the same note.
 * 3. The note is stored, then written to the witness file.
 * 4. It is offered to witnesses, and published once it has its quorum.
 */
export class SigningSession {
  private growing: GrowingTree | null = null;
  private cosigning: Cosigning | null = null;
  private readonly over = new AbortController();
  private readonly until: AbortSignal;
  private turn: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private failed: { readonly error: unknown } | null = null;

  constructor(
    private tree: LogTree,
    private readonly parts: SigningParts,
    until: AbortSignal,
  ) {
    this.until = AbortSignal.any([until, this.over.signal]);
  }

  /** Events that no checkpoint covers yet. */
  get uncovered(): number {
    return this.growing?.uncovered ?? 0;
  }

  get witnesses(): Pick<Cosigning, 'cosigned' | 'statuses'> {
    return this.cosigning ?? { cosigned: 0, statuses: [] };
  }

  /** Signs until the process stops, another one takes over, or another tree is begun. Throws Halted or the failure. */
  async run(): Promise<void> {
    try {
      await this.prepare();
      await this.follow();
      if (!this.failed) await this.checkpoint();
    } catch (error) {
      this.end(error);
    } finally {
      clearTimeout(this.timer);
      this.over.abort();
      await this.turn.catch(() => undefined);
      await this.cosigning?.ended();
    }
    if (this.failed) throw this.failed.error;
  }

  private async follow(): Promise<void> {
    const subscription = await this.parts.store.subscribe(this.tree.last?.position ?? -1n, (events) =>
      this.take(events).catch((error: unknown) => this.end(error)),
    );
    try {
      this.parts.begun(this);
      while (!this.until.aborted) {
        await sleep(CHECK_MS, undefined, { signal: this.until }).catch(() => undefined);
        if (!this.until.aborted) await this.look();
      }
    } finally {
      await subscription.stop();
      clearTimeout(this.timer);
    }
  }

  private end(error: unknown): void {
    this.failed ??= { error };
    this.over.abort();
  }

  // Before anything is signed --------------------------------------------------------------------------------------------

  private async prepare(): Promise<void> {
    const { trees, store } = this.parts;
    this.growing = await GrowingTree.resume(trees, this.tree);
    const position = await placeInLog(store, trees, this.tree, this.until);
    if (this.tree.last) this.tree = { ...this.tree, last: { ...this.tree.last, position } };
    await this.compareWithFile();
    const newest = await this.finishCheckpoint();
    await this.askWitnesses(newest);
    await this.publishWithQuorum();
    if (this.tree.halted !== null) await trees.halt(this.tree.number, null);
  }

  /** A process may have died after storing the root of a size and before signing the checkpoint. */
  private async finishCheckpoint(): Promise<{ size: number; note: string } | null> {
    const stored = await this.parts.trees.newestCheckpoint(this.tree.number);
    if (!stored) return null;
    const note = stored.note ?? (await this.sign(stored.size, stored.root));
    const kept = await this.parts.file?.newest();
    if (kept?.checkpoint.origin !== this.tree.origin || kept.checkpoint.size < stored.size)
      await this.parts.file?.append(note);
    return { size: stored.size, note };
  }

  private async askWitnesses(newest: { size: number; note: string } | null): Promise<void> {
    const { trees, witnesses, quorum, clock, log } = this.parts;
    this.cosigning = new Cosigning(
      this.tree,
      {
        ...{ trees, witnesses, quorum, clock, log },
        ahead: (key, sentence) => this.end(new Halted(sentence, key)),
        quorumReached: (size) => void this.inTurn(() => this.publish(size)).catch((error: unknown) => this.end(error)),
      },
      this.until,
    );
    const { asked } = await this.cosigning.start(newest);
    await asked;
    const { halted, witnessAhead } = this.tree;
    if (halted !== null && witnessAhead !== null && !this.cosigning.hasCosignedAgain(witnessAhead))
      throw new Halted(halted, witnessAhead);
    this.until.throwIfAborted();
  }

  /**
   * The newest checkpoint in the witness file was signed, so the tree has to contain it. It may be larger than the
   * database's; the log must then have its events. Nothing smaller is signed meanwhile.
   */
  private async compareWithFile(): Promise<void> {
    const kept = await this.parts.file?.newest();
    if (!kept) return;
    const { origin, size, root } = kept.checkpoint;
    if (origin !== this.tree.origin) {
      if (this.tree.number > 1) return;
      throw new Halted(otherLog(origin, this.tree.origin));
    }
    const logKeys = (await this.parts.keys.published()).map(({ key }) => key);
    if (isFault(openCheckpoint(kept.note, { origin: this.tree.origin, logKeys })))
      throw new Halted(
        'The newest checkpoint in AUDIT_WITNESS_FILE is signed by a key that this database does not have.',
      );
    if (size > this.tree.size) await this.catchUpWith(size, root);
    const reader = TreeReader.of(size, this.parts.trees.tiles(this.tree.number));
    const own = isFault(reader) ? reader : await reader.root();
    if (isFault(own) || !own.equals(root)) throw new Halted(forked(size));
  }

  private async catchUpWith(size: number, root: Buffer): Promise<void> {
    const growing = this.growing as GrowingTree;
    for await (const event of eventsOf(this.parts.store, (this.tree.last?.position ?? -1n) + 1n)) {
      growing.append([event]);
      if (growing.size < size) continue;
      if (!growing.root().equals(root)) throw new Halted(forked(size));
      await this.grow();
      return;
    }
    throw new Halted(behind(growing.size, size));
  }

  // Signing ----------------------------------------------------------------------------------------------------------------

  private async take(events: readonly StoredEvent[]): Promise<void> {
    const growing = this.growing as GrowingTree;
    for (let at = 0; at < events.length; ) {
      const some = events.slice(at, at + signingLimits.events - growing.uncovered);
      growing.append(some);
      at += some.length;
      if (growing.uncovered >= signingLimits.events) await this.checkpoint();
    }
    if (growing.uncovered > 0 && !this.timer)
      this.timer = setTimeout(() => {
        this.timer = undefined;
        void this.checkpoint().catch((error: unknown) => this.end(error));
      }, signingLimits.delay);
  }

  /** Covers the events received so far. Calls run one after the other. */
  private checkpoint(): Promise<void> {
    return this.inTurn(() => this.cover());
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    this.turn = this.turn.then(work);
    return this.turn;
  }

  private async cover(): Promise<void> {
    if (this.growing?.uncovered === 0) return;
    const root = await this.grow();
    const note = await this.sign(this.tree.size, root);
    const { quorum, witnesses } = this.parts;
    if (quorum === 0) await this.publish(this.tree.size);
    else if (this.tree.belowQuorumSince === null) await this.setPublished(this.tree.published, this.parts.clock());
    if (witnesses.length > 0) this.cosigning?.offer({ size: this.tree.size, note });
  }

  private async grow(): Promise<Buffer> {
    const growth = (this.growing as GrowingTree).takeGrowth();
    if (!(await this.parts.trees.grow(this.tree, growth))) throw new Overtaken();
    this.tree = { ...this.tree, size: growth.size, last: growth.last };
    return growth.root;
  }

  private async sign(size: number, root: Buffer): Promise<string> {
    const { trees, keys, file } = this.parts;
    const { number, origin } = this.tree;
    const note = signNote(encodeCheckpoint({ origin, size, root }), await keys.checkpointKeys(origin));
    await trees.sign(number, size, note);
    await file?.append(note);
    return note;
  }

  // Showing ----------------------------------------------------------------------------------------------------------------

  /** The quorum may have changed since the previous process published. */
  private async publishWithQuorum(): Promise<void> {
    const { trees, witnesses, quorum, clock } = this.parts;
    const keys = witnesses.map(({ key }) => encodeVerifierKey(key));
    const size = await trees.withQuorum(this.tree.number, keys, quorum);
    const since = size === (this.tree.size || null) ? null : (this.tree.belowQuorumSince ?? clock());
    await this.setPublished(size, since);
  }

  private async publish(size: number): Promise<void> {
    if (size < (this.tree.published ?? 0)) return;
    const since = size === this.tree.size ? null : this.parts.clock();
    if (size === this.tree.published && (since === null) === (this.tree.belowQuorumSince === null)) return;
    await this.setPublished(size, since);
  }

  private async setPublished(published: number | null, belowQuorumSince: Date | null): Promise<void> {
    this.tree = { ...this.tree, published, belowQuorumSince };
    await this.parts.trees.publish(this.tree.number, published, belowQuorumSince);
  }

  private async look(): Promise<void> {
    const newest = await this.parts.trees.newest();
    if (newest?.number !== this.tree.number) this.over.abort();
  }
}

/** Another process signs. */
export class Overtaken extends Error {
  constructor() {
    super('Another process has signed a checkpoint of this size.');
  }
}

/** Only a tree that was begun after another one may follow checkpoints with another origin. */
const otherLog = (kept: string, origin: string): string =>
  `The newest checkpoint in AUDIT_WITNESS_FILE is of the log ${kept}, and this one is known as ${origin}. Restore what is missing, ` +
  'name another file, or begin a new tree (npm run cli -- audit new-log)';

const forked = (size: number): string =>
  `The log does not continue the checkpoint of size ${size} in AUDIT_WITNESS_FILE: it was changed, or put back and continued ` +
  'differently. To find out: npm run cli -- log verify';
