import { type Fault, fault, isFault } from './fault.js';
import {
  consistencyPath,
  HASH_BYTES,
  inclusionPath,
  isTreeSize,
  nodeHash,
  perfectSubtrees,
  rootOf,
  type Subtree,
  type TreeNode,
} from './merkle.js';
import { TILE_HEIGHT, TILE_WIDTH, type TileId, tilePath, widthInTree } from './tiles.js';

/** Reads tiles; null in the place of one that is not there. A wider tile in the place of a partial one is accepted. */
export type TileReader = (tiles: readonly TileId[]) => Promise<readonly (Uint8Array | null)[]>;

/** Tiles, with all nodes inside them, that a reader remembers: some 16 KiB each. */
const REMEMBERED_TILES = 64;

/** Computes roots and proofs of a tree of one size from its tiles. Trusts the tiles: whoever gets a proof verifies it. */
export class TreeReader {
  /** Nodes of each tile by height above its level, the least recently used tile first. */
  private readonly remembered = new Map<number, Buffer[][]>();
  /** The tile of leaves whose proofs were computed last: above it they are all the same. */
  private last: { readonly tile: number; readonly nodes: Buffer[][]; readonly above: readonly Buffer[] } | null = null;

  private constructor(
    readonly size: number,
    private readonly readTiles: TileReader,
  ) {}

  static of(size: number, readTiles: TileReader): TreeReader | Fault {
    return isTreeSize(size) ? new TreeReader(size, readTiles) : fault('OutOfRange', 'No tree has this size.');
  }

  async root(): Promise<Buffer | Fault> {
    const roots = await this.subtrees([{ start: 0, end: this.size }]);
    return isFault(roots) ? roots : (roots[0] as Buffer);
  }

  /** The proof that the tree has the leaf `index`: hashes from the leaf's sibling upwards. */
  async inclusionProof(index: number): Promise<Buffer[] | Fault> {
    if (!isTreeSize(index) || index >= this.size) return fault('OutOfRange', `The tree has no leaf ${index}.`);
    const tile = Math.floor(index / TILE_WIDTH);
    if (this.last?.tile !== tile && (tile + 1) * TILE_WIDTH <= this.size) {
      const found = await this.leaves(tile);
      if (isFault(found)) return found;
      this.last = found;
    }
    if (this.last?.tile !== tile) return this.subtrees(inclusionPath(index, this.size));
    return [...siblings(this.last.nodes, index % TILE_WIDTH), ...this.last.above];
  }

  /** A whole tile of leaves, and what follows in the proof of each of them. */
  private async leaves(tile: number): Promise<NonNullable<TreeReader['last']> | Fault> {
    const path = inclusionPath(tile * TILE_WIDTH, this.size).slice(TILE_HEIGHT);
    const [above, tiles] = [
      await this.subtrees(path),
      await this.tilesOf([{ level: 0, index: tile, width: TILE_WIDTH }]),
    ];
    if (isFault(above)) return above;
    return isFault(tiles) ? tiles : { tile, nodes: tiles[0] as Buffer[][], above };
  }

  /** The proof that this tree begins with the tree of `oldSize` leaves. */
  async consistencyProof(oldSize: number): Promise<Buffer[] | Fault> {
    if (!isTreeSize(oldSize) || oldSize > this.size) return fault('OutOfRange', `The tree has no ${oldSize} leaves.`);
    return this.subtrees(consistencyPath(oldSize, this.size));
  }

  /** The hashes of perfect subtrees. */
  async nodes(nodes: readonly TreeNode[]): Promise<Buffer[] | Fault> {
    const tiles = await this.tilesOf(nodes.map((node) => tileOf(node, this.size)));
    if (isFault(tiles)) return tiles;
    return nodes.map((node, i) => {
      const height = node.height % TILE_HEIGHT;
      return tiles[i]?.[height]?.[node.index % (TILE_WIDTH / 2 ** height)] as Buffer;
    });
  }

  private async subtrees(subtrees: Subtree[]): Promise<Buffer[] | Fault> {
    const parts = subtrees.map(perfectSubtrees);
    const hashes = await this.nodes(parts.flat());
    if (isFault(hashes)) return hashes;
    let at = 0;
    return parts.map((part) => {
      const root = rootOf(hashes.slice(at, at + part.length));
      at += part.length;
      return root;
    });
  }

  /** The tiles with the nodes inside them, in the order in which they were asked for. */
  private async tilesOf(ids: readonly TileId[]): Promise<Buffer[][][] | Fault> {
    const missing = new Map<number, TileId>();
    for (const id of ids) if (!this.remembered.has(keyOf(id))) missing.set(keyOf(id), id);
    const read = missing.size > 0 ? await this.readTiles([...missing.values()]) : [];
    const found = new Map<number, Buffer[][]>();
    for (const [i, [key, id]] of [...missing].entries()) {
      const bytes = read[i];
      if (!bytes || bytes.length < id.width * HASH_BYTES || bytes.length > TILE_WIDTH * HASH_BYTES)
        return fault('TileMissing', `${tilePath(id)} is missing.`);
      found.set(key, nodesOf(bytes, id.width));
    }
    const tiles = ids.map((id) => (found.get(keyOf(id)) ?? this.remembered.get(keyOf(id))) as Buffer[][]);
    for (const [i, id] of ids.entries()) this.remember(keyOf(id), tiles[i] as Buffer[][]);
    return tiles;
  }

  private remember(key: number, nodes: Buffer[][]): void {
    this.remembered.delete(key);
    this.remembered.set(key, nodes);
    if (this.remembered.size <= REMEMBERED_TILES) return;
    for (const oldest of this.remembered.keys()) {
      this.remembered.delete(oldest);
      return;
    }
  }
}

/** The siblings on the way from a leaf of a whole tile to its root. */
const siblings = (nodes: readonly Buffer[][], leaf: number): Buffer[] =>
  nodes.map((row, height) => row[Math.floor(leaf / 2 ** height) ^ 1] as Buffer);

/** Level and index in one number: a level has at most 2^45 tiles. */
const keyOf = ({ index, level }: TileId): number => index * 8 + Number(level);

function tileOf({ height, index }: TreeNode, size: number): TileId {
  const level = Math.floor(height / TILE_HEIGHT);
  const tile = Math.floor(index / 2 ** (TILE_HEIGHT - (height % TILE_HEIGHT)));
  return { level, index: tile, width: widthInTree(level, tile, size) };
}

/** All perfect subtrees inside a tile, by height. */
function nodesOf(bytes: Uint8Array, width: number): Buffer[][] {
  const copy = Buffer.from(bytes);
  let row = Array.from({ length: width }, (_, i) => copy.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
  const rows: Buffer[][] = [row];
  for (let height = 1; height < TILE_HEIGHT; height++) {
    const above: Buffer<ArrayBuffer>[] = [];
    for (let i = 0; i + 1 < row.length; i += 2)
      above.push(nodeHash(row[i] as Buffer, row[i + 1] as Buffer) as Buffer<ArrayBuffer>);
    rows.push(above);
    row = above;
  }
  return rows;
}
