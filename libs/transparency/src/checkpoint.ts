import { decodeHash } from './base64.js';
import { type Fault, fault, isFault } from './fault.js';
import type { VerifierKey } from './keys.js';
import { emptyRoot, HASH_BYTES, isTreeSize } from './merkle.js';
import { type Note, parseNote, type VerifiedSignature, verifySignatures } from './note.js';

/** The state of a log (c2sp.org/tlog-checkpoint). */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  /** Lines that this library leaves uninterpreted; our logs have none. */
  readonly extensions: readonly string[];
}

export const checkpointLimits = { originBytes: 255, extensions: 16, extensionCharacters: 1_000 } as const;

/** The text that is signed. Throws RangeError for what no checkpoint can hold. */
export function encodeCheckpoint({
  origin,
  size,
  root,
  extensions = [],
}: Omit<Checkpoint, 'extensions'> & Partial<Checkpoint>): string {
  if (!isOrigin(origin)) throw new RangeError('This cannot be an origin.');
  if (!isTreeSize(size)) throw new RangeError('This cannot be the size of a tree.');
  if (root.length !== HASH_BYTES) throw new RangeError('A root has 32 bytes.');
  if (!extensions.every((line) => line.length > 0 && !line.includes('\n')))
    throw new RangeError('An extension is a line.');
  return [origin, size, root.toString('base64'), ...extensions, ''].join('\n');
}

export function parseCheckpoint(text: string): Checkpoint | Fault {
  const [origin = '', size = '', root = '', ...rest] = text.split('\n');
  const extensions = rest.slice(0, -1);
  const hash = decodeHash(root);
  if (rest.at(-1) !== '' || !isOrigin(origin) || !hash || !isDecimal(size))
    return fault('Malformed', 'A checkpoint has an origin, a size and a root, each on a line.');
  if (!isTreeSize(Number(size))) return fault('TooLarge', 'The tree is too large.');
  if (
    extensions.length > checkpointLimits.extensions ||
    extensions.some((line) => line.length > checkpointLimits.extensionCharacters)
  )
    return fault('TooLarge', 'The checkpoint has too many extension lines, or too long ones.');
  if (extensions.includes('')) return fault('Malformed', 'A checkpoint has no empty lines.');
  if (Number(size) === 0 && !hash.equals(emptyRoot))
    return fault('Malformed', 'The root is not that of the empty tree.');
  return { origin, size: Number(size), root: hash, extensions };
}

/** Whose checkpoints are accepted, and whose cosignatures count. */
export interface CheckpointPolicy {
  readonly origin: string;
  /** Keys of the log. Only those named like the origin may sign a checkpoint; any of them is enough. */
  readonly logKeys: readonly VerifierKey[];
  readonly witnessKeys?: readonly VerifierKey[];
  /** How many of the witnesses must have cosigned; 0 when not given. */
  readonly quorum?: number;
}

export interface VerifiedCheckpoint extends Checkpoint {
  /** The text that was signed. */
  readonly text: string;
  readonly signedBy: readonly VerifierKey[];
  /** By the witnesses of the policy, each once. */
  readonly cosignatures: readonly (VerifiedSignature & { readonly time: number })[];
}

/** Verifies a signed checkpoint. Nothing in it may be believed before. */
export function openCheckpoint(note: string | Uint8Array | Note, policy: CheckpointPolicy): VerifiedCheckpoint | Fault {
  const parsed = typeof note === 'object' && 'signatures' in note ? note : parseNote(note);
  if (isFault(parsed)) return parsed;
  const logKeys = policy.logKeys.filter((key) => key.type === 'ed25519' && key.name === policy.origin);
  const signatures = verifySignatures(parsed, logKeys);
  if (isFault(signatures)) return signatures;
  if (signatures.length === 0)
    return fault('NotSigned', `The checkpoint is not signed by a trusted key of ${policy.origin}.`);
  const checkpoint = parseCheckpoint(parsed.text);
  if (isFault(checkpoint)) return checkpoint;
  if (checkpoint.origin !== policy.origin)
    return fault('WrongOrigin', `The checkpoint is of another log than ${policy.origin}.`);
  const cosignatures = verifyCosignatures(parsed, policy.witnessKeys ?? []);
  if (isFault(cosignatures)) return cosignatures;
  const quorum = policy.quorum ?? 0;
  if (cosignatures.length < quorum)
    return fault('BelowQuorum', `${cosignatures.length} of the ${quorum} witnesses needed have cosigned.`);
  return { ...checkpoint, text: parsed.text, signedBy: signatures.map(({ key }) => key), cosignatures };
}

/** The cosignatures of a note by these witnesses. A witness with several keys of one name counts once. */
export function verifyCosignatures(
  note: Note,
  witnessKeys: readonly VerifierKey[],
): (VerifiedSignature & { time: number })[] | Fault {
  const signatures = verifySignatures(
    note,
    witnessKeys.filter((key) => key.type === 'cosignature'),
  );
  if (isFault(signatures)) return signatures;
  const byName = new Map<string, VerifiedSignature & { time: number }>();
  for (const { key, time } of signatures)
    if (time !== null && !byName.has(key.name)) byName.set(key.name, { key, time });
  return [...byName.values()];
}

export const isDecimal = (text: string): boolean => /^(0|[1-9][0-9]{0,19})$/.test(text);

const isOrigin = (origin: string): boolean =>
  origin.length > 0 &&
  origin.isWellFormed() &&
  !/\p{Cc}/u.test(origin) &&
  Buffer.byteLength(origin) <= checkpointLimits.originBytes;
