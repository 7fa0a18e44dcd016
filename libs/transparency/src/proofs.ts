import { type Fault, fault } from './fault.js';
import { emptyRoot, HASH_BYTES, isTreeSize, nodeHash } from './merkle.js';

/** Hashes in the longest proof that is accepted. */
export const MAX_PROOF_HASHES = 63;

const proofInvalid = (): Fault => fault('ProofInvalid', 'The proof does not lead to the root.');

/**
 * Checks that the tree with `size` leaves and this root has the leaf with this hash at `index` (RFC 9162 section 2.1.3.2).
 * Null when it does.
 */
export function verifyInclusion(
  index: number,
  size: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): Fault | null {
  if (!isTreeSize(index) || !isTreeSize(size) || index >= size)
    return fault('OutOfRange', `The tree has no leaf ${index}.`);
  if (!areHashes([leaf, root, ...proof])) return proofInvalid();
  let node = index;
  let last = size - 1;
  let hash: Uint8Array = leaf;
  for (const sibling of proof) {
    if (last === 0) return proofInvalid();
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node > 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && equal(hash, root) ? null : proofInvalid();
}

/**
 * Checks that the tree with `newSize` leaves and `newRoot` begins with the one with `oldSize` leaves and `oldRoot`
 * (RFC 9162 section 2.1.4.2). Null when it does.
 */
export function verifyConsistency(
  oldSize: number,
  newSize: number,
  oldRoot: Uint8Array,
  newRoot: Uint8Array,
  proof: readonly Uint8Array[],
): Fault | null {
  if (!isTreeSize(oldSize) || !isTreeSize(newSize) || oldSize > newSize)
    return fault('OutOfRange', `A tree of ${newSize} leaves does not contain one of ${oldSize}.`);
  if (!areHashes([oldRoot, newRoot, ...proof])) return proofInvalid();
  if (oldSize === 0) return proof.length === 0 && equal(oldRoot, emptyRoot) ? null : proofInvalid();
  if (oldSize === newSize) return proof.length === 0 && equal(oldRoot, newRoot) ? null : proofInvalid();
  return foldConsistency(oldSize, newSize, oldRoot, newRoot, proof);
}

function foldConsistency(
  oldSize: number,
  newSize: number,
  oldRoot: Uint8Array,
  newRoot: Uint8Array,
  proof: readonly Uint8Array[],
): Fault | null {
  let node = oldSize - 1;
  let last = newSize - 1;
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  // An old tree that is one perfect subtree is its own first hash; `node` is 0 exactly then.
  const [first, ...rest] = node === 0 ? [oldRoot, ...proof] : proof;
  if (!first) return proofInvalid();
  let oldHash: Uint8Array = first;
  let newHash: Uint8Array = first;
  for (const sibling of rest) {
    if (last === 0) return proofInvalid();
    if (node % 2 === 1 || node === last) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      while (node % 2 === 0 && node > 0) [node, last] = [half(node), half(last)];
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && equal(oldHash, oldRoot) && equal(newHash, newRoot) ? null : proofInvalid();
}

const half = (value: number): number => Math.floor(value / 2);

const areHashes = (hashes: readonly Uint8Array[]): boolean =>
  hashes.length <= MAX_PROOF_HASHES + 2 && hashes.every((hash) => hash.length === HASH_BYTES);

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
