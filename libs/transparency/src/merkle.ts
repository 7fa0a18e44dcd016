import * as crypto from 'node:crypto';

/** Bytes of a SHA-256 hash. */
export const HASH_BYTES = 32;

/** The largest tree this library handles: sizes and indexes are safe integers. */
export const MAX_TREE_SIZE = Number.MAX_SAFE_INTEGER;

export const isTreeSize = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** The root of the tree without leaves: SHA-256 of nothing. */
export const emptyRoot: Buffer = crypto.createHash('sha256').digest();

/** `SHA-256(0x00 || entry)`, RFC 6962 section 2.1. */
export function leafHash(entry: Uint8Array): Buffer {
  if (entry.length !== HASH_BYTES) return crypto.createHash('sha256').update(leafPrefix).update(entry).digest();
  leafInput.set(entry, 1);
  return sha256(leafInput);
}

/** `SHA-256(0x01 || left || right)`, RFC 6962 section 2.1. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_BYTES);
  return sha256(nodeInput);
}

const leafPrefix = Buffer.from([0]);
/** Reused for every hash: building a tree computes two per leaf. */
const leafInput = Buffer.alloc(1 + HASH_BYTES, 0);
const nodeInput = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** Asking Node for a string and copying it takes a third of the time of asking for a buffer. */
function sha256(input: Buffer): Buffer {
  return Buffer.from(crypto.hash('sha256', input, 'binary'), 'latin1');
}

/**
 * The leaves from `start` up to but not including `end`; `start` is a multiple of the smallest power of two that is at
 * least `end - start`, as for every subtree that RFC 6962 proofs consist of.
 */
export interface Subtree {
  readonly start: number;
  readonly end: number;
}

/** A perfect subtree of 2^height leaves, the `index`-th of its height from the left. */
export interface TreeNode {
  readonly height: number;
  readonly index: number;
}

/** The subtrees whose roots prove that a tree of `size` leaves has the leaf `index`, from the leaf's sibling upwards. */
export function inclusionPath(index: number, size: number): Subtree[] {
  const path: Subtree[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      path.push({ start: middle, end });
      end = middle;
    } else {
      path.push({ start, end: middle });
      start = middle;
    }
  }
  return path.reverse();
}

/** The subtrees whose roots prove that the tree of `newSize` begins with the tree of `oldSize` (RFC 6962 section 2.1.2). */
export function consistencyPath(oldSize: number, newSize: number): Subtree[] {
  if (oldSize === 0 || oldSize === newSize) return [];
  const path: Subtree[] = [];
  let start = 0;
  let end = newSize;
  while (end !== oldSize) {
    const middle = start + splitPoint(end - start);
    if (oldSize <= middle) {
      path.push({ start: middle, end });
      end = middle;
    } else {
      path.push({ start, end: middle });
      start = middle;
    }
  }
  // The old root is known to the verifier unless the old tree is cut into several subtrees.
  if (start > 0) path.push({ start, end });
  return path.reverse();
}

/** The perfect subtrees that make up a subtree, from left to right. */
export function perfectSubtrees({ start, end }: Subtree): TreeNode[] {
  const nodes: TreeNode[] = [];
  let at = start;
  while (at < end) {
    const height = log2Floor(end - at);
    const leaves = 2 ** height;
    nodes.push({ height, index: at / leaves });
    at += leaves;
  }
  return nodes;
}

/** The root over the perfect subtrees of one subtree, given from left to right. */
export function rootOf(hashes: readonly Uint8Array[]): Buffer {
  const last = hashes.at(-1);
  if (!last) return emptyRoot;
  let root = Buffer.from(last);
  for (let i = hashes.length - 2; i >= 0; i--) root = nodeHash(hashes[i] as Uint8Array, root) as Buffer<ArrayBuffer>;
  return root;
}

/** The largest power of two below `leaves`, which is at least 2. */
const splitPoint = (leaves: number): number => 2 ** log2Floor(leaves - 1);

/** Exact for safe integers, which `Math.log2` is not. */
function log2Floor(value: number): number {
  return value < 2 ** 32 ? 31 - Math.clz32(value) : 63 - Math.clz32(value / 2 ** 32);
}
