import { decodeBase64, decodeHash } from './base64.js';
import { type CheckpointPolicy, isDecimal, openCheckpoint, type VerifiedCheckpoint } from './checkpoint.js';
import { type Fault, fault, isFault } from './fault.js';
import { isTreeSize, leafHash } from './merkle.js';
import { noteLimits, parseNote } from './note.js';
import { MAX_PROOF_HASHES, verifyInclusion } from './proofs.js';

/** That a log holds an entry, as one text that needs nothing else but keys to be checked (c2sp.org/tlog-proof). */
export interface LogProof {
  readonly index: number;
  /** From the leaf's sibling upwards. */
  readonly hashes: readonly Buffer[];
  /** A signed note. */
  readonly checkpoint: string;
  /** Not covered by any signature. */
  readonly extra?: Buffer;
}

export const logProofLimits = { extraBytes: 65_536, bytes: noteLimits.bytes + 131_072 } as const;

const firstLine = 'c2sp.org/tlog-proof@v1';

export function encodeLogProof({ index, hashes, checkpoint, extra }: LogProof): string {
  const lines = [firstLine];
  if (extra) lines.push(`extra ${extra.toString('base64')}`);
  lines.push(`index ${index}`, ...hashes.map((hash) => hash.toString('base64')), '', checkpoint);
  return lines.join('\n');
}

/** Takes a proof apart and verifies nothing. */
export function parseLogProof(text: string): LogProof | Fault {
  if (text.length > logProofLimits.bytes) return fault('TooLarge', 'The proof is too large.');
  const end = text.indexOf('\n\n');
  if (end < 0) return fault('Malformed', 'A proof ends with a checkpoint, behind an empty line.');
  const [first, ...lines] = text.slice(0, end).split('\n');
  if (first !== firstLine) return fault('Malformed', `A proof begins with ${firstLine}.`);
  const extra = lines[0]?.startsWith('extra ')
    ? decodeBase64((lines.shift() as string).slice('extra '.length))
    : undefined;
  if (extra === null) return fault('Malformed', 'The extra data is not base64.');
  if (extra && extra.length > logProofLimits.extraBytes) return fault('TooLarge', 'The extra data is too large.');
  const [indexLine = '', ...hashLines] = lines;
  const index = parseNumber(indexLine, 'index ');
  if (index === null) return fault('Malformed', 'The index of the entry is missing.');
  const hashes = parseHashes(hashLines);
  if (isFault(hashes)) return hashes;
  const checkpoint = text.slice(end + 2);
  const note = parseNote(checkpoint);
  if (isFault(note)) return note;
  return { index, hashes, checkpoint, ...(extra && { extra }) };
}

export interface VerifiedLogProof {
  readonly index: number;
  readonly checkpoint: VerifiedCheckpoint;
}

/** Verifies that the log of the policy holds `entry`: signatures, cosignatures, and the way to the root. */
export function verifyLogProof(text: string, entry: Uint8Array, policy: CheckpointPolicy): VerifiedLogProof | Fault {
  const proof = parseLogProof(text);
  if (isFault(proof)) return proof;
  const checkpoint = openCheckpoint(proof.checkpoint, policy);
  if (isFault(checkpoint)) return checkpoint;
  const { index, hashes } = proof;
  return verifyInclusion(index, checkpoint.size, leafHash(entry), hashes, checkpoint.root) ?? { index, checkpoint };
}

/** The tree size or index behind a word at the beginning of a line, or null. */
export function parseNumber(line: string, word: string): number | null {
  const digits = line.slice(word.length);
  if (!line.startsWith(word) || !isDecimal(digits)) return null;
  return isTreeSize(Number(digits)) ? Number(digits) : null;
}

/** The hashes of a proof, one on a line. */
export function parseHashes(lines: readonly string[]): Buffer[] | Fault {
  if (lines.length > MAX_PROOF_HASHES) return fault('TooLarge', `A proof has at most ${MAX_PROOF_HASHES} hashes.`);
  const hashes = lines.map(decodeHash);
  return hashes.every((hash) => hash !== null) ? hashes : fault('Malformed', 'A line of the proof is not a hash.');
}
