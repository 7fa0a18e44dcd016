import { decodeBase64 } from './base64.js';
import { cosignatureMessage, parseCosignature } from './cosignature.js';
import { type Fault, fault, isFault } from './fault.js';
import { ed25519Sign, ed25519Verify, isKeyName, type SigningKey, type VerifierKey } from './keys.js';

/** Limits of a note; the specification demands at least 16 signatures, each of which may have 5 kB. */
export const noteLimits = { bytes: 262_144, signatures: 100 } as const;

/** One line below the text of a note. Says nothing until it is verified. */
export interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  /** What follows the key ID: the signature, for a cosignature behind its timestamp. */
  readonly signature: Buffer;
}

/** A note taken apart, with nothing verified. */
export interface Note {
  /** Ends in a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A signature that was verified. */
export interface VerifiedSignature {
  readonly key: VerifierKey;
  /** Seconds since 1970 at which a witness cosigned; null for a signature of type `ed25519`. */
  readonly time: number | null;
}

export interface VerifiedNote {
  readonly text: string;
  /** At least one; the first one of each key. */
  readonly verified: readonly VerifiedSignature[];
}

/**
 * Signs a text that ends in a newline. `time` (seconds since 1970) is what keys of type `cosignature` state.
 * Throws RangeError for a text that no note can hold.
 */
export function signText(text: string, key: SigningKey, time = Math.floor(Date.now() / 1000)): NoteSignature {
  if (!isNoteText(text)) throw new RangeError('This cannot be the text of a note.');
  const { name, id: keyId } = key;
  if (key.type === 'ed25519') return { name, keyId, signature: ed25519Sign(Buffer.from(text), key) };
  const stamp = Buffer.alloc(8);
  stamp.writeBigUInt64BE(BigInt(time));
  return { name, keyId, signature: Buffer.concat([stamp, ed25519Sign(cosignatureMessage(text, time), key)]) };
}

/** A note with the signatures of these keys. */
export const signNote = (text: string, keys: readonly SigningKey[], time?: number): string =>
  encodeNote({ text, signatures: keys.map((key) => signText(text, key, time)) });

export const encodeNote = ({ text, signatures }: Note): string => `${text}\n${encodeSignatures(signatures)}`;

/** Signature lines alone, as a witness answers them. */
export const encodeSignatures = (signatures: readonly NoteSignature[]): string =>
  signatures.map(signatureLine).join('');

function signatureLine({ name, keyId, signature }: NoteSignature): string {
  const id = Buffer.alloc(4);
  id.writeUInt32BE(keyId);
  return `\u2014 ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`;
}

/** Adds signatures to a note; one by a key that has signed already takes the place of the older one. */
export function addSignatures(note: Note, added: readonly NoteSignature[]): Note {
  const isBy = (a: NoteSignature) => (b: NoteSignature) => a.name === b.name && a.keyId === b.keyId;
  return { text: note.text, signatures: [...note.signatures.filter((old) => !added.some(isBy(old))), ...added] };
}

/** Takes a note apart and verifies nothing. */
export function parseNote(note: string | Uint8Array): Note | Fault {
  if (note.length > noteLimits.bytes) return fault('TooLarge', 'The note is too large.');
  const whole = typeof note === 'string' ? note : decodeUtf8(note);
  const end = whole?.lastIndexOf('\n\n') ?? -1;
  if (!whole || !isNoteText(whole)) return fault('Malformed', 'The note has characters that no note may have.');
  if (end < 0) return fault('Malformed', 'A note is text, an empty line, and signatures.');
  const text = whole.slice(0, end + 1);
  const signatures = parseSignatures(whole.slice(end + 2));
  return isFault(signatures) ? signatures : { text, signatures };
}

/** Takes apart lines of signatures, of which there must be at least one. */
export function parseSignatures(lines: string): NoteSignature[] | Fault {
  if (lines.length > noteLimits.bytes) return fault('TooLarge', 'The signatures are too large.');
  if (!lines.endsWith('\n')) return fault('Malformed', 'A line of a signature ends in a newline.');
  const texts = lines.slice(0, -1).split('\n');
  if (texts.length > noteLimits.signatures) return fault('TooLarge', 'There are too many signatures.');
  const signatures = texts.map(parseSignature);
  const malformed = fault('Malformed', 'A signature has the form: em dash, name, base64.');
  return signatures.every((signature) => signature !== null) ? signatures : malformed;
}

function parseSignature(line: string): NoteSignature | null {
  const [, name, base64] = /^\u2014 ([^ ]+) ([^ ]+)$/u.exec(line) ?? [];
  if (name === undefined || base64 === undefined || !isKeyName(name)) return null;
  const bytes = decodeBase64(base64);
  return bytes && bytes.length > 4 ? { name, keyId: bytes.readUInt32BE(), signature: bytes.subarray(4) } : null;
}

/**
 * Verifies a note against the keys that are trusted. Signatures by other keys are ignored, one that claims to be by a
 * trusted key and is not makes the whole note worthless, and without any by a trusted key there is nothing to rely on.
 */
export function openNote(note: string | Uint8Array, keys: readonly VerifierKey[]): VerifiedNote | Fault {
  const parsed = parseNote(note);
  if (isFault(parsed)) return parsed;
  const verified = verifySignatures(parsed, keys);
  if (isFault(verified)) return verified;
  if (verified.length === 0) return fault('NotSigned', 'The note is not signed by a key that is trusted.');
  return { text: parsed.text, verified };
}

/** The signatures of a note by these keys, of each key the first; none is not a fault, a wrong one is. */
export function verifySignatures(note: Note, keys: readonly VerifierKey[]): VerifiedSignature[] | Fault {
  const verified: VerifiedSignature[] = [];
  for (const signature of note.signatures) {
    const key = keys.find(({ name, id }) => name === signature.name && id === signature.keyId);
    if (!key || verified.some((known) => known.key === key)) continue;
    const time = verifySignature(note.text, signature, key);
    if (time === false) return fault('BadSignature', `The signature by ${key.name} does not verify.`);
    verified.push({ key, time });
  }
  return verified;
}

/** The time of a cosignature, null for another valid signature, false for one that is not valid. */
function verifySignature(text: string, { signature }: NoteSignature, key: VerifierKey): number | null | false {
  if (key.type === 'ed25519') return ed25519Verify(Buffer.from(text), signature, key) ? null : false;
  const parsed = parseCosignature(signature);
  return parsed !== null && ed25519Verify(cosignatureMessage(text, parsed.time), parsed.signature, key) && parsed.time;
}

const isNoteText = (text: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the specification forbids exactly these.
  text.endsWith('\n') && text.isWellFormed() && !/[\u0000-\u0009\u000b-\u001f]/.test(text);

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
