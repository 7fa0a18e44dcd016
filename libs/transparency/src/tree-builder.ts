import { type Fault, fault, isFault } from './fault.js';
import { emptyRoot, HASH_BYTES, leafHash, MAX_TREE_SIZE, nodeHash, perfectSubtrees, rootOf } from './merkle.js';
import { encodeEntryBundle, TILE_HEIGHT, TILE_WIDTH, type Tile, type TileId, widthInTree } from './tiles.js';
import { type TileReader, TreeReader } from './tree-reader.js';

/**
 * A growing tree over entries of 32 bytes. Appending a leaf costs two hashes on average, a root as many as the size has
 * binary digits. In memory are only the right edge of the tree and the tiles that nobody has taken yet.
 */
export class TreeBuilder {
  private leaves = 0;
  /** Roots of the perfect subtrees that make up the tree, from left to right. */
  private readonly edge: Buffer[] = [];
  /** The rightmost tile of each level, and the entries beside those of level 0; empty where the tree ends with a full one. */
  private readonly open: Buffer[][] = [];
  private openEntries: Buffer[] = [];
  /** Width of each open tile when it was taken last. */
  private readonly taken: number[] = [];
  private full: Tile[] = [];

  get size(): number {
    return this.leaves;
  }

  /** The root of the tree as it is now. */
  root(): Buffer {
    return this.edge.length === 0 ? emptyRoot : rootOf(this.edge);
  }

  /** Throws RangeError for entries that are not hashes. */
  append(entries: readonly Uint8Array[]): void {
    if (this.leaves + entries.length > MAX_TREE_SIZE) throw new RangeError('The tree is full.');
    for (const entry of entries) if (entry.length !== HASH_BYTES) throw new RangeError('An entry has 32 bytes.');
    for (const entry of entries) this.appendEntry(entry);
  }

  /**
   * The tiles that are new or wider since the last call, full ones before partial ones: what has to be stored together
   * with a checkpoint of the present size. A wider tile replaces the partial one at its place.
   */
  takeTiles(): Tile[] {
    const tiles = this.full;
    this.full = [];
    this.open.forEach((hashes, level) => {
      if (hashes.length === 0 || hashes.length === this.taken[level]) return;
      this.taken[level] = hashes.length;
      const index = Math.floor(this.leaves / TILE_WIDTH ** (level + 1));
      if (level === 0) tiles.push(bundleOf(index, this.openEntries));
      tiles.push(tileOf(level, index, hashes));
    });
    return tiles;
  }

  /** Goes on with a tree of `size` leaves whose tiles are stored. */
  static async resume(size: number, readTiles: TileReader): Promise<TreeBuilder | Fault> {
    const reader = TreeReader.of(size, readTiles);
    if (isFault(reader)) return reader;
    const builder = new TreeBuilder();
    const edge = await reader.nodes(perfectSubtrees({ start: 0, end: size }));
    if (isFault(edge)) return edge;
    builder.edge.push(...edge);
    builder.leaves = size;
    for (const tile of openTiles(size)) {
      const [bytes] = await readTiles([tile]);
      if (bytes?.length !== tile.width * HASH_BYTES)
        return fault('TileMissing', `Tile ${tile.index} of level ${tile.level} is missing.`);
      builder.open[tile.level] = hashesOf(bytes);
      builder.taken[tile.level] = tile.width;
    }
    return builder.resumeEntries(readTiles);
  }

  private async resumeEntries(readTiles: TileReader): Promise<TreeBuilder | Fault> {
    const width = this.leaves % TILE_WIDTH;
    if (width === 0) return this;
    const [bundle] = await readTiles([{ level: 'entries', index: Math.floor(this.leaves / TILE_WIDTH), width }]);
    if (bundle?.length !== width * (2 + HASH_BYTES)) return fault('TileMissing', 'The last entry bundle is missing.');
    const bytes = Buffer.from(bundle);
    for (let at = 2; at < bytes.length; at += 2 + HASH_BYTES)
      this.openEntries.push(bytes.subarray(at, at + HASH_BYTES));
    return this;
  }

  private appendEntry(entry: Uint8Array): void {
    let hash = leafHash(entry);
    this.openEntries.push(Buffer.from(entry));
    this.extend(0, hash);
    // The binary digits of the size say which subtrees the new leaf completes.
    let leaves = this.leaves;
    for (let height = 1; leaves % 2 === 1; height++, leaves = (leaves - 1) / 2) {
      hash = nodeHash(this.edge.pop() as Buffer, hash);
      if (height % TILE_HEIGHT === 0) this.extend(height / TILE_HEIGHT, hash);
    }
    this.edge.push(hash);
    this.leaves++;
  }

  private extend(level: number, hash: Buffer): void {
    let hashes = this.open[level];
    if (!hashes) this.open[level] = hashes = [];
    hashes.push(hash);
    if (hashes.length < TILE_WIDTH) return;
    const index = Math.floor(this.leaves / TILE_WIDTH ** (level + 1));
    if (level === 0) {
      this.full.push(bundleOf(index, this.openEntries));
      this.openEntries = [];
    }
    this.full.push(tileOf(level, index, hashes));
    this.open[level] = [];
    this.taken[level] = 0;
  }
}

const tileOf = (level: number, index: number, hashes: Buffer[]): Tile => ({
  level,
  index,
  width: hashes.length,
  bytes: Buffer.concat(hashes),
});

const bundleOf = (index: number, entries: Buffer[]): Tile => ({
  level: 'entries',
  index,
  width: entries.length,
  bytes: encodeEntryBundle(entries),
});

/** The partial tiles at the right edge of a tree. */
function openTiles(size: number): (TileId & { level: number })[] {
  const tiles = [];
  for (let level = 0; TILE_WIDTH ** level <= size; level++) {
    const index = Math.floor(size / TILE_WIDTH ** (level + 1));
    const width = widthInTree(level, index, size);
    if (width > 0) tiles.push({ level, index, width });
  }
  return tiles;
}

function hashesOf(bytes: Uint8Array): Buffer[] {
  const copy = Buffer.from(bytes);
  return Array.from({ length: copy.length / HASH_BYTES }, (_, i) =>
    copy.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}
