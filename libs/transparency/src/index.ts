export * from './fault.js';
export { emptyRoot, HASH_BYTES, leafHash, MAX_TREE_SIZE, nodeHash } from './merkle.js';
export * from './proofs.js';
export * from './tiles.js';
export * from './tree-builder.js';
export * from './tree-reader.js';
