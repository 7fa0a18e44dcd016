import { hashOf, peek, type StoredEvent } from '@verbatim/event-store';
import {
  encodeEntryBundle,
  existsInTree,
  isFault,
  openCheckpoint,
  parseNote,
  parseVerifierKey,
  TILE_WIDTH,
  type Tile,
  TreeBuilder,
  tilePath,
  type VerifierKey,
  verifyCosignatures,
  widthInTree,
} from '@verbatim/transparency';
import type { LogTree, LogTrees, StoredCheckpoint } from '../../storage/transparency/log-trees.js';
import type { KeptCheckpoint } from './kept-checkpoints.js';

/** Events after which their entries are compared with what is stored. */
const COMPARED_AT_ONCE = 8 * TILE_WIDTH;
/** Findings that are listed of each kind that can come in numbers. */
const LISTED = 20;

/** What a log is checked against. */
export interface TreeCheckParts {
  /** The tree in the database of the log, with what was signed, as it is at one moment; null where there is none. */
  readonly stored: StoredTree | null;
  readonly kept: readonly KeptCheckpoint[];
  /** Keys that are trusted. */
  readonly keys: readonly VerifierKey[];
}

export interface StoredTree {
  /** For its tiles, which may have grown. */
  readonly trees: LogTrees;
  readonly tree: LogTree;
  readonly checkpoints: readonly StoredCheckpoint[];
  readonly cosigned: Awaited<ReturnType<LogTrees['cosignedNotes']>>;
}

/** The tree that grows, to be checked; null before there is one. */
export const storedTree = (trees: LogTrees): Promise<StoredTree | null> =>
  trees.consistently(async (now) => {
    const tree = await now.newest();
    if (!tree) return null;
    const checkpoints = await now.checkpoints(tree.number);
    return { trees, tree, checkpoints, cosigned: await now.cosignedNotes(tree.number) };
  });

/** A checkpoint that the log has to lead to. */
interface Milestone {
  readonly size: number;
  readonly root: Buffer;
  /** How it is called in a finding. */
  readonly name: string;
  readonly kept: boolean;
}

/**
 * Builds the tree of a log again, from the texts of its events alone, and compares it with everything that was signed: the
 * tiles and checkpoints in the database, and checkpoints that somebody kept. Each finding names the first ordinal, with its
 * stream and revision, or the span of ordinals in which something was changed.
 */
export class TreeCheck {
  /** Sentences, each with the place. */
  readonly findings: string[] = [];
  /** What could not be checked. */
  readonly unchecked: string[] = [];
  private readonly builder = new TreeBuilder();
  private readonly milestones: Milestone[];
  private reached = 0;
  private lastSound = 0;
  private firstWrong: string | null = null;
  /** The events since the last comparison, with those of their bundle before them; the first is of ordinal `recentFrom`. */
  private recent: { readonly place: string; readonly entry: Buffer }[] = [];
  private recentFrom = 0;
  private lastHash = '';
  private readonly begun = new Map<number, string>();

  constructor(private readonly parts: TreeCheckParts) {
    const { stored, kept } = parts;
    this.milestones = [
      ...(stored?.checkpoints ?? []).map(({ size, root }) => ({ size, root, name: 'the checkpoint', kept: false })),
      ...kept.map(({ size, root, from }) => ({ size, root, name: `the checkpoint kept in ${from}`, kept: true })),
    ].sort((a, b) => a.size - b.size);
    this.verifySignatures();
  }

  get events(): number {
    return this.builder.size;
  }

  async add(event: StoredEvent): Promise<void> {
    const hash = hashOf(event.sealed);
    const entry = Buffer.from(hash, 'hex');
    this.builder.append([entry]);
    this.recent.push({ place: `${event.stream} revision ${event.revision}`, entry });
    if (event.type === 'AuditLogBegun') this.note(event);
    if (this.builder.size === this.storedSize) this.lastHash = hash;
    if (this.builder.size % COMPARED_AT_ONCE === 0 || this.builder.size === this.storedSize) await this.compare();
    await this.pass();
  }

