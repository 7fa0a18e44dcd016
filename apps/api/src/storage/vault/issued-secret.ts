import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * A secret of 256 random bits that can be recognized: a prefix that says what it is for, 43 characters of base64url, and
 * a CRC-32 over both in six more. Those who scan texts for leaked secrets find it and can tell it from lookalikes.
 */
export function issueSecret(prefix: string): string {
  const text = `${prefix}${randomBytes(32).toString('base64url')}`;
  return text + checksum(text);
}

/** Whether the text may be a secret of this kind; nearly all others are told without asking the vault. */
export function looksIssued(prefix: string, text: string): boolean {
  if (text.length !== prefix.length + 49 || !text.startsWith(prefix)) return false;
  return text.endsWith(checksum(text.slice(0, -6)));
}

/** What the vault keeps of a secret. Its 256 bits are random, so that a plain hash cannot be guessed back. */
export const digest = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

function checksum(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString('base64url');
}
