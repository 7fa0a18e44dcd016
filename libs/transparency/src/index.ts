export * from './bundle/bundle-format.js';
export { type Envelope, openSealed, parseEnvelope } from './bundle/envelope.js';
export { describeFinding, type Finding, type FindingCode, type Findings, type Place } from './bundle/findings.js';
export { readTar, type TarFile, tarEnd, tarHeader, tarPadding } from './bundle/tar.js';
export { type BundleKeys, type BundleReport, verifyBundle } from './bundle/verify-bundle.js';
export * from './checkpoint.js';
export * from './fault.js';
export * from './keys.js';
export { emptyRoot, HASH_BYTES, leafHash, MAX_TREE_SIZE, nodeHash } from './merkle.js';
export * from './note.js';
export {
  encodeLogProof,
  type LogProof,
  logProofLimits,
  parseLogProof,
  type VerifiedLogProof,
  verifyLogProof,
} from './proof-text.js';
export * from './proofs.js';
export * from './tiles.js';
export * from './tree-builder.js';
export * from './tree-reader.js';
export * from './witness.js';