  async end(): Promise<void> {
    await this.compare();
    const { size } = this.builder;
    const missed = new Map(this.milestones.slice(this.reached).map((milestone) => [milestone.name, milestone]));
    for (const { size: due, name } of missed.values())
      this.find(`ordinal ${size}: the log ends here, and ${name} covers ${due} events; the others are missing.`);
    const { stored } = this.parts;
    if (stored) this.compareTree(stored.tree);
  }

  /** Events that no checkpoint covers. */
  get uncovered(): number {
    return Math.max(0, this.builder.size - (this.milestones.at(-1)?.size ?? 0));
  }

  private get storedSize(): number {
    return this.parts.stored?.tree.size ?? 0;
  }

  /** Compares roots with those of checkpoints of the size that has been reached. */
  private async pass(): Promise<void> {
    for (
      let next = this.milestones[this.reached];
      next?.size === this.builder.size;
      next = this.milestones[this.reached]
    ) {
      this.reached++;
      if (this.builder.root().equals(next.root)) this.lastSound = next.size;
      else await this.missed(next);
    }
  }

  /** Where the first difference is known, checkpoints of the database after it say nothing new. */
  private async missed({ size, name, kept }: Milestone): Promise<void> {
    if (this.firstWrong === null) await this.compareRecent();
    const explained = this.firstWrong !== null;
    this.firstWrong ??= `ordinals ${this.lastSound} to ${size - 1}`;
    if (!explained || kept)
      this.find(`${this.firstWrong}: the events are not those over which ${name} of size ${size} was signed.`);
  }

  private async compare(): Promise<void> {
    const { stored } = this.parts;
    const { size } = this.builder;
    const all = this.builder.takeTiles();
    const bundleStart = Math.floor(size / TILE_WIDTH) * TILE_WIDTH;
    if (stored && this.recentFrom < this.storedSize) {
      // A tile that is wider in the database has grown since; it is compared as far as this one goes.
      const due = all.filter((tile) => existsInTree(tile, this.storedSize));
      for (let from = 0; from < due.length; from += 64) await this.compareTiles(stored, due.slice(from, from + 64));
    }
    this.recent = this.recent.slice(bundleStart - this.recentFrom);
    this.recentFrom = bundleStart;
  }

  /** Finds the first of the recent events that is not the one that is stored at its ordinal. */
  private async compareRecent(): Promise<void> {
    const { stored } = this.parts;
    for (let at = 0; stored && at < this.recent.length; at += TILE_WIDTH) {
      const entries = this.recent.slice(at, at + TILE_WIDTH).map(({ entry }) => entry);
      const index = (this.recentFrom + at) / TILE_WIDTH;
      const width = Math.min(entries.length, widthInTree('entries', index, this.storedSize));
      const bytes = encodeEntryBundle(entries.slice(0, width));
      const [there] =
        width > 0 ? await stored.trees.tiles(stored.tree.number)([{ level: 'entries', index, width }]) : [];
      if (there && Buffer.compare(there, bytes) !== 0)
        return this.differs({ level: 'entries', index, width, bytes }, there);
    }
  }

  private async compareTiles({ trees, tree }: StoredTree, tiles: readonly Tile[]) {
    const stored = await trees.tiles(tree.number)(tiles);
    for (const [i, tile] of tiles.entries()) {
      const bytes = stored[i];
      if (bytes && Buffer.compare(bytes, tile.bytes) === 0) continue;
      if (!bytes) this.find(`${tilePath(tile)}: it is missing in the database.`);
      else if (tile.level === 'entries') this.differs(tile, bytes);
      else if (this.firstWrong === null) this.find(`${tilePath(tile)}: its hashes are not those of the log.`);
    }
  }

