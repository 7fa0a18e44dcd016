import * as crypto from 'node:crypto';
import { decodeBase64 } from './base64.js';
import { type Fault, fault, isFault } from './fault.js';

/**
 * How a key signs a note: `ed25519` the text itself (c2sp.org/signed-note), `cosignature` the text of a checkpoint with
 * the time at which it was seen (c2sp.org/tlog-cosignature, `cosignature/v1`).
 */
export type SignatureType = 'ed25519' | 'cosignature';

const typeBytes: Record<SignatureType, number> = { ed25519: 0x01, cosignature: 0x04 };

/** The public half of a key. Name and ID together say which signatures are claimed to be by it. */
export interface VerifierKey {
  readonly name: string;
  readonly id: number;
  readonly type: SignatureType;
  /** 32 bytes (RFC 8032). */
  readonly publicKey: Buffer;
}

/** A key that signs. `seed` is the private key of RFC 8032: 32 secret bytes. */
export interface SigningKey extends VerifierKey {
  readonly seed: Buffer;
}

const KEY_BYTES = 32;
const MAX_NAME_BYTES = 255;
const MAX_KEY_CHARACTERS = 1_000;

/** Whether this may be the name of a key: not empty, without Unicode spaces and plus signs. */
export const isKeyName = (name: string): boolean =>
  name.length > 0 && name.isWellFormed() && !/[\p{White_Space}+]/u.test(name);

/** The first four bytes of SHA-256 over name, newline, type and public key, as an unsigned number. */
function keyId(name: string, type: SignatureType, publicKey: Uint8Array): number {
  const hash = crypto
    .createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([typeBytes[type]]))
    .update(publicKey);
  return hash.digest().readUInt32BE();
}

/** Throws RangeError for a name or a public key that cannot be one. */
export function verifierKey(name: string, type: SignatureType, publicKey: Uint8Array): VerifierKey {
  if (!isKeyName(name) || Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw new RangeError('This cannot be the name of a key.');
  if (publicKey.length !== KEY_BYTES) throw new RangeError('An Ed25519 public key has 32 bytes.');
  return { name, id: keyId(name, type, publicKey), type, publicKey: Buffer.from(publicKey) };
}

/** `<name>+<id in hexadecimal>+<base64 of type and public key>`. */
export const encodeVerifierKey = ({ name, id, type, publicKey }: VerifierKey): string =>
  `${name}+${hexId(id)}+${Buffer.concat([Buffer.from([typeBytes[type]]), publicKey]).toString('base64')}`;

export function parseVerifierKey(text: string): VerifierKey | Fault {
  const parsed = parseKey(text);
  if (isFault(parsed)) return parsed;
  const { name, id, type, material } = parsed;
  return id === keyId(name, type, material)
    ? { name, id, type, publicKey: material }
    : fault('Malformed', 'The ID of the key is not that of its name and public key.');
}

/** A new key, or the one with this seed. */
export function signingKey(
  name: string,
  type: SignatureType = 'ed25519',
  seed: Uint8Array = crypto.randomBytes(KEY_BYTES),
): SigningKey {
  if (seed.length !== KEY_BYTES) throw new RangeError('The seed of an Ed25519 key has 32 bytes.');
  const spki = crypto.createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' });
  return { ...verifierKey(name, type, spki.subarray(-KEY_BYTES)), seed: Buffer.from(seed) };
}

/** `PRIVATE+KEY+<name>+<id>+<base64 of type and seed>`, the form that golang.org/x/mod/sumdb/note reads. */
export const encodeSigningKey = ({ name, id, type, seed }: SigningKey): string =>
  `${privatePrefix}${name}+${hexId(id)}+${Buffer.concat([Buffer.from([typeBytes[type]]), seed]).toString('base64')}`;

export function parseSigningKey(text: string): SigningKey | Fault {
  if (!text.startsWith(privatePrefix)) return fault('Malformed', 'This is not a signing key.');
  const parsed = parseKey(text.slice(privatePrefix.length));
  if (isFault(parsed)) return parsed;
  const key = signingKey(parsed.name, parsed.type, parsed.material);
  return key.id === parsed.id ? key : fault('Malformed', 'The ID of the key is not that of its name and public key.');
}

const privatePrefix = 'PRIVATE+KEY+';

const hexId = (id: number): string => id.toString(16).padStart(8, '0');

function parseKey(text: string): { name: string; id: number; type: SignatureType; material: Buffer } | Fault {
  if (text.length > MAX_KEY_CHARACTERS) return fault('TooLarge', 'The key is too long.');
  // The base64 may contain plus signs, the name may not.
  const [, name, id, base64] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(text) ?? [];
  if (
    name === undefined ||
    id === undefined ||
    base64 === undefined ||
    !isKeyName(name) ||
    Buffer.byteLength(name) > MAX_NAME_BYTES
  )
    return fault('Malformed', 'A key has the form name+id+base64.');
  const bytes = decodeBase64(base64);
  if (!bytes || bytes.length === 0) return fault('Malformed', 'The last part of a key is base64.');
  const type = (Object.keys(typeBytes) as SignatureType[]).find((type) => typeBytes[type] === bytes[0]);
  if (!type) return fault('UnsupportedKey', `Keys of type ${bytes[0]} are not supported.`);
  if (bytes.length !== 1 + KEY_BYTES) return fault('Malformed', 'An Ed25519 key has 32 bytes.');
  return { name, id: Number.parseInt(id, 16), type, material: bytes.subarray(1) };
}

// Ed25519 -------------------------------------------------------------------------------------------------------------

/** What precedes the 32 bytes in DER (RFC 8410). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

const privateKeyOf = (seed: Uint8Array): crypto.KeyObject =>
  crypto.createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });

const publicKeyOf = (key: Uint8Array): crypto.KeyObject =>
  crypto.createPublicKey({ key: Buffer.concat([spkiPrefix, key]), format: 'der', type: 'spki' });

const keyObjects = new WeakMap<object, crypto.KeyObject>();

/** Parsing a key costs more than signing with it. */
function keyObject(key: object, make: () => crypto.KeyObject): crypto.KeyObject {
  let object = keyObjects.get(key);
  if (!object) {
    object = make();
    keyObjects.set(key, object);
  }
  return object;
}

export const ed25519Sign = (message: Uint8Array, key: SigningKey): Buffer =>
  crypto.sign(
    null,
    message,
    keyObject(key, () => privateKeyOf(key.seed)),
  );

/** False for anything that is not a signature by this key over this message. */
export function ed25519Verify(message: Uint8Array, signature: Uint8Array, key: VerifierKey): boolean {
  if (signature.length !== 64) return false;
  try {
    return crypto.verify(
      null,
      message,
      keyObject(key.publicKey, () => publicKeyOf(key.publicKey)),
      signature,
    );
  } catch {
    return false;
  }
}
