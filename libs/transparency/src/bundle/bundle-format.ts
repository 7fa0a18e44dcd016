import { createHash } from 'node:crypto';
import { decodeBase64, decodeHash } from '../base64.js';
import { isDecimal } from '../checkpoint.js';
import { isTreeSize } from '../merkle.js';
import { MAX_PROOF_HASHES } from '../proofs.js';

/** The format that docs/bundle-format.md describes. */
export const bundleFormat = 'verbatim-bundle/1';

export const bundleLimits = {
  manifestBytes: 1_048_576,
  signatureBytes: 65_536,
  checkpointBytes: 262_144,
  lineBytes: 2_097_152,
  files: 100,
  streams: 1_000_000,
  findings: 100,
} as const;

export interface BundleFile {
  readonly name: string;
  readonly bytes: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

/** What a verifier needs of `manifest.json`. */
export interface BundleManifest {
  readonly format: typeof bundleFormat;
  readonly origin: string;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  readonly events: number;
  readonly streams: number;
  readonly firstOrdinal: number | null;
  readonly lastOrdinal: number | null;
  readonly contiguous: boolean;
  readonly fromStart: boolean;
  readonly files: readonly BundleFile[];
}

/** One line of `events.ndjson`. */
export interface BundleLine {
  readonly envelope: Buffer;
  /** 32 bytes, or null. */
  readonly key: Buffer | null;
  readonly ordinal: number;
  readonly proof: readonly Buffer[];
}

/** The name of the key that signs certificates and manifests of a log. */
export const certificatesKeyName = (origin: string): string => `${origin}/certificates`;

/** The text of `manifest.json.sig`. */
export const manifestNoteText = (origin: string, manifest: Uint8Array): string =>
  `${bundleFormat}\n${origin}\n${createHash('sha256').update(manifest).digest('hex')}\n`;

/** With the newline at its end. */
export function encodeBundleLine({ envelope, key, ordinal, proof }: BundleLine): string {
  const keyText = key === null ? 'null' : `"${key.toString('base64')}"`;
  const proofText = Buffer.concat(proof).toString('base64');
  return `{"envelope":"${envelope.toString('base64')}","key":${keyText},"ordinal":${ordinal},"proof":"${proofText}"}\n`;
}

const base64 = '([A-Za-z0-9+/]*={0,2})';
const lineForm = new RegExp(
  `^\\{"envelope":"${base64}","key":(?:null|"${base64}"),"ordinal":([0-9]+),"proof":"${base64}"\\}$`,
);

/** Reads a line without its newline; null when it is not of its form. */
export function parseBundleLine(line: Buffer): BundleLine | null {
  const [, envelopeText, keyText, ordinalText, proofText] = lineForm.exec(line.toString('latin1')) ?? [];
  if (envelopeText === undefined || ordinalText === undefined || proofText === undefined) return null;
  const envelope = decodeBase64(envelopeText);
  const key = keyText === undefined ? null : decodeHash(keyText);
  const proof = decodeBase64(proofText);
  const ordinal = isDecimal(ordinalText) ? Number(ordinalText) : -1;
  if (!envelope || !proof || !isTreeSize(ordinal) || (keyText !== undefined && !key)) return null;
  if (proof.length % 32 !== 0 || proof.length > 32 * MAX_PROOF_HASHES) return null;
  return {
    envelope,
    key,
    ordinal,
    proof: Array.from({ length: proof.length / 32 }, (_, i) => proof.subarray(32 * i, 32 * i + 32)),
  };
}

/** Reads a manifest; null when it is not of its form, `another-format` when it says that it has another one. */
export function parseBundleManifest(bytes: Uint8Array): BundleManifest | 'another-format' | null {
  const manifest = parseJsonObject(bytes);
  if (manifest === null || typeof manifest.format !== 'string') return null;
  if (manifest.format !== bundleFormat) return 'another-format';
  return isManifest(manifest) ? (manifest as unknown as BundleManifest) : null;
}

const isManifest = ({
  origin,
  size,
  root,
  events,
  streams,
  firstOrdinal,
  lastOrdinal,
  contiguous,
  fromStart,
  files,
}: Record<string, unknown>): boolean =>
  typeof origin === 'string' &&
  isCount(size) &&
  typeof root === 'string' &&
  decodeHash(root) !== null &&
  isCount(events) &&
  isCount(streams) &&
  (firstOrdinal === null || isCount(firstOrdinal)) &&
  (lastOrdinal === null || isCount(lastOrdinal)) &&
  typeof contiguous === 'boolean' &&
  typeof fromStart === 'boolean' &&
  Array.isArray(files) &&
  files.length <= bundleLimits.files &&
  files.every(isFile) &&
  files[0]?.name === 'checkpoint' &&
  files[1]?.name === 'events.ndjson';

const isFile = (file: unknown): boolean => {
  const { name, bytes, sha256 } = (file ?? {}) as Record<string, unknown>;
  return isText(name, /^[a-z0-9][a-z0-9._-]{0,99}$/) && isCount(bytes) && isText(sha256, /^[0-9a-f]{64}$/);
};

const isCount = (value: unknown): boolean => typeof value === 'number' && isTreeSize(value);
const isText = (value: unknown, form: RegExp): boolean => typeof value === 'string' && form.test(value);

/** The object that these bytes are the JSON of, or null. */
export function parseJsonObject(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