  private differs({ index, bytes }: Tile, stored: Uint8Array): void {
    if (this.firstWrong !== null) return;
    const at = bytes.findIndex((byte, i) => byte !== stored[i]);
    const ordinal = index * TILE_WIDTH + Math.floor(at / ENTRY_BYTES);
    this.firstWrong = `ordinal ${ordinal} (${this.recent[ordinal - this.recentFrom]?.place ?? 'no event'})`;
    this.find(`${this.firstWrong}: the event is not the one that was signed here.`);
  }

  private compareTree({ number, origin, size, last, published }: LogTree): void {
    const newest = this.milestones.filter(({ kept }) => !kept).at(-1)?.size ?? 0;
    if (newest !== size)
      this.find(`ordinal ${size}: the tree has ${size} entries, and its newest checkpoint covers ${newest}.`);
    if ((published ?? 0) > size)
      this.find(`ordinal ${size}: a checkpoint of size ${published} is shown that does not exist.`);
    if (last && this.builder.size >= size && last.hash !== this.lastHash && this.firstWrong === null)
      this.find(`ordinal ${size - 1}: the tree says that its last event has another hash.`);
    if (number > 1 && this.begun.get(number) !== origin)
      this.find(`tree ${number}: no event AuditLogBegun in the log begins the tree ${origin}.`);
  }

  private note({ sealed }: StoredEvent): void {
    const { tree, origin } = peek(sealed).data as { tree?: unknown; origin?: unknown };
    if (typeof tree === 'number' && typeof origin === 'string') this.begun.set(tree, origin);
  }

  // Signatures -----------------------------------------------------------------------------------------------------------

  private verifySignatures(): void {
    const { stored, kept, keys } = this.parts;
    const origins = new Set([...(stored ? [stored.tree.origin] : []), ...kept.map(({ origin }) => origin)]);
    for (const origin of origins)
      if (!keys.some(({ name }) => name === origin))
        this.unchecked.push(`No key ${origin} was given, so the signatures of that log were not checked.`);
    for (const checkpoint of kept)
      this.verifyNote(checkpoint.origin, checkpoint.note, checkpoint, `kept in ${checkpoint.from}`);
    if (stored) this.verifyStored(stored);
  }

  private verifyStored({ tree: { origin }, checkpoints, cosigned }: StoredTree): void {
    for (const checkpoint of checkpoints) {
      if (checkpoint.note !== null) this.verifyNote(origin, checkpoint.note, checkpoint, 'in the database');
      else if (checkpoint !== checkpoints.at(-1))
        this.find(`ordinal ${checkpoint.size - 1}: the checkpoint of size ${checkpoint.size} has no signature.`);
    }
    for (const { size, key, note } of cosigned) {
      const witness = parseVerifierKey(key);
      const parsed = parseNote(note);
      const verified = isFault(witness) ? witness : isFault(parsed) ? parsed : verifyCosignatures(parsed, [witness]);
      if (isFault(verified) || verified.length === 0)
        this.find(`ordinal ${size - 1}: a cosignature of the checkpoint of size ${size} does not hold.`);
    }
  }

  private verifyNote(
    origin: string,
    note: string,
    { size, root }: { size: number; root: Buffer },
    where: string,
  ): void {
    const { keys } = this.parts;
    if (!keys.some(({ name }) => name === origin)) return;
    const opened = openCheckpoint(note, { origin, logKeys: keys });
    const problem = isFault(opened)
      ? opened.detail
      : opened.size === size && opened.root.equals(root)
        ? null
        : 'It is over another tree than the one it is stored for.';
    if (problem) this.find(`ordinal ${size - 1}: the checkpoint of size ${size} ${where} does not hold. ${problem}`);
  }

  private find(sentence: string): void {
    if (this.findings.length < LISTED) this.findings.push(sentence);
    else if (this.findings.length === LISTED) this.findings.push('There are more findings, which are not listed.');
  }
}

/** Bytes of an entry in a bundle. */
const ENTRY_BYTES = 34;
