import { createDecipheriv } from 'node:crypto';
import { isTreeSize } from '../merkle.js';
import { parseJsonObject } from './bundle-format.js';

/** What a verifier needs of an event's envelope. */
export interface Envelope {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  readonly prev: string | null;
  readonly sealed: string | null;
}

/** Reads the bytes that were hashed; null when they are not an event. */
export function parseEnvelope(bytes: Uint8Array): Envelope | null {
  const { id, type, stream, revision, prev, data } = parseJsonObject(bytes) ?? {};
  if (typeof id !== 'string' || typeof type !== 'string' || typeof stream !== 'string') return null;
  if (typeof revision !== 'number' || !isTreeSize(revision)) return null;
  if (prev !== null && (typeof prev !== 'string' || !/^[0-9a-f]{64}$/.test(prev))) return null;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return null;
  const { sealed = null } = data as { sealed?: unknown };
  if (sealed !== null && typeof sealed !== 'string') return null;
  return { id, type, stream, revision, prev, sealed };
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The text that an event's own key opens `data.sealed` to; null when there is nothing sealed, or the key does not fit. */
export function openSealed({ id, type, stream, sealed }: Envelope, key: Uint8Array): string | null {
  const box = Buffer.from(sealed ?? '', 'base64url');
  if (box.toString('base64url') !== sealed || box.length < NONCE_BYTES + TAG_BYTES || key.length !== 32) return null;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, NONCE_BYTES));
    decipher.setAAD(Buffer.from(`${stream}|${id}|${type}`)).setAuthTag(box.subarray(-TAG_BYTES));
    const opened = decipher.update(box.subarray(NONCE_BYTES, -TAG_BYTES));
    decipher.final();
    return opened.toString('utf8');
  } catch {
    return null;
  }
}
