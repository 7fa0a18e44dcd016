import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * A recognizable secret of 256 random bits: a prefix for its purpose, 43 characters of base64url, and a CRC-32 over both in
 * six more. Scanners for leaked secrets can find it and distinguish it from lookalikes.
 */
export function issueSecret(prefix: string): string {
  const text = `${prefix}${randomBytes(32).toString('base64url')}`;
  return text + checksum(text);
}

/** Whether the text may be a secret of this kind; rules out nearly all others without a query. */
export function looksIssued(prefix: string, text: string): boolean {
  if (text.length !== prefix.length + 49 || !text.startsWith(prefix)) return false;
  return text.endsWith(checksum(text.slice(0, -6)));
}

/** What the vault stores of a secret. A plain hash suffices for 256 random bits. */
export const digest = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

function checksum(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString('base64url');
}
